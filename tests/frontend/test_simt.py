"""Collectives, groups, matrices, half types, inline PTX and AMD's built-in functions."""

from __future__ import annotations

from front_texts import body, function, lines, program, result

from xpiler.ir.text import show_body


def test_shuffles_votes_and_barriers() -> None:
    text = """
        int lane = threadIdx.x & 31;
        float v = a[lane];
        v += __shfl_down_sync(0xffffffff, v, 16);
        unsigned m = __ballot_sync(0xffffffffu, v > 0.0f);
        if (__any_sync(0xffffffff, lane == n)) a[0] = __popc(m);
        __syncwarp();
        if (__syncthreads_count(n) > 2) a[1] = 1.0f;
        __syncthreads();
    """
    assert body(text) == lines("""
        lane: i32 = i32((thread.x & 31))
        v: f32 = a[lane]
        shfl_down: f32
        shfl_down <- warp.shfl_down(0xffffffff, v, 16, 32)
        v += shfl_down
        m: u32
        m <- warp.ballot(0xffffffffu, i32((v > 0.0f)))
        any: i32
        any <- warp.any(0xffffffff, i32((lane == n)))
        if (any != 0)
          a[0] = f32(popcount(m))
        barrier warp
        count: i32
        count <- block.count(n)
        if (count > 2)
          a[1] = 1.0f
        barrier block
    """)


def test_waves_of_64() -> None:
    text = body("float v = __shfl_xor(a[n], 32); a[0] = v; a[1] = warpSize;", on="hip")
    assert "v <- warp.shfl_xor(18446744073709551615, a[n], 32, 64)" in text


def test_cooperative_groups() -> None:
    text = """
        #include <cooperative_groups.h>
        #include <cooperative_groups/reduce.h>
        namespace cg = cooperative_groups;
        __device__ float sum(cg::thread_block_tile<32> w, float v) {
          return cg::reduce(w, v, cg::plus<float>());
        }
        __global__ void k(float* a) {
          cg::thread_block b = cg::this_thread_block();
          auto w = cg::tiled_partition<32>(b);
          auto quad = cg::tiled_partition<4>(b);
          float v = w.shfl_down(a[b.thread_rank()], 1) + quad.shfl(a[0], 2);
          b.sync();
          if (w.thread_rank() == 0) a[0] = sum(w, v);
          cg::this_grid().sync();
        }
    """
    got = function(text, "k")
    assert "warp.shfl_down(4294967295, a[" in got
    assert "warp.shfl(4294967295, a[0], 2, 4)" in got
    assert "barrier block" in got
    assert "barrier grid" in got
    assert "if ((lane % 32) == 0)" in got
    assert "warp.reduce_add(4294967295, v)" in function(text, "sum")
    assert "sum(v: f32)" in function(text, "sum")


def test_a_fragment_of_a_text_needs_no_include() -> None:
    text = """__global__ void k(float* C) {
        wmma::fragment<wmma::accumulator, 16, 16, 16, float> c;
        wmma::fill_fragment(c, 0.0f);
        wmma::store_matrix_sync(C, c, 16, wmma::mem_row_major);
    }"""
    assert "mat.fill(0.0f)" in function(text, "k")


def test_wmma() -> None:
    text = """
        #include <mma.h>
        using namespace nvcuda;
        __global__ void k(const half* A, const half* B, float* C) {
          wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> a;
          wmma::fragment<wmma::matrix_b, 16, 16, 16, half, wmma::col_major> b;
          wmma::fragment<wmma::accumulator, 16, 16, 16, float> c;
          wmma::fill_fragment(c, 0.0f);
          wmma::load_matrix_sync(a, A, 16);
          wmma::load_matrix_sync(b, B, 16);
          wmma::mma_sync(c, a, b, c);
          for (int i = 0; i < c.num_elements; i++) c.x[i] *= 2.0f;
          wmma::store_matrix_sync(C, c, 16, wmma::mem_row_major);
        }
    """
    assert function(text, "k") == lines("""
        kernel k(A: const f16*, B: const f16*, C: f32*) -> void
          a: fragment<a,16,16,16,f16,row>
          b: fragment<b,16,16,16,f16,col>
          c: fragment<acc,16,16,16,f32>
          c <- mat.fill(0.0f)
          a <- mat.load(A, 16) layout=row
          b <- mat.load(B, 16) layout=col
          c <- mat.mma(a, b, c)
          for i: i32 in [0, 8)
            c.x[i] *= 2.0f
          mat.store(C, c, 16) layout=row
    """)


