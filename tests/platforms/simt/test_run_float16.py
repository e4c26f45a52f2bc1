"""half and bfloat16: every bit pattern's conversion, rounding of each operation, intrinsics."""

# Kernels and tables of results read better on long lines.
# ruff: noqa: E501

import numpy as np
from running import normal, run, zeros

CONVERT = r"""
__global__ void widen(const half* h, float* f, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) f[i] = __half2float(h[i]);
}
__global__ void narrow(const float* f, half* h, __nv_bfloat16* b, half* up, half* down, half* zero, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  h[i] = __float2half(f[i]); b[i] = __float2bfloat16(f[i]);
  up[i] = __float2half_ru(f[i]); down[i] = __float2half_rd(f[i]); zero[i] = __float2half_rz(f[i]);
}
__global__ void doubles(const double* d, half* h, int n) { if (threadIdx.x < n) h[threadIdx.x] = d[threadIdx.x]; }
"""


def test_every_half_widens_exactly() -> None:
    patterns = np.arange(65536, dtype="uint16").view("float16")
    got = run(
        CONVERT, "widen", patterns, zeros(65536), 65536, grid=(256, 1, 1), block=256, checks=False
    )[1]
    np.testing.assert_array_equal(
        got.view("uint32")[~np.isnan(patterns)],
        patterns.astype("float32").view("uint32")[~np.isnan(patterns)],
    )
    assert np.isnan(got[np.isnan(patterns)]).all()


def _floats() -> np.ndarray:
    """Numbers near every boundary: between neighbours, subnormal, overflow, signed zeros."""
    h = np.arange(0, 0x7C00, 7, dtype="uint16").view("float16").astype("float32")
    gap = np.spacing(np.arange(0, 0x7C00, 7, dtype="uint16").view("float16")).astype("float32")
    near = [
        h,
        h + gap / 2,
        np.nextafter(h + gap / 2, np.float32(0)),
        np.nextafter(h + gap / 2, np.float32(1e9)),
    ]
    rest = np.array(
        [65519.996, 65520, 1e38, np.inf, 1e-8, 2.98e-8, 2.9802322e-8, 0.0, 1e-45], "float32"
    )
    both = np.concatenate([*near, rest])
    return np.concatenate([both, -both])


