"""The real compilers: machine code of good texts, the place of the fault in bad ones."""

from __future__ import annotations

import dataclasses

import pytest

from xpiler.platforms import toolchains
from xpiler.platforms.toolchains import compile_check, toolchain_of

KERNEL = """\
#include <{header}>
#include <math.h>

__global__ void scale(float *x, float f, int n)
{{
    __shared__ float part[64];
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    part[threadIdx.x] = i < n ? x[i] : 0.0f;
    __syncthreads();
    if (i < n) {{
        x[i] = {value};
    }}
}}

void host(float *x, int n)
{{
    scale<<<1, 64>>>(x, 2.0f, n);
}}
"""
HEADERS = {"cuda": "cuda_runtime.h", "hip": "hip/hip_runtime.h"}


@pytest.fixture(params=sorted(HEADERS), name="platform")
def _platform(request: pytest.FixtureRequest) -> str:
    spec = toolchain_of(request.param)
    if spec is None or not spec.tool():
        pytest.skip("its compiler is not installed")
    return str(request.param)


def text(platform: str, value: str) -> str:
    return KERNEL.format(header=HEADERS[platform], value=value)


def test_machine_code(platform: str) -> None:
    spec = toolchain_of(platform)
    assert spec is not None
    reports = spec.compile(text(platform, "expf(part[63 - threadIdx.x]) * f"), spec.archs, "t")
    assert [r.arch for r in reports] == list(spec.archs)
    for report in reports:
        assert report.ok
        assert report.messages == ()
        (use,) = report.kernels.values()
        assert 4 <= use.registers <= 64
        assert use.shared_bytes >= 256


def test_an_error_at_its_place(platform: str) -> None:
    for report in compile_check(text(platform, "nothing[i]"), platform, filename="t"):
        assert not report.ok
        first = report.messages[0]
        assert first.code == "XP0612"
        assert first.loc is not None
        assert (first.loc.file, first.loc.line) == ("t", 11)
        assert "nothing" in first.message


def test_a_warning_at_its_place(platform: str) -> None:
    value = "f; int never = 2 / 0; x[i] = never"
    for report in compile_check(text(platform, value), platform, filename="t"):
        assert report.warnings
        assert report.warnings[0].loc is not None
        assert report.warnings[0].loc.line == 11


def test_answers_are_kept(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = text(platform, "part[0] * 3.0f")
    first = compile_check(source, platform)
    spec = toolchain_of(platform)
    assert spec is not None

    def never(*_: object) -> tuple[()]:
        raise AssertionError("compiled again")

    monkeypatch.setattr(
        toolchains, "toolchain_of", lambda _: dataclasses.replace(spec, compile=never)
    )
    assert compile_check(source, platform) == first


def test_matrix_instructions_are_counted() -> None:
    spec = toolchain_of("hip")
    if spec is None or not spec.tool():
        pytest.skip("its compiler is not installed")
    source = """\
#include <hip/hip_runtime.h>
typedef float floatx4 __attribute__((ext_vector_type(4)));
__global__ void k(float *out, float a, float b)
{
    floatx4 acc = {};
    acc = __builtin_amdgcn_mfma_f32_16x16x4f32(a, b, acc, 0, 0, 0);
    out[threadIdx.x] = acc[0];
}
"""
    for report in compile_check(source, "hip"):
        assert [u.matrix for u in report.kernels.values()] == [1]


def test_a_platform_without_a_compiler() -> None:
    assert compile_check("int x;", "c") == ()
