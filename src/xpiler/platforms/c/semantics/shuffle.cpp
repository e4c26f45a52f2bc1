// Lanes that change places: permutes, shuffles, unpacks, packs.
#pragma once
#include "types.h"

#define XP_PERMUTE(name, mask, maskz, E, R, I, K, n) \
  XP_FUN R name(I x, E a) { E d; XP_EACH(n) d[i] = a[x[i] & (n - 1)]; return d; } \
  XP_FUN R mask(E src, K k, I x, E a) { E d; XP_EACH(n) d[i] = XP_ON(k) ? a[x[i] & (n - 1)] : src[i]; return d; } \
  XP_FUN R maskz(K k, I x, E a) { E d; XP_EACH(n) d[i] = XP_ON(k) ? a[x[i] & (n - 1)] : 0; return d; }
#define XP_PERMUTES(P, S, E, R, I, K, n) \
  XP_PERMUTE(P##_permutexvar_##S, P##_mask_permutexvar_##S, P##_maskz_permutexvar_##S, E, R, I, K, n)
XP_PERMUTES(_mm512, ps, xp_f32x16, __m512, xp_i32x16, __mmask16, 16) XP_PERMUTES(_mm512, epi32, xp_i32x16, __m512i, xp_i32x16, __mmask16, 16)
XP_PERMUTES(_mm512, pd, xp_f64x8, __m512d, xp_i64x8, __mmask8, 8) XP_PERMUTES(_mm512, epi64, xp_i64x8, __m512i, xp_i64x8, __mmask8, 8)
XP_PERMUTES(_mm512, epi16, xp_i16x32, __m512i, xp_i16x32, __mmask32, 32) XP_PERMUTES(_mm256, ps, xp_f32x8, __m256, xp_i32x8, __mmask8, 8)
XP_FUN __m512i _mm512_permutexvar_epi8(xp_i8x64 x, xp_i8x64 a) { xp_i8x64 d; XP_EACH(64) d[i] = a[x[i] & 63]; return d; }
XP_FUN __m256 _mm256_permutevar8x32_ps(__m256 a, xp_i32x8 x) { __m256 d; XP_EACH(8) d[i] = a[x[i] & 7]; return d; }
XP_FUN __m256i _mm256_permutevar8x32_epi32(xp_i32x8 a, xp_i32x8 x) { xp_i32x8 d; XP_EACH(8) d[i] = a[x[i] & 7]; return d; }
#define XP_PERMUTE2(S, E, R, I, n, K) \
  XP_FUN R _mm512_permutex2var_##S(E a, I x, E b) { E d; XP_EACH(n) d[i] = x[i] & n ? b[x[i] & (n - 1)] : a[x[i] & (n - 1)]; return d; } \
  XP_FUN R _mm512_mask_permutex2var_##S(E a, K k, I x, E b) { E d; XP_EACH(n) d[i] = !XP_ON(k) ? a[i] : x[i] & n ? b[x[i] & (n - 1)] : a[x[i] & (n - 1)]; return d; } \
  XP_FUN R _mm512_maskz_permutex2var_##S(K k, E a, I x, E b) { E d; XP_EACH(n) d[i] = !XP_ON(k) ? 0 : x[i] & n ? b[x[i] & (n - 1)] : a[x[i] & (n - 1)]; return d; }
XP_PERMUTE2(ps, xp_f32x16, __m512, xp_i32x16, 16, __mmask16) XP_PERMUTE2(pd, xp_f64x8, __m512d, xp_i64x8, 8, __mmask8)
XP_PERMUTE2(epi32, xp_i32x16, __m512i, xp_i32x16, 16, __mmask16) XP_PERMUTE2(epi64, xp_i64x8, __m512i, xp_i64x8, 8, __mmask8)
XP_PERMUTE2(epi16, xp_i16x32, __m512i, xp_i16x32, 32, __mmask32)
#define XP_PERMUTE_QUAD(P, R, E, I, n) \
  XP_FUN R P##_permutevar_ps(E a, I x) { E d; XP_EACH(n) d[i] = a[i / 4 * 4 + (x[i] & 3)]; return d; }
XP_PERMUTE_QUAD(_mm512, __m512, xp_f32x16, xp_i32x16, 16) XP_PERMUTE_QUAD(_mm256, __m256, xp_f32x8, xp_i32x8, 8)
XP_PERMUTE_QUAD(_mm, __m128, xp_f32x4, xp_i32x4, 4)

// Within each 128 bits, two bits of the immediate a lane.
#define XP_PICK(by) ((by) >> 2 * (i % 4) & 3)
#define XP_SHUFFLE(P, E, R, n) \
  XP_FUN R P##_shuffle_ps(E a, E b, const int by) { E d; XP_EACH(n) d[i] = i % 4 < 2 ? a[i / 4 * 4 + XP_PICK(by)] : b[i / 4 * 4 + XP_PICK(by)]; return d; }
XP_SHUFFLE(_mm512, xp_f32x16, __m512, 16) XP_SHUFFLE(_mm256, xp_f32x8, __m256, 8) XP_SHUFFLE(_mm, xp_f32x4, __m128, 4)
#define XP_WITHIN_QUAD(name, E, R, n) \
  XP_FUN R name(E a, const int by) { E d; XP_EACH(n) d[i] = a[i / 4 * 4 + XP_PICK(by)]; return d; }
XP_WITHIN_QUAD(_mm512_permute_ps, xp_f32x16, __m512, 16) XP_WITHIN_QUAD(_mm256_permute_ps, xp_f32x8, __m256, 8)
XP_WITHIN_QUAD(_mm_permute_ps, xp_f32x4, __m128, 4) XP_WITHIN_QUAD(_mm512_shuffle_epi32, xp_i32x16, __m512i, 16)
XP_WITHIN_QUAD(_mm256_shuffle_epi32, xp_i32x8, __m256i, 8) XP_WITHIN_QUAD(_mm_shuffle_epi32, xp_i32x4, __m128i, 4)
XP_WITHIN_QUAD(_mm512_permutex_epi64, xp_i64x8, __m512i, 8) XP_WITHIN_QUAD(_mm256_permute4x64_epi64, xp_i64x4, __m256i, 4)
XP_WITHIN_QUAD(_mm512_permutex_pd, xp_f64x8, __m512d, 8) XP_WITHIN_QUAD(_mm256_permute4x64_pd, xp_f64x4, __m256d, 4)
#define XP_PAIRS(P, E, R, n) \
  XP_FUN R P##_shuffle_pd(E a, E b, const int by) { E d; XP_EACH(n) d[i] = i % 2 == 0 ? a[i + (by >> i & 1)] : b[i - 1 + (by >> i & 1)]; return d; } \
  XP_FUN R P##_permute_pd(E a, const int by) { E d; XP_EACH(n) d[i] = a[i / 2 * 2 + (by >> i & 1)]; return d; }
XP_PAIRS(_mm512, xp_f64x8, __m512d, 8) XP_PAIRS(_mm256, xp_f64x4, __m256d, 4) XP_PAIRS(_mm, xp_f64x2, __m128d, 2)
// Whole 128-bit parts.
#define XP_PARTS(name, E, R, n, w) \
  XP_FUN R name(E a, E b, const int by) { \
    E d; \
    XP_EACH(n) d[i] = i / w < 2 ? a[(by >> 2 * (i / w) & 3) * w + i % w] : b[(by >> 2 * (i / w) & 3) * w + i % w]; \
    return d; \
  }
XP_PARTS(_mm512_shuffle_f32x4, xp_f32x16, __m512, 16, 4) XP_PARTS(_mm512_shuffle_i32x4, xp_i32x16, __m512i, 16, 4)
XP_PARTS(_mm512_shuffle_f64x2, xp_f64x8, __m512d, 8, 2) XP_PARTS(_mm512_shuffle_i64x2, xp_i64x8, __m512i, 8, 2)
#define XP_HALVES(name, E, R, n) \
  XP_FUN R name(E a, E b, const int by) { \
    E d; \
    XP_EACH(n) d[i] = by >> (i / (n / 2) * 4 + 3) & 1 ? 0 \
                    : by >> (i / (n / 2) * 4 + 1) & 1 ? b[(by >> i / (n / 2) * 4 & 1) * (n / 2) + i % (n / 2)] \
                                                      : a[(by >> i / (n / 2) * 4 & 1) * (n / 2) + i % (n / 2)]; \
    return d; \
  }
XP_HALVES(_mm256_permute2f128_ps, xp_f32x8, __m256, 8) XP_HALVES(_mm256_permute2x128_si256, xp_i64x4, __m256i, 4)

// Unpacks interleave the low or the high lanes of each 128 bits.
#define XP_UNPACK(name, E, R, n, w, high) \
  XP_FUN R name(E a, E b) { E d; XP_EACH(n) d[i] = i % 2 == 0 ? a[i / w * w + i % w / 2 + high] : b[i / w * w + i % w / 2 + high]; return d; }
#define XP_UNPACKS(P, S, E, R, n, w) \
  XP_UNPACK(P##_unpacklo_##S, E, R, n, w, 0) XP_UNPACK(P##_unpackhi_##S, E, R, n, w, w / 2)
XP_UNPACKS(_mm512, ps, xp_f32x16, __m512, 16, 4) XP_UNPACKS(_mm256, ps, xp_f32x8, __m256, 8, 4) XP_UNPACKS(_mm, ps, xp_f32x4, __m128, 4, 4)
XP_UNPACKS(_mm512, pd, xp_f64x8, __m512d, 8, 2) XP_UNPACKS(_mm256, pd, xp_f64x4, __m256d, 4, 2) XP_UNPACKS(_mm, pd, xp_f64x2, __m128d, 2, 2)
XP_UNPACKS(_mm512, epi8, xp_i8x64, __m512i, 64, 16) XP_UNPACKS(_mm256, epi8, xp_i8x32, __m256i, 32, 16) XP_UNPACKS(_mm, epi8, xp_i8x16, __m128i, 16, 16)
XP_UNPACKS(_mm512, epi16, xp_i16x32, __m512i, 32, 8) XP_UNPACKS(_mm256, epi16, xp_i16x16, __m256i, 16, 8) XP_UNPACKS(_mm, epi16, xp_i16x8, __m128i, 8, 8)
XP_UNPACKS(_mm512, epi32, xp_i32x16, __m512i, 16, 4) XP_UNPACKS(_mm256, epi32, xp_i32x8, __m256i, 8, 4) XP_UNPACKS(_mm, epi32, xp_i32x4, __m128i, 4, 4)
XP_UNPACKS(_mm512, epi64, xp_i64x8, __m512i, 8, 2) XP_UNPACKS(_mm256, epi64, xp_i64x4, __m256i, 4, 2) XP_UNPACKS(_mm, epi64, xp_i64x2, __m128i, 2, 2)
XP_FUN __m128 _mm_movehl_ps(__m128 a, __m128 b) { __m128 d; XP_EACH(4) d[i] = i < 2 ? b[i + 2] : a[i]; return d; }
XP_FUN __m128 _mm_movelh_ps(__m128 a, __m128 b) { __m128 d; XP_EACH(4) d[i] = i < 2 ? a[i] : b[i - 2]; return d; }
#define XP_DUPLICATE(name, E, R, n, from) XP_FUN R name(E a) { E d; XP_EACH(n) d[i] = a[from]; return d; }
XP_DUPLICATE(_mm512_movehdup_ps, xp_f32x16, __m512, 16, i | 1) XP_DUPLICATE(_mm512_moveldup_ps, xp_f32x16, __m512, 16, i & ~1)
XP_DUPLICATE(_mm_movehdup_ps, xp_f32x4, __m128, 4, i | 1) XP_DUPLICATE(_mm_moveldup_ps, xp_f32x4, __m128, 4, i & ~1)
XP_DUPLICATE(_mm256_movehdup_ps, xp_f32x8, __m256, 8, i | 1) XP_DUPLICATE(_mm256_moveldup_ps, xp_f32x8, __m256, 8, i & ~1)
XP_DUPLICATE(_mm512_movedup_pd, xp_f64x8, __m512d, 8, i & ~1) XP_DUPLICATE(_mm256_movedup_pd, xp_f64x4, __m256d, 4, i & ~1)
XP_DUPLICATE(_mm_movedup_pd, xp_f64x2, __m128d, 2, i & ~1)

// Bytes picked within each 128 bits; a set sign bit of the index gives zero.
#define XP_BYTE_SHUFFLE(P, E, R, n) \
  XP_FUN R P##_shuffle_epi8(E a, E x) { E d; XP_EACH(n) d[i] = x[i] < 0 ? 0 : a[i / 16 * 16 + (x[i] & 15)]; return d; }
XP_BYTE_SHUFFLE(_mm512, xp_i8x64, __m512i, 64) XP_BYTE_SHUFFLE(_mm256, xp_i8x32, __m256i, 32) XP_BYTE_SHUFFLE(_mm, xp_i8x16, __m128i, 16)
#define XP_BYTE_SHIFT(P, E, R, n) \
  XP_FUN R P##_bslli_epi128(E a, const int by) { E d; XP_EACH(n) d[i] = i % 16 >= by ? a[i - (by < 16 ? by : 0)] : 0; return d; } \
  XP_FUN R P##_bsrli_epi128(E a, const int by) { E d; XP_EACH(n) d[i] = i % 16 + by < 16 ? a[i + (by < 16 ? by : 0)] : 0; return d; }
XP_BYTE_SHIFT(_mm512, xp_i8x64, __m512i, 64) XP_BYTE_SHIFT(_mm256, xp_i8x32, __m256i, 32)
XP_FUN __m128i _mm_slli_si128(xp_i8x16 a, const int by) { xp_i8x16 d; XP_EACH(16) d[i] = i >= by ? a[i - (by < 16 ? by : 0)] : 0; return d; }
XP_FUN __m128i _mm_srli_si128(xp_i8x16 a, const int by) { xp_i8x16 d; XP_EACH(16) d[i] = i + by < 16 ? a[i + (by < 16 ? by : 0)] : 0; return d; }
// The two operands side by side, moved down.
#define XP_ALIGN(P, S, E, R, K, n) \
  XP_FUN R P##_alignr_##S(E a, E b, const int by) { E d; XP_EACH(n) d[i] = i + (by & n - 1) < n ? b[i + by & n - 1] : a[i + by & n - 1]; return d; } \
  XP_FUN R P##_mask_alignr_##S(E src, K k, E a, E b, const int by) { E d; XP_EACH(n) d[i] = !XP_ON(k) ? src[i] : i + (by & n - 1) < n ? b[i + by & n - 1] : a[i + by & n - 1]; return d; } \
  XP_FUN R P##_maskz_alignr_##S(K k, E a, E b, const int by) { E d; XP_EACH(n) d[i] = !XP_ON(k) ? 0 : i + (by & n - 1) < n ? b[i + by & n - 1] : a[i + by & n - 1]; return d; }
XP_ALIGN(_mm512, epi32, xp_i32x16, __m512i, __mmask16, 16) XP_ALIGN(_mm512, epi64, xp_i64x8, __m512i, __mmask8, 8)
XP_ALIGN(_mm256, epi32, xp_i32x8, __m256i, __mmask8, 8)
#define XP_ALIGN_BYTES(P, E, R, n) \
  XP_FUN R P##_alignr_epi8(E a, E b, const int by) { \
    E d; \
    XP_EACH(n) d[i] = i % 16 + by < 16 ? b[i / 16 * 16 + (i % 16 + by & 15)] : i % 16 + by < 32 ? a[i / 16 * 16 + (i % 16 + by & 15)] : 0; \
    return d; \
  }
XP_ALIGN_BYTES(_mm512, xp_i8x64, __m512i, 64) XP_ALIGN_BYTES(_mm256, xp_i8x32, __m256i, 32) XP_ALIGN_BYTES(_mm, xp_i8x16, __m128i, 16)

// Packs put the two operands' lanes of each 128 bits side by side, saturated.
#define XP_PACK(name, E, R, n, S, w, lo, hi) \
  XP_FUN R name(S a, S b) { \
    E d; \
    XP_EACH(n) d[i] = i % w < w / 2 ? XP_WITHIN(a[i / w * (w / 2) + i % (w / 2)], lo, hi) : XP_WITHIN(b[i / w * (w / 2) + i % (w / 2)], lo, hi); \
    return d; \
  }
XP_PACK(_mm512_packs_epi32, xp_i16x32, __m512i, 32, xp_i32x16, 8, -32768, 32767) XP_PACK(_mm256_packs_epi32, xp_i16x16, __m256i, 16, xp_i32x8, 8, -32768, 32767)
XP_PACK(_mm_packs_epi32, xp_i16x8, __m128i, 8, xp_i32x4, 8, -32768, 32767)
XP_PACK(_mm512_packus_epi32, xp_u16x32, __m512i, 32, xp_i32x16, 8, 0, 65535) XP_PACK(_mm512_packs_epi16, xp_i8x64, __m512i, 64, xp_i16x32, 16, -128, 127)
XP_PACK(_mm256_packs_epi16, xp_i8x32, __m256i, 32, xp_i16x16, 16, -128, 127) XP_PACK(_mm_packs_epi16, xp_i8x16, __m128i, 16, xp_i16x8, 16, -128, 127)
XP_PACK(_mm512_packus_epi16, xp_u8x64, __m512i, 64, xp_i16x32, 16, 0, 255) XP_PACK(_mm256_packus_epi16, xp_u8x32, __m256i, 32, xp_i16x16, 16, 0, 255)
XP_PACK(_mm_packus_epi16, xp_u8x16, __m128i, 16, xp_i16x8, 16, 0, 255)
