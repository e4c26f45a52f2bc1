// Dot products, horizontal sums and reductions of a register to one number.
#pragma once
#include "types.h"

// Four bytes (or two words) a lane: unsigned times signed, added up in 32 bits.
#define XP_BYTES4(j) (int)a[4 * i + j] * b[4 * i + j]
#define XP_QUAD (XP_BYTES4(0) + XP_BYTES4(1) + XP_BYTES4(2) + XP_BYTES4(3))
#define XP_WORD2 ((long)a[2 * i] * b[2 * i] + (long)a[2 * i + 1] * b[2 * i + 1])
#define XP_SATURATED(x) ((x) < -2147483648l ? -2147483647 - 1 : (x) > 2147483647l ? 2147483647 : (int)(x))
#define XP_DOT(P, name, R, A, B, C, K, n, sum) \
  XP_FUN R P##_##name(C c, A a, B b) { C d; XP_EACH(n) d[i] = sum; return d; }
#define XP_DOT_MASKED(P, name, R, A, B, C, K, n, sum) \
  XP_DOT(P, name, R, A, B, C, K, n, sum) \
  XP_FUN R P##_mask_##name(C c, K k, A a, B b) { C d; XP_EACH(n) d[i] = XP_ON(k) ? sum : c[i]; return d; } \
  XP_FUN R P##_maskz_##name(K k, C c, A a, B b) { C d; XP_EACH(n) d[i] = XP_ON(k) ? sum : 0; return d; }
#define XP_DOTS(name, A, B, C, a4, a8, a16, sum) \
  XP_DOT_MASKED(_mm512, name, __m512i, A##x##a16, B##x##a16, C##x16, __mmask16, 16, sum) \
  XP_DOT_MASKED(_mm256, name, __m256i, A##x##a8, B##x##a8, C##x8, __mmask8, 8, sum) \
  XP_DOT_MASKED(_mm, name, __m128i, A##x##a4, B##x##a4, C##x4, __mmask8, 4, sum)
XP_DOTS(dpbusd_epi32, xp_u8, xp_i8, xp_u32, 16, 32, 64, c[i] + (unsigned)XP_QUAD)
XP_DOTS(dpbusds_epi32, xp_u8, xp_i8, xp_i32, 16, 32, 64, XP_SATURATED((long)c[i] + XP_QUAD))
XP_DOTS(dpwssd_epi32, xp_i16, xp_i16, xp_u32, 8, 16, 32, c[i] + (unsigned)XP_WORD2)
XP_DOTS(dpwssds_epi32, xp_i16, xp_i16, xp_i32, 8, 16, 32, XP_SATURATED(c[i] + XP_WORD2))

// Pairs of words, of bytes: added without and with saturation.
#define XP_MADD(P, R, W, B, U, I, n, m) \
  XP_FUN R P##_madd_epi16(W a, W b) { I d; XP_EACH(n) d[i] = (unsigned)XP_WORD2; return d; } \
  XP_FUN R P##_maddubs_epi16(U a, B b) { \
    W d; \
    XP_EACH(m) d[i] = XP_WITHIN(a[2 * i] * b[2 * i] + a[2 * i + 1] * b[2 * i + 1], -32768, 32767); \
    return d; \
  }
XP_MADD(_mm512, __m512i, xp_i16x32, xp_i8x64, xp_u8x64, xp_u32x16, 16, 32)
XP_MADD(_mm256, __m256i, xp_i16x16, xp_i8x32, xp_u8x32, xp_u32x8, 8, 16)
XP_MADD(_mm, __m128i, xp_i16x8, xp_i8x16, xp_u8x16, xp_u32x4, 4, 8)
// Sums of eight absolute differences.
#define XP_SAD(P, R, U, L, n) \
  XP_FUN R P##_sad_epu8(U a, U b) { \
    L d; \
    XP_EACH(n) { \
      int s = 0; \
      for (int j = 0; j < 8; j++) s += a[8 * i + j] > b[8 * i + j] ? a[8 * i + j] - b[8 * i + j] : b[8 * i + j] - a[8 * i + j]; \
      d[i] = s; \
    } \
    return d; \
  }
XP_SAD(_mm512, __m512i, xp_u8x64, xp_u64x8, 8) XP_SAD(_mm256, __m256i, xp_u8x32, xp_u64x4, 4) XP_SAD(_mm, __m128i, xp_u8x16, xp_u64x2, 2)

// bfloat16 pairs: the odd lane first, each product exact in float.
#define XP_BF16_DOT(P, R, A, n, K) \
  XP_FUN R P##_dpbf16_ps(R c, A a, A b) { \
    R d; \
    XP_EACH(n) d[i] = c[i] + xp_of_bf16(a[2 * i + 1]) * xp_of_bf16(b[2 * i + 1]) + xp_of_bf16(a[2 * i]) * xp_of_bf16(b[2 * i]); \
    return d; \
  }
XP_BF16_DOT(_mm512, __m512, __m512bh, 16, __mmask16) XP_BF16_DOT(_mm256, __m256, __m256bh, 8, __mmask8)
XP_BF16_DOT(_mm, __m128, __m128bh, 4, __mmask8)

