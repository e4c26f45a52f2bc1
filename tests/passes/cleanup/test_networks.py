"""Fixed stages of combining become loops; what is no such network stays."""

from __future__ import annotations

import pytest

from xpiler.analysis.atoms import REORDERED
from xpiler.pipeline import Options, translate

HEAD = """
__global__ void rows(const TYPE* x, TYPE* y, int n) {
  __shared__ TYPE part[64];
  int t = threadIdx.x;
  TYPE s = START;
  for (int i = t; i < n; i += 64) s = JOIN(s, x[blockIdx.x * n + i]);
"""
LAUNCH = """
void call(const TYPE* x, TYPE* y, int m, int n) {
  TYPE *dx, *dy;
  cudaMalloc(&dx, m * n * sizeof(TYPE));
  cudaMalloc(&dy, m * sizeof(TYPE));
  cudaMemcpy(dx, x, m * n * sizeof(TYPE), cudaMemcpyHostToDevice);
  rows<<<m, 64>>>(dx, dy, n);
  cudaMemcpy(y, dy, m * sizeof(TYPE), cudaMemcpyDeviceToHost);
}
"""
TREE = """
  part[t] = s;
  __syncthreads();
  for (int h = 32; h > 0; h >>= 1) {
    if (t < h) part[t] = JOIN(part[t], part[t + h]);
    __syncthreads();
  }
  if (t == 0) y[blockIdx.x] = part[0];
}
"""
WRITTEN_OUT = """
  part[t] = s;
  __syncthreads();
  if (t < 32) part[t] = JOIN(part[t], part[t + 32]);
  __syncthreads();
  if (t < 16) part[t] = JOIN(part[t], part[t + 16]);
  __syncthreads();
  if (t == 0) {
    TYPE r = part[0];
    for (int k = 1; k < 16; k++) r = JOIN(r, part[k]);
    y[blockIdx.x] = r;
  }
}
"""
BUTTERFLY = """
  for (int m = 16; m > 0; m >>= 1) s = JOIN(s, __shfl_xor_sync(0xffffffff, s, m));
  if (t % 32 == 0) part[t / 32] = s;
  __syncthreads();
  if (t < 32) {
    s = t < 2 ? part[t] : START;
    for (int m = 1; m < 32; m *= 2) s = JOIN(s, __shfl_xor_sync(0xffffffff, s, m));
  }
  if (t == 0) y[blockIdx.x] = s;
}
"""
SHORT = TREE.replace("int h = 32", "int h = 16")
TWICE = TREE.replace("part[t + h])", "part[63 - t])")
SUM = {"TYPE": "float", "START": "0.f", "JOIN": "ADD"}
LARGEST = {"TYPE": "float", "START": "-INFINITY", "JOIN": "fmaxf"}
BITS = {"TYPE": "unsigned", "START": "0u", "JOIN": "XOR"}
HALF = {"TYPE": "__half", "START": "__float2half(0.f)", "JOIN": "ADD"}
MACROS = """
#include <cuda_fp16.h>
#include <math.h>
#define ADD(a, b) ((a) + (b))
#define XOR(a, b) ((a) ^ (b))
"""


def c_of(stages: str, words: dict[str, str]) -> str:
    text = MACROS + HEAD + stages + LAUNCH
    for word, meaning in words.items():
        text = text.replace(word, meaning)
    done = translate(text, "k.cu", Options(target="c", seed=5, plain=True))
    assert done.verified, done.verdict
    assert done.text is not None
    sums = words["JOIN"] == "ADD" and words["TYPE"] == "float"
    assert not sums or "[64]" in done.text or REORDERED in done.assumptions
    return done.text


@pytest.mark.parametrize("words", [SUM, LARGEST, BITS], ids=["sum", "largest", "bits"])
@pytest.mark.parametrize(
    "stages", [TREE, WRITTEN_OUT, BUTTERFLY], ids=["tree", "written out", "butterfly"]
)
def test_one_loop_over_the_row(stages: str, words: dict[str, str]) -> None:
    text = c_of(stages, words)
    assert "i < n; i++" in text
    assert "[64]" not in text
    assert "[32]" not in text


@pytest.mark.parametrize("stages", [SHORT, TWICE], ids=["half of them", "some of them twice"])
def test_what_combines_otherwise_stays(stages: str) -> None:
    assert "[64]" in c_of(stages, SUM)


def test_sums_of_halves_keep_their_order() -> None:
    assert "[64]" in c_of(TREE, HALF)
