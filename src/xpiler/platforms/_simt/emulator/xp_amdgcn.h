// AMD's built-in functions: matrix instructions, cross-lane moves, waits.
//
// Register layouts of the matrix instructions are in lib/mfma.cpp, cross-lane moves in lib/amdgcn.cpp.
#ifndef XP_AMDGCN_H
#define XP_AMDGCN_H

namespace xp_simt {
enum MatrixType { type_f32, type_f16, type_bf16, type_i8, type_f64, type_xf32 };
// One V_MFMA instruction: `blocks` independent products of m x k by k x n.
struct Mfma { const char* name; int m, n, k, blocks; MatrixType type; };
void mfma(const Mfma& form, const void* a, const void* b, const void* c, void* d, int cbsz, int abid, int blgp, int line);
int element_bytes(MatrixType type);

template <class A, class C>
inline C run_mfma(const Mfma& form, const A& a, const A& b, const C& c, int cbsz, int abid, int blgp, int line) {
  C d;
  mfma(form, &a, &b, &c, &d, cbsz, abid, blgp, line);
  return d;
}
constexpr int operand_bytes(int rows, int k, int blocks, int element) { return rows * k * blocks * element / 64; }
}  // namespace xp_simt

#define XP_MFMA(result, shape, M, N, K, BLOCKS, TYPE, IN, OUT)                                                        \
  template <class A, class C>                                                                                         \
  inline C __builtin_amdgcn_mfma_##result##_##shape(A a, A b, C c, int cbsz, int abid, int blgp, XP_LINE) {           \
    static_assert(sizeof(A) == xp_simt::operand_bytes(M, K, BLOCKS, IN), "operand of the wrong size");                \
    static_assert(sizeof(C) == xp_simt::operand_bytes(M, N, BLOCKS, OUT), "accumulator of the wrong size");           \
    static const xp_simt::Mfma form = {"mfma_" #result "_" #shape, M, N, K, BLOCKS, xp_simt::TYPE};                   \
    return xp_simt::run_mfma(form, a, b, c, cbsz, abid, blgp, xp_line);                                               \
  }
XP_MFMA(f32, 32x32x1f32, 32, 32, 1, 2, type_f32, 4, 4)
XP_MFMA(f32, 16x16x1f32, 16, 16, 1, 4, type_f32, 4, 4)
XP_MFMA(f32, 4x4x1f32, 4, 4, 1, 16, type_f32, 4, 4)
XP_MFMA(f32, 32x32x2f32, 32, 32, 2, 1, type_f32, 4, 4)
XP_MFMA(f32, 16x16x4f32, 16, 16, 4, 1, type_f32, 4, 4)
XP_MFMA(f32, 32x32x4f16, 32, 32, 4, 2, type_f16, 2, 4)
XP_MFMA(f32, 16x16x4f16, 16, 16, 4, 4, type_f16, 2, 4)
XP_MFMA(f32, 4x4x4f16, 4, 4, 4, 16, type_f16, 2, 4)
XP_MFMA(f32, 32x32x8f16, 32, 32, 8, 1, type_f16, 2, 4)
XP_MFMA(f32, 16x16x16f16, 16, 16, 16, 1, type_f16, 2, 4)
XP_MFMA(f32, 32x32x2bf16, 32, 32, 2, 2, type_bf16, 2, 4)
XP_MFMA(f32, 16x16x2bf16, 16, 16, 2, 4, type_bf16, 2, 4)
XP_MFMA(f32, 4x4x2bf16, 4, 4, 2, 16, type_bf16, 2, 4)
XP_MFMA(f32, 32x32x4bf16, 32, 32, 4, 1, type_bf16, 2, 4)
XP_MFMA(f32, 16x16x8bf16, 16, 16, 8, 1, type_bf16, 2, 4)
XP_MFMA(f32, 32x32x4bf16_1k, 32, 32, 4, 2, type_bf16, 2, 4)
XP_MFMA(f32, 16x16x4bf16_1k, 16, 16, 4, 4, type_bf16, 2, 4)
XP_MFMA(f32, 4x4x4bf16_1k, 4, 4, 4, 16, type_bf16, 2, 4)
XP_MFMA(f32, 32x32x8bf16_1k, 32, 32, 8, 1, type_bf16, 2, 4)
XP_MFMA(f32, 16x16x16bf16_1k, 16, 16, 16, 1, type_bf16, 2, 4)
XP_MFMA(i32, 32x32x4i8, 32, 32, 4, 2, type_i8, 1, 4)
XP_MFMA(i32, 16x16x4i8, 16, 16, 4, 4, type_i8, 1, 4)
XP_MFMA(i32, 4x4x4i8, 4, 4, 4, 16, type_i8, 1, 4)
XP_MFMA(f64, 16x16x4f64, 16, 16, 4, 1, type_f64, 8, 8)
XP_MFMA(f64, 4x4x4f64, 4, 4, 4, 4, type_f64, 8, 8)
// gfx908 and gfx90a have one pair of large int8 forms, gfx940 and later another.
#if !defined(__gfx940__) && !defined(__gfx941__) && !defined(__gfx942__) && !defined(__gfx950__)
XP_MFMA(i32, 32x32x8i8, 32, 32, 8, 1, type_i8, 1, 4)
XP_MFMA(i32, 16x16x16i8, 16, 16, 16, 1, type_i8, 1, 4)
#else
XP_MFMA(i32, 32x32x16_i8, 32, 32, 16, 1, type_i8, 1, 4)
XP_MFMA(i32, 16x16x32_i8, 16, 16, 32, 1, type_i8, 1, 4)
XP_MFMA(f32, 16x16x8_xf32, 16, 16, 8, 1, type_xf32, 4, 4)
XP_MFMA(f32, 32x32x4_xf32, 32, 32, 4, 1, type_xf32, 4, 4)
#endif
#undef XP_MFMA

