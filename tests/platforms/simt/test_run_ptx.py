"""Inline PTX: arithmetic, bits, predicates, memory, asynchronous copies, barriers, what is refused."""

# Kernels and tables of results read better on long lines.
# ruff: noqa: E501

import numpy as np
from running import normal, run, zeros

INTEGERS = r"""
__global__ void k(const int* x, int* y) {
  int a = x[threadIdx.x], b = x[(threadIdx.x + 1) % 32], r, *o = y + threadIdx.x * 32;
  unsigned u = a, w; long long l; short h;
  asm("add.s32 %0, %1, %2;" : "=r"(o[0]) : "r"(a), "r"(b));
  asm("{ .reg .s32 t; mul.lo.s32 t, %1, %2; mad.lo.s32 %0, t, 3, %2; }" : "=r"(o[1]) : "r"(a), "r"(b));
  asm("mul.hi.s32 %0, %1, %2;" : "=r"(o[2]) : "r"(a), "r"(b));
  asm("mul.wide.s32 %0, %1, %2;" : "=l"(l) : "r"(a), "r"(b)); o[3] = (int)(l >> 16);
  asm("shr.s32 %0, %1, 3;" : "=r"(o[4]) : "r"(a)); asm("shr.u32 %0, %1, 3;" : "=r"(o[5]) : "r"(a));
  asm("lop3.b32 %0, %1, %2, %3, 0x96;" : "=r"(o[6]) : "r"(a), "r"(b), "r"(7));
  asm("prmt.b32 %0, %1, %2, 0x7531;" : "=r"(o[7]) : "r"(a), "r"(b));
  asm("bfe.s32 %0, %1, 4, 8;" : "=r"(o[8]) : "r"(a)); asm("bfe.u32 %0, %1, %2, %3;" : "=r"(o[9]) : "r"(a), "r"(4), "r"(8));
  asm("bfi.b32 %0, %1, %2, 8, 4;" : "=r"(o[10]) : "r"(a), "r"(b));
  asm("{ .reg .pred p; setp.lt.s32 p, %1, %2; @p mov.s32 %0, 1; @!p mov.s32 %0, 2; }" : "=r"(o[11]) : "r"(a), "r"(b));
  asm("{ .reg .pred p, q; setp.gt.and.s32 p|q, %1, 0, 1; selp.s32 %0, %1, %2, p; }" : "=r"(o[12]) : "r"(a), "r"(b));
  asm("mov.u32 %0, %%laneid;" : "=r"(o[13])); asm("mov.u32 %0, %tid.x;" : "=r"(r)); o[14] = r;
  asm("mov.b64 %0, {%1, %2};" : "=l"(l) : "r"(a), "r"(b)); o[15] = (int)(l >> 32);
  asm("mov.b32 {%0, _}, %1;" : "=h"(h) : "r"(a)); o[16] = h;
  asm("popc.b32 %0, %1;" : "=r"(o[17]) : "r"(a)); asm("clz.b32 %0, %1;" : "=r"(o[18]) : "r"(a));
  asm("shf.l.wrap.b32 %0, %1, %2, 5;" : "=r"(o[19]) : "r"(a), "r"(b)); asm("min.s32 %0, %1, %2;" : "=r"(o[20]) : "r"(a), "r"(b));
  asm("shfl.sync.bfly.b32 %0, %1, 1, 0x1f, 0xffffffff;" : "=r"(o[21]) : "r"(a));
  asm("shfl.sync.up.b32 %0, %1, 1, 0x0, 0xffffffff;" : "=r"(o[22]) : "r"(a));
  asm("{ .reg .pred p; setp.gt.s32 p, %1, 0; vote.sync.ballot.b32 %0, p, 0xffffffff; }" : "=r"(w) : "r"(a)); o[23] = w;
  asm("{ .reg .s32 i; mov.s32 i, 0; mov.s32 %0, 0; L: add.s32 %0, %0, i; add.s32 i, i, 1; { .reg .pred p; setp.le.s32 p, i, 4; @p bra L; } }" : "=r"(o[24]));
  asm("redux.sync.add.s32 %0, %1, 0xffffffff;" : "=r"(o[25]) : "r"(a)); asm("not.b32 %0, %1;" : "=r"(o[26]) : "r"(a));
  asm("cvt.sat.s8.s32 %0, %1;" : "=r"(o[27]) : "r"(a)); asm("add.s32 %[out], %[in], 1;" : [out] "=r"(o[28]) : [in] "r"(a));
  r = a; asm volatile("add.s32 %0, %0, %1;" : "+r"(r) : "r"(b)); o[29] = r; asm volatile("" ::: "memory");
  asm("div.s32 %0, %1, 7;" : "=r"(o[30]) : "r"(a)); asm("rem.s32 %0, %1, 7;" : "=r"(o[31]) : "r"(a)); (void)u;
}
"""


