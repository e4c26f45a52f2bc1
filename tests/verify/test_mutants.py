"""The verifier says no: wrong variants of translated kernels do not pass it.

A dozen of what `benchmarks/mutants.py` measures with hundreds.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from xpiler.host.sandbox import capabilities

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import mutants
from mutation import Edit, edits
from mutation_gpu import edits as gpu_edits

pytestmark = pytest.mark.skipif(not capabilities().isolated, reason=capabilities().reason)

VARIANTS = 4


@pytest.mark.parametrize("name", ["gemv/constant_vector.cu", "scan/blelloch.cu", "sub/pitch_2d.cu"])
def test_wrong_variants_do_not_pass(name: str) -> None:
    kernel = mutants.prepared(name, 1)
    assert isinstance(kernel, mutants.Kernel), kernel
    found = []
    for edit, of_source in mutants.variants(kernel)[:VARIANTS]:
        judge = mutants.judge_source if of_source else mutants.judge
        found.append((edit.kind, *judge(kernel, edit)))
    assert [f for f in found if f[1] == "survived"] == []
    assert sum(f[1] == "caught" for f in found) >= 2


def test_wrong_variants_for_a_device_do_not_pass() -> None:
    kernel = mutants.prepared("softmax/rows.c", 1, "cuda")
    assert isinstance(kernel, mutants.Kernel), kernel
    for old, new in (
        ("k < (int)(blockDim.x / 32)", "k < 5"),  # sums of warps that short rows leave idle
        ("cudaMemcpy(y, d_y, (size_t)cols * rows * sizeof(float), cudaMemcpyDeviceToHost);", ""),
    ):
        at = kernel.text.rindex(old)
        outcome, *more = mutants.judge(kernel, Edit("", at, at + len(old), new))
        assert outcome in ("caught", "stricter"), more


DEVICE = """__global__ void k(const float* x, float* y, int n)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    __syncthreads();
    float v = __shfl_down_sync(0xffffffff, x[i], 16);
    if (i < n) atomicAdd(&y[i], v);
}
void host(const float* x, float* y, int n) {
    float* d;
    cudaMalloc(&d, n * sizeof(float));
    cudaMemcpy(d, x, n * sizeof(float), cudaMemcpyHostToDevice);
    dim3 grid((n + 31) / 32, 2);
    k<<<grid, 32>>>(d, y, n);
}
"""


def test_every_kind_of_edit_of_a_device_text() -> None:
    found = gpu_edits(DEVICE)
    changed = {(e.kind, DEVICE[e.start : e.end], e.new) for e in found}
    assert {
        ("missing barrier", "__syncthreads();", ""),
        ("wrong shuffle", "__shfl_down_sync", "__shfl_up_sync"),
        ("wrong axis", "threadIdx.x", "threadIdx.y"),
        ("wrong launch", "32", "(32) - 1"),
        ("wrong launch", "(n + 31) / 32, 2", "2, (n + 31) / 32"),
        ("wrong copy", "MemcpyHostToDevice", "MemcpyDeviceToHost"),
        ("wrong allocation", "n * sizeof(float)", "(n * sizeof(float)) / 2"),
        ("dropped guard", "i < n", "1"),
        ("missing copy", "cudaMemcpy(d, x, n * sizeof(float), cudaMemcpyHostToDevice);", ""),
    } <= changed
    assert {e.kind for e in found} >= {"wrong mask", "wrong width"}


def test_every_kind_of_edit() -> None:
    text = """void sums(const float *x, const float *y, float *z, int rows, int cols)
{
    float part[32];
    for (int i = 0; i < rows; i++) {
        float sum = 0.0f;
        for (int j = 0; j < cols; j++) {
            if (j > i) {
                sum += x[i * cols + j] + y[j];
            }
        }
        part[i] = sum;
    }
    for (int i = 0; i < rows; i++) {
        z[i] = part[i];
    }
}
"""
    kinds = {e.kind for e in edits(text)}
    assert kinds == {
        "off-by-one bound", "off-by-one index", "swapped indices", "dropped tail", "dropped term",
        "dropped statement", "wrong width", "early exit", "narrowed type", "wrong operator",
        "wrong constant", "wrong array", "missing initialisation", "missing barrier",
        "dropped guard",
    }  # fmt: skip
    assert all(e.apply(text) != text for e in edits(text))
