"""Elements that a program tells apart by a constant are among its inputs."""

from __future__ import annotations

import numpy as np

from xpiler.frontend import read
from xpiler.pipeline import Options, translate
from xpiler.platforms.registry import platform
from xpiler.verify.inputs import RECIPES, BufferSpec, InputPlan
from xpiler.verify.marks import divisors_of, marks_of
from xpiler.verify.verifier import Entry, VerifyCase

FINISH = """#include <limits.h>
__global__ void finish(int* out, const unsigned char* kind, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    const int k = kind[i];
    if (out[i] == INT_MIN) out[i] = %s;
}
"""


def marks(text: str) -> dict[tuple[str, str], frozenset[int]]:
    return marks_of(read(text, "k.cu", platform("cuda").words).program)


def test_constants_are_found_through_variables_and_copies() -> None:
    text = """
    __global__ void k(const int* x, int* y) {
        const int v = x[threadIdx.x];
        y[threadIdx.x] = v == -7 ? 1 : (v != (1 << 20)) + (y[0] > 3);
    }
    extern "C" void op(const int* h, int* y) {
        int* d;
        cudaMalloc(&d, 128);
        cudaMemcpy(d, h, 128, cudaMemcpyHostToDevice);
        k<<<1, 32>>>(d, y);
    }"""
    told = frozenset((-7, 1 << 20))
    assert marks(text) == {("k", "x"): told, ("op", "d"): told, ("op", "h"): told}


def test_every_kind_of_input_has_them_as_far_as_its_bounds_allow() -> None:
    free = BufferSpec("x", "i32", "int32", 100, marks=(-(2**31), 5, 2**40))
    kept = BufferSpec("y", "i32", "int32", 100, bounds=(0, 3), marks=(5,))
    for run in range(len(RECIPES)):
        drawn = InputPlan(1).draw((free, kept), run)
        assert {-(2**31), 5} <= set(drawn["x"].tolist())
        assert np.all((drawn["y"] >= 0) & (drawn["y"] <= 3))


def test_a_kernel_that_acts_on_one_value_only_is_verified() -> None:
    result = translate(FINISH % "k", "k.cu", Options(target="c", seed=2))
    assert result.verified, result.verdict and result.verdict.render()


def test_divisors_that_nothing_looks_at_are_not_zero() -> None:
    text = """
    __global__ void k(const int* x, const short* t, const int* d, const int* e, float* y) {
        int i = threadIdx.x, g = e[i];
        y[i] = x[i] / (float)t[i] + (d[i] ? x[i] % d[i] : 1) + (g > 0 ? x[i] / g : 2);
    }
    extern "C" void op(const int* x, const short* h, const int* d, const int* e, float* y) {
        short* t;
        cudaMalloc(&t, 64);
        cudaMemcpy(t, h, 64, cudaMemcpyHostToDevice);
        k<<<1, 32>>>(x, t, d, e, y);
    }"""
    program = read(text, "k.cu", platform("cuda").words).program
    assert {name for function, name in divisors_of(program) if function == "op"} == {"h", "t"}
    buffers = tuple(BufferSpec(n, "i32", "int32", 40) for n in "hd")
    made = VerifyCase(buffers, Entry("op"), Entry("op")).with_divisors({"h"})
    assert [b.bounds for b in made.buffers] == [(1.0, 100.0), None]
    assert made.label == "no zeros in h"
    assert made.with_divisors({"h"}) == made, "a range that is known stays"