def test_integer_instructions() -> None:
    a = np.random.default_rng(0).integers(-(2**31), 2**31, 32).astype("int32")
    y = run(INTEGERS, "k", a, zeros(32, 32, dtype="int32"), grid=(1, 1, 1))[1]
    b, la = np.roll(a, -1), a.astype("int64")
    lb, ua = b.astype("int64"), a.view("uint32").astype("uint64")
    ub = b.view("uint32").astype("uint64")
    cut = lambda v: np.asarray(v).astype("int64").astype("uint64").astype("uint32").view("int32")  # noqa: E731
    lane = np.arange(32)
    want = {
        0: cut(la + lb), 1: cut(la * lb % 2**32 * 3 + lb), 2: cut(la * lb >> 32), 3: cut(la * lb >> 16),
        4: a >> 3, 5: cut(ua >> np.uint64(3)), 6: a ^ b ^ 7,
        7: cut((ua >> np.uint64(8) & np.uint64(255)) | (ua >> np.uint64(24)) << np.uint64(8)
               | (ub >> np.uint64(8) & np.uint64(255)) << np.uint64(16) | (ub >> np.uint64(24)) << np.uint64(24)),
        8: (a >> 4).astype("int8").astype("int32"), 9: a >> 4 & 255, 10: (b & ~0xF00) | ((a & 15) << 8),
        11: np.where(a < b, 1, 2), 12: np.where(a > 0, a, b), 13: lane, 14: lane, 15: b, 16: a.astype("int16"),
        17: [bin(int(u)).count("1") for u in ua], 18: [32 - int(u).bit_length() for u in ua],
        19: cut((ub << np.uint64(5) | ua >> np.uint64(27)) & np.uint64(2**32 - 1)), 20: np.minimum(a, b),
        21: a[lane ^ 1], 22: a[np.maximum(lane - 1, 0)],
        23: np.full(32, cut(sum(1 << i for i in range(32) if a[i] > 0))), 24: np.full(32, 10),
        25: np.full(32, cut(la.sum())), 26: ~a, 27: np.clip(a, -128, 127), 28: cut(la + 1), 29: cut(la + lb),
        30: np.trunc(la / 7).astype("int32"), 31: np.fmod(a, 7),
    }  # fmt: skip
    for column, expected in want.items():
        np.testing.assert_array_equal(y[:, column], expected, err_msg=f"column {column}")


FLOATS = r"""
__global__ void k(const float* x, float* y) {
  float a = x[threadIdx.x], b = x[32 + threadIdx.x], *o = y + threadIdx.x * 16; unsigned p, q; unsigned short h; double d;
  asm("fma.rn.f32 %0, %1, %2, 0f3F800000;" : "=f"(o[0]) : "f"(a), "f"(b));
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(o[1]) : "f"(a)); asm("lg2.approx.f32 %0, %1;" : "=f"(o[2]) : "f"(b * b + 1));
  asm("rcp.approx.f32 %0, %1;" : "=f"(o[3]) : "f"(b)); asm("max.f32 %0, %1, %2;" : "=f"(o[4]) : "f"(a), "f"(b));
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(p) : "f"(a), "f"(b)); asm("mul.f16x2 %0, %1, %1;" : "=r"(q) : "r"(p));
  asm("{ .reg .f16 lo, hi; mov.b32 {lo, hi}, %2; cvt.f32.f16 %0, lo; cvt.f32.f16 %1, hi; }" : "=f"(o[5]), "=f"(o[6]) : "r"(q));
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(p) : "f"(a)); o[7] = __uint_as_float(p);
  asm("cvt.rzi.s32.f32 %0, %1;" : "=r"(p) : "f"(a * 10)); o[8] = (int)p;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(h) : "f"(a)); o[9] = __uint_as_float((unsigned)h << 16);
  asm("cvt.f64.f32 %0, %1;" : "=d"(d) : "f"(a)); asm("mul.f64 %0, %0, 0d4000000000000000;" : "+d"(d)); o[10] = d;
  asm("tanh.approx.f32 %0, %1;" : "=f"(o[11]) : "f"(a)); asm("add.sat.f32 %0, %1, %2;" : "=f"(o[12]) : "f"(a), "f"(b));
  asm("mul.f32 %0, %1, 2.5;" : "=f"(o[13]) : "f"(a)); asm("neg.f32 %0, %1;" : "=f"(o[14]) : "f"(a)); asm("abs.f32 %0, %1;" : "=f"(o[15]) : "f"(a));
}
"""


