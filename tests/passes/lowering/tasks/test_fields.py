"""Structs, functions, flags and switches in lanes: no scalar loop over them is left."""

from __future__ import annotations

import re

import pytest

from xpiler.pipeline import Options, translate

STRUCT = """
struct Best { float value; int at; };
__device__ Best better(Best a, Best b) { return b.value > a.value ? b : a; }
__global__ void best(const float* x, const float* y, float* v, int* k, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  Best a = {x[i], 1}, b = {y[i], 2};
  Best found = better(a, b);
  v[i] = found.value;
  k[i] = found.at;
}
"""

LEFT_EARLY = """
struct Mean { float mean, count; };
__device__ void push(Mean* m, float v) {
  if (v == 0.0f) return;
  m->count += 1.0f;
  m->mean += (v - m->mean) / m->count;
}
__global__ void means(const float* x, float* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  Mean m = {0.0f, 0.0f};
  for (int j = 0; j < 4; j++) push(&m, x[j * n + i]);
  y[i] = m.mean;
}
"""

LANES = """
__device__ float4 halves(float4 v) {
  float4 r;
  r.x = v.x > 0.0f ? v.x * 0.5f : v.y;
  r.y = v.y * 0.5f; r.z = v.z * 0.5f; r.w = v.w - v.x;
  return r;
}
__global__ void half4(const float4* x, float4* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = halves(x[i]);
}
"""

SWITCH = """
__global__ void kinds(const int* k, const float* x, float* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  float v = x[i];
  switch (k[i]) {
    case 0: v = -v; break;
    case 1: case 2: v = v * 2.0f; break;
    default: v = 1.0f;
  }
  y[i] = v;
}
"""

FLAG = """
__global__ void flags(const float* x, const float* z, float* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  bool larger = x[i] > z[i];
  if (x[i] < 0.0f) larger = !larger;
  y[i] = larger ? x[i] - z[i] : 0.0f;
}
"""

ERF = """
__global__ void gelu(const float* x, float* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = 0.5f * x[i] * (1.0f + erff(x[i] * 0.70710678f));
}
"""

TANH = """
__global__ void gelu(const float* x, float* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = 0.5f * x[i] * (1.0f + tanhf(0.79788456f * (x[i] + 0.044715f * x[i] * x[i] * x[i])));
}
"""  # noqa: E501

LANE_LOOP = re.compile(r"for \(int k\d* = 0; k\d* < n")


@pytest.mark.parametrize("text", [STRUCT, LEFT_EARLY, LANES, SWITCH, FLAG, ERF, TANH])
def test_all_lanes_run_together(text: str) -> None:
    done = translate(text, "k.cu", Options(target="bang", seed=3))
    assert done.text is not None
    assert done.verified, done.verdict
    assert not LANE_LOOP.search(done.text), done.text
    assert "stays scalar" not in " ".join(d.message for d in done.diagnostics)


BINS = """
__global__ void bins(const float* x, int* counts, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) atomicAdd(&counts[(int)(fminf(fmaxf(x[i], 0.0f), 0.99f) * 16.0f)], 1);
}
"""

MASKED = """
__global__ void masked(const float* x, const int* keep, float* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = (keep[i] & 1) && keep[i] > 1 ? expf(x[i]) : 0.0f;
}
"""


@pytest.mark.parametrize(
    ("text", "instruction", "assumed"),
    [(BINS, "__bang_float2int32_tz(", ""), (MASKED, "__bang_pow2(", "are in memory, too")],
)
def test_what_data_decides_is_computed_in_lanes(text: str, instruction: str, assumed: str) -> None:
    done = translate(text, "k.cu", Options(target="bang", seed=3))
    assert done.text is not None
    assert done.verified, done.verdict
    assert instruction in done.text
    assert assumed in " ".join(done.assumptions)