// ---- cross-lane moves --------------------------------------------------------------------------------------
int __builtin_amdgcn_readfirstlane(int v, XP_LINE);
int __builtin_amdgcn_readlane(int v, int lane, XP_LINE);
int __builtin_amdgcn_ds_bpermute(int byte_address, int v, XP_LINE);       // pull: from lane byte_address / 4
int __builtin_amdgcn_ds_permute(int byte_address, int v, XP_LINE);        // push: to lane byte_address / 4
int __builtin_amdgcn_ds_swizzle(int v, int pattern, XP_LINE);
int __builtin_amdgcn_update_dpp(int old, int v, int control, int row_mask, int bank_mask, bool bound_control, XP_LINE);
inline int __builtin_amdgcn_mov_dpp(int v, int control, int row_mask, int bank_mask, bool bound_control, XP_LINE) {
  return __builtin_amdgcn_update_dpp(bound_control ? 0 : (int)xprt::random(), v, control, row_mask, bank_mask,
                                     bound_control, xp_line);
}
inline unsigned __builtin_amdgcn_mbcnt_lo(unsigned mask, unsigned base) {
  const unsigned lane = xp_simt::lane();
  return base + (unsigned)__builtin_popcount(lane >= 32 ? mask : mask & ((1u << lane) - 1));
}
inline unsigned __builtin_amdgcn_mbcnt_hi(unsigned mask, unsigned base) {
  const unsigned lane = xp_simt::lane();
  return base + (unsigned)(lane <= 32 ? 0 : __builtin_popcount(mask & ((1u << (lane - 32)) - 1)));
}
inline unsigned long long __builtin_amdgcn_ballot_w64(bool p, XP_LINE) {
  return xp_simt::ballot(xp_simt::together, p, "ballot", xp_line);
}
inline unsigned __builtin_amdgcn_ballot_w32(bool p, XP_LINE) {
  return (unsigned)xp_simt::ballot(xp_simt::together, p, "ballot", xp_line);
}

// ---- waits and scheduling hints ----------------------------------------------------------------------------
inline void __builtin_amdgcn_s_barrier(XP_LINE) { xprt::block_barrier(xp_line); }
inline void __builtin_amdgcn_wave_barrier(XP_LINE) { xp_simt::warp_barrier(xp_simt::together, "wave_barrier", xp_line); }
inline void __builtin_amdgcn_s_waitcnt(int) {}
inline void __builtin_amdgcn_sched_barrier(int) {}
inline void __builtin_amdgcn_sched_group_barrier(int, int, int) {}
inline void __builtin_amdgcn_iglp_opt(int) {}
inline void __builtin_amdgcn_s_setprio(int) {}
inline void __builtin_amdgcn_s_nop(int) {}
inline void __builtin_amdgcn_s_sleep(int) { xprt::yield(); }
inline void __builtin_amdgcn_fence(int, const char*, ...) { xprt::fence(xprt::scope_device); }
inline unsigned long long __builtin_amdgcn_s_memtime() { return (unsigned long long)clock64(); }
inline unsigned long long __builtin_amdgcn_s_memrealtime() { return (unsigned long long)clock64(); }

// ---- indices -----------------------------------------------------------------------------------------------
#define XP_INDEX(d)                                                                      \
  inline unsigned __builtin_amdgcn_workitem_id_##d() { return threadIdx.d; }             \
  inline unsigned __builtin_amdgcn_workgroup_id_##d() { return blockIdx.d; }             \
  inline unsigned short __builtin_amdgcn_workgroup_size_##d() { return (unsigned short)blockDim.d; } \
  inline unsigned __builtin_amdgcn_grid_size_##d() { return gridDim.d * blockDim.d; }
XP_INDEX(x) XP_INDEX(y) XP_INDEX(z)
#undef XP_INDEX
inline unsigned __builtin_amdgcn_wavefrontsize() { return XP_WARP_SIZE; }

// ---- arithmetic --------------------------------------------------------------------------------------------
inline float __builtin_amdgcn_rcpf(float x) { return 1.0f / x; }
inline float __builtin_amdgcn_rsqf(float x) { return rsqrtf(x); }
inline float __builtin_amdgcn_sqrtf(float x) { return __builtin_sqrtf(x); }
inline float __builtin_amdgcn_exp2f(float x) { return exp2f(x); }
inline float __builtin_amdgcn_logf(float x) { return log2f(x); }
inline float __builtin_amdgcn_fractf(float x) { return x - floorf(x); }
inline float __builtin_amdgcn_fmed3f(float a, float b, float c) { return fmaxf(fminf(a, b), fminf(fmaxf(a, b), c)); }
inline int __builtin_amdgcn_sdot4(int a, int b, int c, bool) { return __dp4a(a, b, c); }
inline unsigned __builtin_amdgcn_udot4(unsigned a, unsigned b, unsigned c, bool) { return __dp4a(a, b, c); }
inline unsigned __builtin_amdgcn_ubfe(unsigned v, unsigned at, unsigned n) { return n ? v >> at & (~0u >> (32 - n)) : 0; }
inline int __builtin_amdgcn_sbfe(int v, unsigned at, unsigned n) { return n ? (int)((unsigned)v << (32 - n - at)) >> (32 - n) : 0; }
inline unsigned __builtin_amdgcn_alignbyte(unsigned high, unsigned low, unsigned n) {
  return (unsigned)(((unsigned long long)high << 32 | low) >> (8 * (n & 3)));
}
unsigned __builtin_amdgcn_perm(unsigned high, unsigned low, unsigned selector);
#endif
