"""Each helper compiles for real on its own, used or not, where the compilers are installed."""

from importlib.resources import files

import pytest

from xpiler.platforms.cuda import toolchain as nvrtc
from xpiler.platforms.hip import toolchain as clang
from xpiler.port.prologue import closure, text_of


def names(platform: str) -> list[str]:
    folder = files("xpiler.port").joinpath("prologues", platform)
    return sorted(p.name.removesuffix(".h") for p in folder.iterdir() if p.name.endswith(".h"))


def all_of(platform: str, head: str) -> str:
    kernel = 'extern "C" __global__ void k(float* x) { x[0] = 1; }\n'
    return head + text_of(platform, names(platform)) + kernel


def test_helpers_come_after_what_they_need() -> None:
    assert closure("hip", ["ldmatrix"]) == ["shared_address", "lane", "ldmatrix"]


@pytest.mark.skipif(not clang.tool(), reason="no compiler for AMD GPUs here")
@pytest.mark.parametrize("arch", ["gfx90a", "gfx942", "gfx1100"])
def test_hip_helpers(arch: str) -> None:
    head = (
        "#include <hip/hip_runtime.h>\n#include <hip/hip_fp16.h>\n"
        "#include <hip/hip_bf16.h>\n#include <hip/hip_cooperative_groups.h>\n"
    )
    (report,) = clang.compile_text(all_of("hip", head), (arch,), "a.hip")
    assert report.ok, report.messages


@pytest.mark.skipif(not nvrtc.tool(), reason="no compiler for NVIDIA GPUs here")
def test_cuda_helpers() -> None:
    for report in nvrtc.compile_text(all_of("cuda", ""), ("sm_80", "sm_90"), "a.cu"):
        assert report.ok, report.messages
