"""Cooperative groups, pipeline primitives, AMD's cross-lane moves, mathematical functions."""

# Kernels and tables of results read better on long lines.
# ruff: noqa: E501

import math

import numpy as np
from running import normal, run, zeros

GROUPS = r"""
#include <cooperative_groups.h>
#include <cooperative_groups/reduce.h>
#include <cooperative_groups/scan.h>
#include <cooperative_groups/memcpy_async.h>
namespace cg = cooperative_groups;
__device__ float any_group(cg::thread_group g, float v, float* s) {
  int rank = g.thread_rank();
  for (int i = g.size() / 2; i > 0; i /= 2) { s[rank] = v; g.sync(); if (rank < i) v += s[rank + i]; g.sync(); }
  return v;
}
__global__ void k(const float* x, float* y, int n) {
  auto block = cg::this_thread_block();
  auto tile = cg::tiled_partition<32>(block);
  cg::thread_block_tile<8> small = cg::tiled_partition<8>(tile);
  __shared__ float s[128], copied[64];
  cg::memcpy_async(block, copied, x, sizeof copied);
  float v = 0;
  for (int i = block.thread_rank(); i < n; i += block.size()) v += x[i];
  float total = cg::reduce(tile, v, cg::plus<float>());
  float best = cg::reduce(small, (float)threadIdx.x, cg::greater<float>());
  int scan = cg::inclusive_scan(tile, 1), before = cg::exclusive_scan(tile, 1);
  float all = any_group(block, v, s), part = any_group(cg::tiled_partition(block, 4), 1.0f, s + threadIdx.x / 4 * 4);
  cg::wait(block);
  float* o = y + threadIdx.x * 12;
  o[0] = total; o[1] = best; o[2] = scan; o[3] = before; o[4] = block.thread_rank() == 0 ? all : 0;
  o[5] = small.thread_rank() == 0 && threadIdx.x % 4 == 0 ? part : 0; o[6] = copied[threadIdx.x % 64];
  o[7] = tile.meta_group_rank(); o[8] = small.shfl_down((float)threadIdx.x, 3); o[9] = (float)small.ballot(threadIdx.x % 2);
  o[10] = o[11] = -1;
  if (threadIdx.x % 3 == 0) {
    auto g = cg::coalesced_threads();
    int leader = g.shfl((int)threadIdx.x, 0);
    o[10] = g.thread_rank(); o[11] = g.size() * 1000 + leader;
  }
}
__global__ void whole(float* y) {
  auto g = cg::this_grid();
  y[g.thread_rank()] = g.thread_rank();
  g.sync();
  y[64 + g.thread_rank()] = y[63 - g.thread_rank()];
}
extern "C" void cooperative(float* y) {
  void* args[] = {&y};
  cudaLaunchCooperativeKernel((void*)whole, dim3(2), dim3(32), args, 0, 0);
}
"""


