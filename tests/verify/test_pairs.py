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
