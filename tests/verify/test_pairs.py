"""A source and a given translation of it: who is run how."""

from __future__ import annotations

import pytest

from xpiler.pipeline import Options
from xpiler.verify.session import verify_pair

KERNEL = """
__global__ void add(const float *a, const float *b, float *c, int n) {
    int i = blockDim.x * blockIdx.x + threadIdx.x;
    if (i < n) c[i] = a[i] + b[i];
}
"""
HIP = "#include <hip/hip_runtime.h>\n" + KERNEL
C = "void add(const float *a, const float *b, float *c, int n) { LOOP c[i] = a[i] + b[i]; }"
C = C.replace("LOOP", "for (int i = 0; i < n; i++)")
WRAPPED = (
    KERNEL.replace("void add(", "void add_kernel(")
    + """
extern "C" void add(const float *a, const float *b, float *c, int n) {
    float *d_a, *d_b, *d_c;
    cudaMalloc(&d_a, n * 4); cudaMalloc(&d_b, n * 4); cudaMalloc(&d_c, n * 4);
    cudaMemcpy(d_a, a, n * 4, cudaMemcpyHostToDevice);
    cudaMemcpy(d_b, b, n * 4, cudaMemcpyHostToDevice);
    add_kernel<<<(n + 63) / 64, 64>>>(d_a, d_b, d_c, n);
    cudaMemcpy(c, d_c, n * 4, cudaMemcpyDeviceToHost);
}
"""
)


@pytest.mark.parametrize(
    ("source", "target", "to"),
    [
        (KERNEL, KERNEL, "cuda"),
        (KERNEL, HIP, "hip"),
        (KERNEL, WRAPPED, "cuda"),
        (KERNEL, C, "c"),
        (C, WRAPPED, "cuda"),
        (C, C, "c"),
    ],
)
def test_the_same_computation_is_verified(source: str, target: str, to: str) -> None:
    name = "c" if source is C else "cuda"
    verdict = verify_pair(source, target, "a", Options(to, name, seed=1))
    assert verdict.ok, verdict.render()


def test_another_one_is_not() -> None:
    wrong = KERNEL.replace("a[i] + b[i]", "a[i] - b[i]")
    assert verify_pair(KERNEL, wrong, "a", Options("cuda", "cuda", seed=1)).outcome == "wrong"


MIXED = WRAPPED.replace("d_a, d_b, d_c, n);", "d_a, b, d_c, n);")
ON_DEVICE = (
    KERNEL.replace("void add(", "void add_kernel(")
    + """
extern "C" void add(const float *a, const float *b, float *c, int n) {
    add_kernel<<<(n + 63) / 64, 64>>>(a, b, c, n);
}
"""
)


@pytest.mark.parametrize("source", [C, WRAPPED])
def test_kernels_do_not_follow_pointers_to_host_memory(source: str) -> None:
    name = "c" if source is C else "cuda"
    verdict = verify_pair(source, MIXED, "a", Options("cuda", name, seed=1))
    assert verdict.outcome == "wrong"
    assert "a kernel touches host memory: element 0 of b" in verdict.reason


def test_a_given_text_may_want_all_of_its_memory_on_the_device() -> None:
    verdict = verify_pair(C, ON_DEVICE, "a", Options("cuda", "c", seed=1))
    assert verdict.ok, verdict.render()
    assert "called with pointers to device memory" in verdict.assumptions