def test_floating_instructions() -> None:
    x = normal(2, 32)
    a, b = x
    y = run(FLOATS, "k", x, zeros(32, 16), grid=(1, 1, 1))[1]
    high, low = a.astype("float16"), b.astype("float16")
    tf32 = ((a.view("uint32") + 0x1000) & 0xFFFFE000).view("float32")
    bf16 = ((a.view("uint32") + 0x7FFF + (a.view("uint32") >> 16 & 1)) & 0xFFFF0000).view("float32")
    exact = {3: 1 / b, 4: np.maximum(a, b), 5: low * low, 6: high * high, 7: tf32, 8: np.trunc(a * 10), 9: bf16,
             10: 2 * a, 12: np.clip(a + b, 0, 1), 13: a * np.float32(2.5), 14: -a, 15: np.abs(a)}  # fmt: skip
    for column, expected in exact.items():
        np.testing.assert_array_equal(y[:, column], expected, err_msg=f"column {column}")
    for column, expected in {
        0: a * b + 1,
        1: np.exp2(a),
        2: np.log2(b * b + 1),
        11: np.tanh(a),
    }.items():
        np.testing.assert_allclose(
            y[:, column], expected, rtol=1e-5, atol=1e-6, err_msg=f"column {column}"
        )


MEMORY = r"""
__global__ void k(const float* x, float* y, int wait) {
  __shared__ __align__(16) float s[64]; __shared__ int count; int t = threadIdx.x;
  if (t == 0) count = 0;
  unsigned at = (unsigned)__cvta_generic_to_shared(s + t % 16 * 4);
  if (t < 16) asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" :: "r"(at), "l"(x + t * 4));
  asm volatile("cp.async.commit_group;");
  if (wait) asm volatile("cp.async.wait_group %0;" :: "n"(0));
  asm volatile("bar.sync 0;");
  float4 v; asm volatile("ld.shared.v4.f32 {%0, %1, %2, %3}, [%4 + 16];" : "=f"(v.x), "=f"(v.y), "=f"(v.z), "=f"(v.w)
                         : "r"((unsigned)__cvta_generic_to_shared(s + t % 8 * 4)));
  float g; asm volatile("ld.global.nc.f32 %0, [%1];" : "=f"(g) : "l"(x + t));
  asm volatile("st.global.v2.f32 [%0], {%1, %2};" :: "l"(y + t * 4), "f"(v.x), "f"(v.w));
  asm volatile("st.global.f32 [%0 + 8], %1;" :: "l"(y + t * 4), "f"(g));
  int old; asm volatile("atom.shared.add.u32 %0, [%1], 2;" : "=r"(old) : "r"((unsigned)__cvta_generic_to_shared(&count)));
  asm volatile("red.global.add.f32 [%0], %1;" :: "l"(y + 128), "f"(1.0f));
  __syncthreads(); if (t == 0) y[129] = count; y[t * 4 + 3] = old % 2;
}
"""


def test_memory_instructions() -> None:
    x = normal(64)
    y = run(MEMORY, "k", x, zeros(130), 1, grid=(1, 1, 1))[1]
    t = np.arange(32)
    parts = y[:128].reshape(32, 4)
    np.testing.assert_array_equal(parts[:, 0], x[t % 8 * 4 + 4])
    np.testing.assert_array_equal(parts[:, 1], x[t % 8 * 4 + 7])
    np.testing.assert_array_equal(parts[:, 2], x[:32])
    assert y[128:].tolist() == [32, 64]


def test_a_copy_that_is_not_waited_for_is_found() -> None:
    assert "missing_wait" in run(MEMORY, "k", normal(64), zeros(130), 0, grid=(1, 1, 1)).errors


def test_bounds_and_alignment_of_inline_accesses() -> None:
    text = '__global__ void k(float* y, int at) { asm volatile("st.global.v2.f32 [%0], {%1, %1};" :: "l"(y + at), "f"(1.0f)); }'
    for at, kinds in {0: [], 1: ["misaligned"], 4: ["oob_write"]}.items():
        assert run(text, "k", zeros(4), at, grid=(1, 1, 1), block=1).errors == kinds


def test_an_unknown_instruction_is_named() -> None:
    text = '__global__ void k(float* y) { asm volatile("wgmma.fence.sync.aligned;"); y[0] = 1; }'
    ran = run(text, "k", zeros(1), grid=(1, 1, 1), block=1)
    assert ran.errors == ["unsupported"]
    assert "wgmma.fence.sync.aligned" in ran.findings[0].message