def test_half_pairs_go_lane_by_lane() -> None:
    text = """
        half2 u = __hmul2(((half2*)h)[n], __float2half2_rn(2.0f));
        float2 f = __half22float2(u);
        h[0] = __hadd(u.x, __float2half(f.y));
        h[1] = hexp(h[2]) + (half)1.0f;
    """
    assert "f: f32x2 = f32x2{f32(u.x), f32(u.y)}" in body(text, "half* h, int n")
    assert "h[0] = (u.x + f16(f.y))" in body(text, "half* h, int n")


def test_reinterpreted_vectors() -> None:
    text = "float4 v = reinterpret_cast<float4*>(a)[n]; v.x += v.w; ((float4*)a)[0] = v;"
    assert body(text) == lines("""
        v: f32x4 = f32x4*(a)[n]
        v.x += v.w
        f32x4*(a)[0] = v
    """)


def test_inline_ptx() -> None:
    text = """
        unsigned d, lane;
        asm volatile("mov.u32 %0, %%laneid;" : "=r"(lane));
        asm("{ .reg .u32 t; add.u32 t, %1, 2;\\n\\t mul.lo.u32 %0, t, %2; }"
            : "=r"(d) : "r"(n), "r"(lane));
        float e;
        asm("ex2.approx.f32 %0, %1;" : "=f"(e) : "f"(a[0]));
        a[1] = e + d;
    """
    assert body(text) == lines("""
        d: u32
        lane: u32
        lane = lane
        t: u32
        t = (u32(n) + 2)
        d = (t * lane)
        e: f32
        e = fast.exp2(a[0])
        a[1] = (e + f32(d))
    """)


def test_asynchronous_copies_and_matrix_instructions() -> None:
    text = """
        __device__ void copy16(unsigned to, const void* from) {
          asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" :: "r"(to), "l"(from));
        }
        __global__ void k(const half* g, unsigned* out) {
          __shared__ half s[256];
          unsigned at = (unsigned)__cvta_generic_to_shared(&s[8 * threadIdx.x]);
          copy16(at + 32, g);
          asm volatile("cp.async.commit_group;\\ncp.async.wait_group 0;");
          unsigned r[2];
          asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];"
                       : "=r"(r[0]), "=r"(r[1]) : "r"(at));
          out[0] = r[0] + r[1];
        }
    """
    got = function(text, "k")
    assert "async.copy((i8*(&s[(8 * thread.x)]) + 32), i8*(g), 16)" in got
    assert "  async.commit()\n  async.wait(0)\n" in got
    assert "r[0], r[1] <- ldmatrix.x2.trans(u16*(&s[(8 * thread.x)]))" in got
    assert "at:" not in got


def test_unknown_assembly_is_left_out_with_a_remark() -> None:
    found = result('__global__ void k(int* a) { asm("wgmma.fence;"); a[0] = 1; }')
    assert [d.code for d in found.diagnostics] == ["XP0208"]
    assert "a[0] = 1" in str(found.program.functions[0].body) or found.program.functions[0].body


def test_a_call_that_a_group_has_not_is_not_the_group() -> None:
    found = result("""
        #include <cooperative_groups.h>
        namespace cg = cooperative_groups;
        __global__ void k(int* a) {
          auto warp = cg::tiled_partition<32>(cg::this_thread_block());
          for (int i = warp.rank_of_thread(); i < 64; i += warp.size()) a[i] = 1;
        }
    """)
    assert "XP0207" in {d.code for d in found.diagnostics}
    assert "for i:" not in show_body(found.program.function("k").body)


def test_matrix_cores() -> None:
    text = """
        typedef float f4 __attribute__((ext_vector_type(4)));
        __global__ void k(const float* a, float* c) {
          f4 acc = {0, 0, 0, 0};
          acc = __builtin_amdgcn_mfma_f32_16x16x4f32(a[threadIdx.x], a[0], acc, 0, 0, 0);
          int lane = __builtin_amdgcn_mbcnt_hi(~0u, __builtin_amdgcn_mbcnt_lo(~0u, 0u));
          c[lane] = acc[1] + acc.w;
        }
    """
    got = function(text, "k", "hip")
    assert "acc <- mfma.f32_16x16x4f32(a[thread.x], a[0], acc)" in got
    assert "acc[1] + acc.w" in got


def test_constant_and_device_memory() -> None:
    found = program("""
        __constant__ float coef[3] = {1.0f, 2.0f};
        __device__ int counter = 4;
        __global__ void k(float* a) {
          extern __shared__ float buf[];
          buf[0] = coef[1];
          a[counter] = buf[0];
        }
    """)
    spaces = {g.var.name: (g.space, g.const) for g in found.globals}
    assert spaces == {"coef": ("constant", True), "counter": ("global", False)}
