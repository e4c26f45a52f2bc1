"""Votes, shuffles, matches, reductions, atomics and barriers against NumPy."""

# Kernels and tables of results read better on long lines.
# ruff: noqa: E501

import numpy as np
import pytest
from running import normal, run, zeros

WARP = r"""
__global__ void warp(const int* x, int* y) {
  int lane = threadIdx.x, v = x[lane], *out = y + lane * 32;
  const unsigned all = 0xffffffffu;
  out[0] = __shfl_sync(all, v, 5);            out[1] = __shfl_sync(all, v, lane + 3, 8);
  out[2] = __shfl_up_sync(all, v, 3);         out[3] = __shfl_up_sync(all, v, 2, 4);
  out[4] = __shfl_down_sync(all, v, 7);       out[5] = __shfl_down_sync(all, v, 1, 2);
  out[6] = __shfl_xor_sync(all, v, 9);        out[7] = __shfl_xor_sync(all, v, 3, 4);
  out[8] = (int)__ballot_sync(all, v > 0);    out[9] = __any_sync(all, lane == 3);
  out[10] = __all_sync(all, lane < 32);       out[11] = __all_sync(all, lane < 31);
  out[12] = __reduce_add_sync(all, v);        out[13] = __reduce_max_sync(all, v);
  out[14] = (int)__reduce_min_sync(all, (unsigned)v);
  out[15] = (int)__match_any_sync(all, v % 3);
  int same; __match_all_sync(all, lane / 32, &same); out[16] = same;
  double d = __shfl_down_sync(all, v + 0.5, 1); out[17] = (int)d;
  if (lane % 2) { out[18] = (int)__activemask(); out[19] = __shfl_sync(0xaaaaaaaau, v, 1); }
  else { out[18] = (int)__activemask(); out[19] = __shfl_sync(0x55555555u, v, 0); }
  out[20] = __syncthreads_count(v > 0); out[21] = __syncthreads_and(v > -1000); out[22] = __syncthreads_or(v > 1000);
  __syncwarp();
  out[23] = __popc(v); out[24] = __clz(v); out[25] = __ffs(v); out[26] = (int)__brev(v);
}
"""