def test_groups() -> None:
    x = normal(200)
    y = run(GROUPS, "k", x, zeros(128, 12), 200, grid=(1, 1, 1), block=128)[1]
    t = np.arange(128)
    own = np.array([x[i::128].sum() for i in range(128)])
    np.testing.assert_allclose(y[:, 0], own.reshape(4, 32).sum(1)[t // 32], rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(y[:, 1], t // 8 * 8 + 7)
    np.testing.assert_array_equal(y[:, 2], t % 32 + 1)
    np.testing.assert_array_equal(y[:, 3], t % 32)
    np.testing.assert_allclose(y[0, 4], x.sum(), rtol=1e-4)
    np.testing.assert_array_equal(y[::8, 5], 4)
    np.testing.assert_array_equal(y[:, 6], x[t % 64])
    np.testing.assert_array_equal(y[:, 7], t // 32)
    np.testing.assert_array_equal(y[:, 8], np.where(t % 8 < 5, t + 3, t))
    np.testing.assert_array_equal(y[:, 9], 0xAA)
    third = t % 3 == 0
    ranks = [sum(1 for j in range(i // 32 * 32, i) if j % 3 == 0) for i in t[third]]
    np.testing.assert_array_equal(y[third, 10], ranks)
    members = [[j for j in range(i // 32 * 32, i // 32 * 32 + 32) if j % 3 == 0] for i in t[third]]
    np.testing.assert_array_equal(y[third, 11], [len(m) * 1000 + m[0] for m in members])


def test_grid_group() -> None:
    y = run(GROUPS, "cooperative", zeros(128))[0]
    np.testing.assert_array_equal(y[64:], np.arange(63, -1, -1))


PIPELINE = r"""
__global__ void k(const float* x, float* y) {
  __shared__ float s[2][32];
  __pipeline_memcpy_async(&s[0][threadIdx.x], x + threadIdx.x, 4); __pipeline_commit();
  for (int i = 0; i < 4; ++i) {
    if (i < 3) __pipeline_memcpy_async(&s[(i + 1) % 2][threadIdx.x], x + 32 * (i + 1) + threadIdx.x, 4);
    __pipeline_commit(); __pipeline_wait_prior(1); __syncthreads();
    y[i * 32 + threadIdx.x] = s[i % 2][31 - threadIdx.x];
    __syncthreads();
  }
}
"""


def test_double_buffering_with_pipeline_primitives() -> None:
    x = normal(4, 32)
    np.testing.assert_array_equal(
        run(PIPELINE, "k", x, zeros(4, 32), grid=(1, 1, 1))[1], x[:, ::-1]
    )


LANES = r"""
#include <hip/hip_runtime.h>
__global__ void k(const int* x, int* y) {
  int v = x[threadIdx.x], lane = threadIdx.x, *o = y + lane * 16;
  o[0] = __builtin_amdgcn_readfirstlane(v); o[1] = __builtin_amdgcn_ds_bpermute((lane ^ 5) * 4, v);
  o[2] = __builtin_amdgcn_mov_dpp(v, 0x111, 0xf, 0xf, true);             // row_shr:1
  o[3] = __builtin_amdgcn_update_dpp(-1, v, 0x102, 0xf, 0xf, false);     // row_shl:2
  o[4] = __builtin_amdgcn_mov_dpp(v, 0xb1, 0xf, 0xf, true);              // quad_perm:[1,0,3,2]
  o[5] = __builtin_amdgcn_update_dpp(-1, v, 0x142, 0xa, 0xf, false);     // row_bcast:15 into rows 1 and 3
  o[6] = __builtin_amdgcn_mov_dpp(v, 0x140, 0xf, 0xf, true);             // row_mirror
  o[7] = __builtin_amdgcn_ds_swizzle(v, 0x041f);                         // xor 1
  o[8] = __builtin_amdgcn_mbcnt_hi(~0u, __builtin_amdgcn_mbcnt_lo(~0u, 0)); o[9] = __builtin_amdgcn_readlane(v, 7);
  o[10] = __builtin_amdgcn_ds_permute((63 - lane) * 4, v); o[11] = __lane_id(); o[12] = hipThreadIdx_x + __builtin_amdgcn_workitem_id_x();
  __builtin_amdgcn_s_barrier(); o[13] = __shfl(v, 40); o[14] = __any(v == x[3]); o[15] = __builtin_amdgcn_perm(v, x[0], 0x07060100u);
}
"""


def test_cross_lane_moves() -> None:
    v = np.random.default_rng(1).integers(0, 1 << 30, 64).astype("int32")
    y = run(LANES, "k", v, zeros(64, 16, dtype="int32"), platform="hip", grid=(1, 1, 1), block=64)[
        1
    ]
    i = np.arange(64)
    want = {
        0: np.full(64, v[0]), 1: v[i ^ 5], 2: np.where(i % 16, v[i - 1], 0),
        3: np.where(i % 16 < 14, v[(i + 2) % 64], -1), 4: v[i ^ 1], 5: np.where(i // 16 % 2, v[i // 16 * 16 - 1], -1),
        6: v[i // 16 * 16 + 15 - i % 16], 7: v[i ^ 1], 8: i, 9: np.full(64, v[7]), 10: v[63 - i], 11: i, 12: 2 * i,
        13: np.full(64, v[40]), 14: np.ones(64), 15: (v & ~0xFFFF) | (v[0] & 0xFFFF),
    }  # fmt: skip
    for column, expected in want.items():
        np.testing.assert_array_equal(y[:, column], expected, err_msg=f"column {column}")


_FUNCTIONS = {
    "expf(x)": np.exp, "__expf(x)": np.exp, "exp(x)": np.exp, "logf(x * x + 1)": lambda v: np.log(v * v + 1),
    "__log2f(x * x + 1)": lambda v: np.log2(v * v + 1), "rsqrtf(x * x + 1)": lambda v: (v * v + 1) ** -0.5,
    "erff(x)": np.vectorize(math.erf), "tanh(x)": np.tanh, "pow(x * x, 1.5f)": lambda v: np.abs(v) ** 3,
    "__powf(x * x, 2.0f)": lambda v: v**4, "pow(x, 3)": lambda v: v**3, "sinf(x)": np.sin, "__cosf(x)": np.cos,
    "sinpif(x)": lambda v: np.sin(np.pi * v), "normcdff(x)": np.vectorize(lambda v: 0.5 * math.erfc(-v / math.sqrt(2))),
    "erff(erfinvf(tanhf(x)))": np.tanh, "fdividef(x, 3.0f)": lambda v: v / 3, "__fdividef(x, 3.0f)": lambda v: v / 3,
    "__saturatef(x)": lambda v: np.clip(v, 0, 1), "fmaf(x, x, x)": lambda v: v * v + v, "fabs(x)": np.abs,
    "abs(x)": np.abs, "max(x, 0.25f)": lambda v: np.maximum(v, 0.25), "fminf(x, 0.5f)": lambda v: np.minimum(v, 0.5),
    "(float)__float2int_rn(x * 10)": lambda v: np.rint(v * 10), "truncf(x * 3)": lambda v: np.trunc(v * 3),
    "(float)isnan(x / x - 1 + x)": lambda v: v * 0, "copysignf(2.0f, x)": lambda v: np.copysign(2, v),
    "(float)min((long long)3, (long long)threadIdx.x)": lambda v: np.minimum(3, np.arange(v.size)),
    "__int_as_float(__float_as_int(x))": lambda v: v, "exp10f(x)": lambda v: 10**v, "cbrtf(x)": np.cbrt,
    "norm3df(x, 1.0f, 2.0f)": lambda v: np.sqrt(v * v + 5), "log1pf(x * x)": lambda v: np.log1p(v * v),
}  # fmt: skip


def test_mathematical_functions() -> None:
    lines = "\n".join(f"y[{i} * 32 + threadIdx.x] = {e};" for i, e in enumerate(_FUNCTIONS))
    text = (
        f"__global__ void k(const float* xs, float* y) {{ float x = xs[threadIdx.x];\n{lines}\n}}"
    )
    for head in (
        "",
        "#include <cmath>\n",
        "#include <math.h>\n#include <algorithm>\nusing namespace std;\n",
    ):
        x = normal(32)
        y = run(head + text, "k", x, zeros(len(_FUNCTIONS), 32), grid=(1, 1, 1))[1]
        for i, (name, function) in enumerate(_FUNCTIONS.items()):
            np.testing.assert_allclose(
                y[i], function(x.astype("float64")), rtol=2e-5, atol=2e-6, err_msg=name
            )


def test_integer_intrinsics() -> None:
    text = """
    __global__ void k(const unsigned* x, unsigned* y) {
      unsigned a = x[0], b = x[1], i = 0;
      y[i++] = __byte_perm(a, b, 0x6420); y[i++] = __umulhi(a, b); y[i++] = __mul24((int)a, (int)b);
      y[i++] = __sad((int)a, (int)b, 1); y[i++] = __dp4a((int)a, (int)b, 10); y[i++] = __dp4a(a, b, 10u);
      y[i++] = __brev(a); y[i++] = __funnelshift_l(a, b, 9); y[i++] = __vadd4(a, b); y[i++] = __vmaxs2(a, b);
      y[i++] = __usad(a, b, 3); y[i++] = __uhadd(a, b); y[i++] = __ffs((int)a); y[i++] = __popcll(((unsigned long long)a << 32) | b);
    }"""
    a, b = 0x89ABCDEF, 0x12345678
    y = run(
        text, "k", np.array([a, b], "uint32"), zeros(14, dtype="uint32"), grid=(1, 1, 1), block=1
    )[1]
    signed = lambda v, bits: v - (1 << bits) if v >> (bits - 1) else v  # noqa: E731
    byte = lambda v, i: v >> 8 * i & 255  # noqa: E731
    m = 2**32
    want = [
        0x3478ABEF, a * b >> 32, signed(a & 0xFFFFFF, 24) * signed(b & 0xFFFFFF, 24) % m,
        (abs(signed(a, 32) - b) + 1) % m, (10 + sum(signed(byte(a, i), 8) * signed(byte(b, i), 8) for i in range(4))) % m,
        10 + sum(byte(a, i) * byte(b, i) for i in range(4)), int(f"{a:032b}"[::-1], 2), (b << 9 | a >> 23) % m,
        sum((byte(a, i) + byte(b, i)) % 256 << 8 * i for i in range(4)), 0x12345678, a - b + 3, a + b >> 1, 1,
        bin(a).count("1") + bin(b).count("1"),
    ]  # fmt: skip
    assert [hex(v) for v in y.tolist()] == [hex(v) for v in want]
