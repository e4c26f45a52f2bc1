"""For each sort of fault the sketch has the fill that undoes it, among the likelier ones."""

from __future__ import annotations

import re

import pytest

from xpiler.repair.faults import tree_of
from xpiler.repair.sketches import Vocabulary, everything

BATCHES = 800  # fills in the first four programs that a search builds
SOURCE = """
__global__ void rows(const float* x, const float* w, float* y, int n, int d) {
    __shared__ float part[64];
    int r = blockIdx.x;
    float s = 0.0f;
    for (int i = threadIdx.x; i < d; i += 64) s += x[r * d + i] * w[i];
    part[threadIdx.x] = s;
    __syncthreads();
    for (int h = 32; h > 0; h /= 2) {
        if (threadIdx.x < h) part[threadIdx.x] += part[threadIdx.x + h];
        __syncthreads();
    }
    if (threadIdx.x == 0) y[r] = part[0];
}
"""
BANG = """
#include <bang.h>

__mlu_entry__ void rows(const float *x, const float *w, float *y, int n, int d)
{
    __nram__ float x_tile[4096];
    __nram__ float w_tile[4096];
    __nram__ float t[4096];
    __nram__ float acc[4096];
    __memcpy(w_tile, w, d * sizeof(float), GDRAM2NRAM);
    __bang_write_zero(acc, d);
    for (int r = taskId; r < n; r += taskDim) {
        __memcpy(x_tile, &x[r * d], d * sizeof(float), GDRAM2NRAM);
        __bang_mul(t, x_tile, w_tile, d);
        __bang_add(acc, acc, t, d);
    }
    __memcpy(y, acc, d * sizeof(float), NRAM2GDRAM);
}
"""
C = """
void rows(const float *x, const float *w, float *y, int n, int d)
{
    float part[64];
    for (int t = 0; t < 64; t++) {
        float s = x[t];
        s += w[t];
        part[t] = s;
    }
    for (int t = 0; t < 64; t++) {
        y[t] = part[63 - t];
    }
}
"""
CUDA = """
__global__ void rows(const float* x, float* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = x[i];
}
extern "C" void all(const float* x, float* y, int n) {
    float *dx, *dy;
    cudaMalloc(&dx, n * sizeof(float));
    cudaMalloc(&dy, n * sizeof(float));
    cudaMemcpy(dx, x, n * sizeof(float), cudaMemcpyHostToDevice);
    rows<<<(n + 255) / 256, 256>>>(dx, dy, n);
    cudaMemcpy(y, dy, n * sizeof(float), cudaMemcpyDeviceToHost);
}
"""


def _rank(text: str, right: str, wrong: str, platform: str) -> int:
    """The place of the fill that undoes `right` -> `wrong` in the order of likelihood."""
    assert right in text
    tree = tree_of(text.replace(right, wrong, 1), platform)
    assert not tree.errors
    fills = sorted(everything(Vocabulary(SOURCE, tree, platform)), key=lambda f: f.cost)
    goal = _bare(text)
    return next((k for k, f in enumerate(fills) if _bare(f.edit.apply(tree.text)) == goal), 1 << 20)


def _bare(text: str) -> str:
    return re.sub(r"[\s()]", "", text)


@pytest.mark.parametrize(
    ("text", "platform", "right", "wrong"),
    [
        (BANG, "bang", "        __bang_mul(t, x_tile, w_tile, d);\n", ""),
        (BANG, "bang", "        __bang_add(acc, acc, t, d);\n", ""),
        (BANG, "bang", "    __bang_write_zero(acc, d);\n", ""),
        (BANG, "bang", "__bang_mul(t", "__bang_maxequal(t"),
        (BANG, "bang", "&x[r * d]", "x"),
        (BANG, "bang", "float t[4096]", "float t[1052672]"),
        (BANG, "bang", "x_tile, &x[r * d], d * sizeof(float), GDRAM2NRAM",
         "x_tile, &x[r * d], d * sizeof(float), NRAM2GDRAM"),
        (C, "c", "    }\n    for (int t = 0; t < 64; t++) {\n", ""),
        (C, "c", "        s += w[t];\n", "        if (t > 2) { break; }\n        s += w[t];\n"),
        (C, "c", "float s = x[t]", "float s"),
        (C, "c", "float s = x[t]", "_Float16 s = x[t]"),
        (CUDA, "cuda", "    cudaMemcpy(dx, x, n * sizeof(float), cudaMemcpyHostToDevice);\n", ""),
        (CUDA, "cuda", "blockIdx.x * blockDim.x", "0"),
    ],
)  # fmt: skip
def test_what_undoes_a_fault_is_among_the_likely_fills(
    text: str, platform: str, right: str, wrong: str
) -> None:
    assert _rank(text, right, wrong, platform) < BATCHES
