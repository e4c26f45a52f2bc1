"""Which integers are the bits of floating-point numbers, and what that changes about a run."""

from __future__ import annotations

import pytest

from xpiler.frontend import read
from xpiler.ir.types import U16, Pointer
from xpiler.platforms.registry import platform
from xpiler.verify.inputs import BufferSpec, RecordSpec
from xpiler.verify.patterns import float_bits
from xpiler.verify.verifier import Entry, VerifyCase

HEAD = """#include <stdint.h>
#include <string.h>
#include <immintrin.h>
static inline float up(uint16_t h)
{
    union { uint32_t u; float f; } v;
    v.u = (uint32_t)h << 16;
    return v.f;
}
static inline uint16_t down(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}
typedef struct { uint16_t scale, plain; int8_t q[4]; } block;
"""


def held(text: str, name: str = "k", suffix: str = "c") -> dict[str, str]:
    words = platform("cuda" if suffix == "cu" else "c").words
    return float_bits(read((suffix == "c") * HEAD + text, f"f.{suffix}", words).program, name)


def test_words_shifted_up_and_rounded_down_are_bfloat16() -> None:
    text = "void k(const uint16_t *x, uint16_t *y, int n) { const uint16_t *row = x + n; %s }"
    assert held(text % "y[0] = down(2 * up(row[1]));") == {"x": "bf16", "y": "bf16"}
    assert held(text % "float f = up(x[0]); y[0] = f > 1 ? 7 : 9;") == {"x": "bf16"}
    assert held(text % "y[0] = x[0] << 1;") == {}


def test_registers_carry_what_memory_holds() -> None:
    text = """void k(const uint16_t *w, const uint16_t *h, float *y) {
        __m512bh a = (__m512bh)_mm512_maskz_loadu_epi16(0xff, w);
        __m512 s = _mm512_dpbf16_ps(_mm512_setzero_ps(), a, a);
        __m256i b = _mm256_loadu_si256((const __m256i *)h);
        _mm512_storeu_ps(y, _mm512_add_ps(s, _mm512_cvtph_ps(b)));
    }"""
    assert held(text) == {"w": "bf16", "h": "float16"}


def test_fields_are_told_apart() -> None:
    text = """void k(const block *x, float *y, int *z) {
        y[0] = up(x[1].scale) * x[1].q[2]; z[0] = x[1].plain + 1; }"""
    assert held(text) == {"x.scale": "bf16"}


def test_two_readings_tell_nothing() -> None:
    text = "void k(const uint16_t *x, float *y) { y[0] = up(x[0]) + _cvtsh_ss(x[1]); }"
    assert held(text) == {}


def test_a_kernel_tells_what_its_wrapper_is_given() -> None:
    text = """#include <cuda_fp16.h>
    __global__ void k(const unsigned short* x, float* y) {
        y[threadIdx.x] = __half2float(__ushort_as_half(x[threadIdx.x]));
    }
    void op(const unsigned short* hx, float* hy) {
        unsigned short* x; float* y;
        cudaMalloc(&x, 64); cudaMalloc(&y, 128);
        cudaMemcpy(x, hx, 64, cudaMemcpyHostToDevice);
        k<<<1, 32>>>(x, y);
        cudaMemcpy(hy, y, 128, cudaMemcpyDeviceToHost);
    }"""
    assert held(text, "op", "cu") == {"hx": "float16"}


@pytest.mark.parametrize("given", [False, True])
def test_numbers_are_drawn_but_where_integers_were_asked_for(given: bool) -> None:
    spec = BufferSpec("x", str(Pointer(U16)), "uint16", 8, bounds=(0, 9) if given else None)
    record = RecordSpec("r", 4, 2, ((0, BufferSpec("r.d", "", "uint16", 2)),))
    case = VerifyCase((spec, record), Entry("k"), Entry("k"))
    x, d = case.with_bits({"x": "bf16", "r.d": "float16"}).buffers
    assert (x.dtype, d.dtype) == ("uint16" if given else "bf16", "float16")
    assert x.ctype == spec.ctype