def _shifted(v: np.ndarray, by: int, width: int) -> np.ndarray:
    lane = np.arange(32)
    source = lane + by
    return np.where(
        (source >= lane // width * width) & (source < (lane // width + 1) * width),
        v[source % 32],
        v,
    )


def test_warp_functions() -> None:
    v = np.random.default_rng(3).integers(-50, 50, 32).astype("int32")
    y = run(WARP, "warp", v, zeros(32, 32, dtype="int32"), grid=(1, 1, 1))[1]
    lane = np.arange(32)
    ballot = np.int32(np.uint32(sum(1 << i for i in range(32) if v[i] > 0)))
    expected = {
        0: np.full(32, v[5]), 1: v[lane // 8 * 8 + (lane + 3) % 8], 2: _shifted(v, -3, 32), 3: _shifted(v, -2, 4),
        4: _shifted(v, 7, 32), 5: _shifted(v, 1, 2), 6: v[lane ^ 9], 7: v[lane ^ 3], 8: np.full(32, ballot),
        9: np.ones(32), 10: np.ones(32), 11: np.zeros(32), 12: np.full(32, v.sum()), 13: np.full(32, v.max()),
        14: np.full(32, v.view("uint32").min().view("int32")), 16: np.ones(32), 19: np.where(lane % 2, v[1], v[0]),
        18: np.where(lane % 2, np.int32(np.uint32(0xAAAAAAAA)), 0x55555555),
        20: np.full(32, (v > 0).sum()), 21: np.ones(32), 22: np.zeros(32),
        23: [bin(u).count("1") for u in v.view("uint32").tolist()],
        24: [32 - u.bit_length() for u in v.view("uint32").tolist()],
        25: [(u & -u).bit_length() for u in v.view("uint32").tolist()],
    }  # fmt: skip
    remainder = np.fmod(v, 3)
    expected[15] = [
        np.int32(np.uint32(sum(1 << j for j in range(32) if remainder[j] == r))) for r in remainder
    ]
    for column, want in expected.items():
        np.testing.assert_array_equal(y[:, column], want, err_msg=f"column {column}")


def test_hip_waves_of_64_and_32_lanes() -> None:
    text = """
    #include <hip/hip_runtime.h>
    __global__ void k(const float* x, float* y) {
      float v = x[threadIdx.x];
      for (int o = warpSize / 2; o > 0; o /= 2) v += __shfl_xor(v, o);
      y[threadIdx.x] = v;
      int n = __popcll(__ballot(1));
      if (threadIdx.x == 0) { y[128] = warpSize; y[129] = n; }
    }"""
    x = np.arange(128, dtype="float32")
    for arch, width in (("gfx90a", 64), ("gfx1100", 32)):
        y = run(text, "k", x, zeros(130), platform="hip", arch=arch, grid=(1, 1, 1), block=128)[1]
        np.testing.assert_array_equal(y[:128], np.repeat(x.reshape(-1, width).sum(1), width))
        assert y[128:].tolist() == [width, width]


ATOMICS = r"""
__global__ void k(int* i, float* f, unsigned* u, double* d) {
  atomicAdd(i, 1); atomicSub(i + 1, 2); atomicMax(i + 2, (int)threadIdx.x); atomicMin(i + 3, (int)threadIdx.x - 5);
  atomicExch(i + 4, 7); atomicCAS(i + 5, 0, 9); atomicAnd(i + 6, ~(1 << (threadIdx.x % 4))); atomicOr(i + 7, 1 << (threadIdx.x % 5));
  atomicXor(i + 8, (int)threadIdx.x); atomicAdd(f, 0.5f); atomicAdd_block(f + 1, 2.0f); atomicInc(u, 9u); atomicDec(u + 1, 9u);
  atomicAdd(d, 0.25);
  float old = f[2], assumed;                                     // the loop that people write
  do { assumed = old; old = __int_as_float(atomicCAS((int*)(f + 2), __float_as_int(assumed), __float_as_int(assumed * 1.5f)));
  } while (__float_as_int(assumed) != __float_as_int(old));
}
"""


def test_atomics() -> None:
    i = np.array([0, 0, -1, 100, 0, 0, 15, 0, 0], "int32")
    f, u = np.array([0, 0, 1], "float32"), np.array([0, 3], "uint32")
    ran = run(ATOMICS, "k", i, f, u, zeros(1, dtype="float64"), grid=(1, 1, 1), block=24)
    xor = np.bitwise_xor.reduce(np.arange(24))
    assert ran[0].tolist() == [24, -48, 23, -5, 7, 9, 0, 31, xor]
    np.testing.assert_allclose(ran[1], [12, 48, 1.5**24], rtol=1e-6)
    assert ran[2].tolist() == [24 % 10, (3 - 24) % 10]
    assert ran[3].tolist() == [6.0]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("s[threadIdx.x] = x[threadIdx.x]; y[threadIdx.x] = s[31 - threadIdx.x];", "race"),
        ("if (threadIdx.x < 16) __syncthreads();\nelse __syncthreads();", "divergent_barrier"),
        ("y[threadIdx.x] = x[threadIdx.x + 1];", "oob_read"),
        ("y[threadIdx.x] = __shfl_sync(0xffffu, x[threadIdx.x], 0);", "divergent_collective"),
        (
            "y[threadIdx.x] = __shfl_sync(0xffffffffu, x[threadIdx.x], 0, 7);",
            "divergent_collective",
        ),
        ("*(double*)(y + threadIdx.x % 4 + 1) = 0;", "misaligned"),
        ("assert(x[threadIdx.x] > 1000.0f);", "assert"),
        ("if (threadIdx.x == 3) __trap();", "abort"),
    ],
)
def test_faults_are_found(body: str, kind: str) -> None:
    text = (
        f"__global__ void k(const float* x, float* y) {{ __shared__ float s[32]; (void)s; {body} }}"
    )
    found = run(text, "k", normal(32), zeros(32), grid=(1, 1, 1))
    assert kind in found.errors, [str(f) for f in found.findings]
    assert all(f.line in (1, 2) for f in found.findings if f.kind == kind)