// Neighbours within each 128 bits.
#define XP_HORIZONTAL(P, E, n, op) \
  XP_FUN E P##_ps(E a, E b) { E d; XP_EACH(n) d[i] = i % 4 < 2 ? a[i / 4 * 4 + i % 2 * 2] op a[i / 4 * 4 + i % 2 * 2 + 1] : b[i / 4 * 4 + i % 2 * 2] op b[i / 4 * 4 + i % 2 * 2 + 1]; return d; }
XP_HORIZONTAL(_mm256_hadd, __m256, 8, +) XP_HORIZONTAL(_mm_hadd, __m128, 4, +)
XP_FUN __m256i _mm256_hadd_epi32(xp_u32x8 a, xp_u32x8 b) { xp_u32x8 d; XP_EACH(8) d[i] = i % 4 < 2 ? a[i / 4 * 4 + i % 2 * 2] + a[i / 4 * 4 + i % 2 * 2 + 1] : b[i / 4 * 4 + i % 2 * 2] + b[i / 4 * 4 + i % 2 * 2 + 1]; return d; }
XP_FUN __m128i _mm_hadd_epi32(xp_u32x4 a, xp_u32x4 b) { xp_u32x4 d; XP_EACH(4) d[i] = i % 4 < 2 ? a[i / 4 * 4 + i % 2 * 2] + a[i / 4 * 4 + i % 2 * 2 + 1] : b[i / 4 * 4 + i % 2 * 2] + b[i / 4 * 4 + i % 2 * 2 + 1]; return d; }
// Products of the lanes that the high bits of the immediate name, summed, into those of the low ones.
#define XP_PRODUCT(j) (by >> 4 + j & 1 ? a[i / 4 * 4 + j] * b[i / 4 * 4 + j] : 0.0f)
#define XP_DOT_PS(P, E, n) \
  XP_FUN E P##_dp_ps(E a, E b, const int by) { E d; XP_EACH(n) d[i] = by >> i % 4 & 1 ? (XP_PRODUCT(0) + XP_PRODUCT(1)) + (XP_PRODUCT(2) + XP_PRODUCT(3)) : 0.0f; return d; }
XP_DOT_PS(_mm256, __m256, 8) XP_DOT_PS(_mm, __m128, 4)

// Reductions. The order of floating additions is the compiler's to choose; here lane by lane.
#define XP_REDUCE(name, T, E, K, n, zero, each) \
  XP_FUN T _mm512_reduce_##name(E a) { T r = zero; XP_EACH(n) r = each; return r; } \
  XP_FUN T _mm512_mask_reduce_##name(K k, E a) { T r = zero; XP_EACH(n) r = XP_ON(k) ? each : r; return r; }
XP_REDUCE(add_ps, float, __m512, __mmask16, 16, 0.0f, r + a[i]) XP_REDUCE(mul_ps, float, __m512, __mmask16, 16, 1.0f, r * a[i])
XP_REDUCE(add_pd, double, __m512d, __mmask8, 8, 0.0, r + a[i]) XP_REDUCE(mul_pd, double, __m512d, __mmask8, 8, 1.0, r * a[i])
XP_REDUCE(max_ps, float, __m512, __mmask16, 16, -INFINITY, r > a[i] ? r : a[i]) XP_REDUCE(min_ps, float, __m512, __mmask16, 16, INFINITY, r < a[i] ? r : a[i])
XP_REDUCE(max_pd, double, __m512d, __mmask8, 8, -INFINITY, r > a[i] ? r : a[i]) XP_REDUCE(min_pd, double, __m512d, __mmask8, 8, INFINITY, r < a[i] ? r : a[i])
XP_REDUCE(add_epi32, int, xp_i32x16, __mmask16, 16, 0, (int)((unsigned)r + (unsigned)a[i])) XP_REDUCE(mul_epi32, int, xp_i32x16, __mmask16, 16, 1, (int)((unsigned)r * (unsigned)a[i]))
XP_REDUCE(max_epi32, int, xp_i32x16, __mmask16, 16, -2147483647 - 1, r > a[i] ? r : a[i]) XP_REDUCE(min_epi32, int, xp_i32x16, __mmask16, 16, 2147483647, r < a[i] ? r : a[i])
XP_REDUCE(max_epu32, unsigned, xp_u32x16, __mmask16, 16, 0, r > a[i] ? r : a[i]) XP_REDUCE(min_epu32, unsigned, xp_u32x16, __mmask16, 16, 4294967295u, r < a[i] ? r : a[i])
XP_REDUCE(and_epi32, int, xp_i32x16, __mmask16, 16, -1, r & a[i]) XP_REDUCE(or_epi32, int, xp_i32x16, __mmask16, 16, 0, r | a[i])
XP_REDUCE(add_epi64, long long, xp_i64x8, __mmask8, 8, 0, (long long)((unsigned long)r + (unsigned long)a[i]))
XP_REDUCE(max_epi64, long long, xp_i64x8, __mmask8, 8, -9223372036854775807ll - 1, r > a[i] ? r : a[i]) XP_REDUCE(min_epi64, long long, xp_i64x8, __mmask8, 8, 9223372036854775807ll, r < a[i] ? r : a[i])