def test_narrowing_rounds_to_nearest_even_and_in_each_direction() -> None:
    f = _floats()
    n = f.size
    empty = [
        zeros(n, dtype="float16"),
        zeros(n, dtype="uint16"),
        *(zeros(n, dtype="float16") for _ in range(3)),
    ]
    ran = run(CONVERT, "narrow", f, *empty, n, grid=(n // 256 + 1, 1, 1), block=256, checks=False)
    with np.errstate(over="ignore"):
        nearest = f.astype("float16")
    np.testing.assert_array_equal(ran[1].view("uint16"), nearest.view("uint16"))
    bits = f.view("uint32").astype("uint64")
    np.testing.assert_array_equal(
        ran[2], ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype("uint16")
    )
    assert (ran[3].astype("float64") >= f).all()
    assert (ran[4].astype("float64") <= f).all()
    assert (np.abs(ran[5].astype("float64")) <= np.abs(f)).all()
    exact = nearest.astype("float64") == f
    for k in (3, 4, 5):
        np.testing.assert_array_equal(ran[k][exact], nearest[exact])


def test_double_to_half_rounds_once() -> None:
    tie = 1 + 2.0**-11
    d = np.array([tie + 2.0**-40, tie, tie - 2.0**-40, -(tie + 2.0**-40)])
    got = run(CONVERT, "doubles", d, zeros(4, dtype="float16"), 4, grid=(1, 1, 1))[1]
    np.testing.assert_array_equal(got, d.astype("float16"))


OPERATIONS = r"""
#include <cuda_fp16.h>
__global__ void k(const half* a, const half* b, half* y, float* f, int n) {
  int i = threadIdx.x; half p = a[i], q = b[i];
  y[i] = p + q; y[n + i] = p * q; y[2 * n + i] = p / q; y[3 * n + i] = __hfma(p, q, p); y[4 * n + i] = __hmax(p, q);
  y[5 * n + i] = hexp(p); y[6 * n + i] = __hadd_sat(p, q); y[7 * n + i] = -p; y[8 * n + i] = __habs(p);
  half2 v = __halves2half2(p, q), w = __hfma2(v, v, __half2half2(q));
  w += v; y[9 * n + i] = __low2half(w); y[10 * n + i] = __high2half(w);
  float2 g = __half22float2(__hmul2(v, v)); f[i] = g.x + g.y;
  p += q; p -= __float2half(0.25f); if (p > q) p = 0.5; y[11 * n + i] = p;
  half acc = __float2half(0.0f); volatile half vol[1]; vol[0] = q; acc = vol[0]; y[12 * n + i] = acc;
  y[13 * n + i] = __shfl_xor_sync(0xffffffffu, q, 1);
  atomicAdd(y + 14 * n, __float2half(1.0f)); f[n + i] = __half2int_rn(p) + (int)q + (__hlt(p, q) ? 100 : 0);
}
"""


def test_half_operations_round_each() -> None:
    n = 32
    a, b = normal(n, dtype="float16"), normal(n, dtype="float16", seed=1)
    ran = run(
        OPERATIONS, "k", a, b, zeros(15 * n, dtype="float16"), zeros(2 * n), n, grid=(1, 1, 1)
    )
    y, f = ran[2].reshape(15, n), ran[3].reshape(2, n)
    wide = lambda v: v.astype("float64")  # noqa: E731
    low = (wide(a) * wide(a) + wide(b)).astype("float16") + a
    high = (wide(b) * wide(b) + wide(b)).astype("float16") + b
    p = a + b - np.float16(0.25)
    p = np.where(p > b, np.float16(0.5), p)
    rows = [a + b, a * b, a / b, (wide(a) * wide(b) + wide(a)).astype("float16"), np.maximum(a, b),
            np.exp(a.astype("float32")).astype("float16"), np.clip(a + b, 0, 1), -a, np.abs(a), low, high, p, b,
            b[np.arange(n) ^ 1]]  # fmt: skip
    for i, want in enumerate(rows):
        np.testing.assert_array_equal(y[i], want, err_msg=f"row {i}")
    assert y[14, 0] == n
    np.testing.assert_allclose(f[0], (a * a).astype("float32") + (b * b).astype("float32"))
    np.testing.assert_array_equal(
        f[1], np.rint(p.astype("float32")) + np.trunc(b.astype("float32")) + 100 * (p < b)
    )


HIP_TYPES = r"""
#include <hip/hip_runtime.h>
#include <hip/hip_fp16.h>
typedef float f4 __attribute__((ext_vector_type(4)));
using h4 = __attribute__((__vector_size__(4 * sizeof(_Float16)))) _Float16;
__global__ void k(const __half* x, const _Float16* w, float* y, __hip_bfloat16* b) {
  int i = threadIdx.x;
  _Float16 p = w[i], q = p * p + (_Float16)0.5f;              // rounds twice
  h4 v = {p, q, 1, 2}; v = v * (_Float16)2; v[3] += v.x;
  f4 s = {1.0f, 2.0f}; s += 1.0f; s = s * s;
  float4 t = make_float4(1, 2, 3, 4) * 2.0f + float4(1.0f); t.x += s.w;
  __half h = p; h = h + x[i];
  y[4 * i] = v[0] + v[1] + v[3]; y[4 * i + 1] = s.x + s.y + s.z; y[4 * i + 2] = t.x + t.w; y[4 * i + 3] = __half2float(h);
  b[i] = __float2bfloat16((float)q) + __hip_bfloat16(1.0f);
}
"""


def test_hip_types() -> None:
    x, w = normal(64, dtype="float16"), normal(64, dtype="float16", seed=2)
    ran = run(
        HIP_TYPES,
        "k",
        x,
        w,
        zeros(64, 4),
        zeros(64, dtype="uint16"),
        platform="hip",
        grid=(1, 1, 1),
        block=64,
    )
    q = w * w + np.float16(0.5)
    v0, v1 = w * np.float16(2), q * np.float16(2)
    total = (v0 + v1) + (np.float16(4) + v0)
    want = np.stack(
        [total.astype("float32"), np.full(64, 14.0), np.full(64, 13.0), (w + x).astype("float32")],
        1,
    )
    np.testing.assert_array_equal(ran[2], want)
    rounded = (
        q.astype("float32").view("uint32") + 0x7FFF + (q.astype("float32").view("uint32") >> 16 & 1)
    ) >> 16
    total_bits = ((rounded.astype("uint32") << 16).view("float32") + np.float32(1)).view("uint32")
    np.testing.assert_array_equal(ran[3], (total_bits + 0x7FFF + (total_bits >> 16 & 1)) >> 16)
