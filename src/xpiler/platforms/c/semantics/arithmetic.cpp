// Lane by lane: arithmetic, logic, minima, comparisons, blends.
#pragma once
#include "types.h"

XP_FLOATS(XP_MAP2, add, a[i] + b[i]) XP_FLOATS(XP_MAP2, sub, a[i] - b[i])
XP_FLOATS(XP_MAP2, mul, a[i] * b[i]) XP_FLOATS(XP_MAP2, div, a[i] / b[i])
// The second operand where the two are equal or either is no number.
XP_FLOATS(XP_MAP2, max, a[i] > b[i] ? a[i] : b[i]) XP_FLOATS(XP_MAP2, min, a[i] < b[i] ? a[i] : b[i])
XP_PS(XP_MAP1, sqrt, sqrtf(a[i])) XP_PD(XP_MAP1, sqrt, sqrt(a[i]))
XP_PS(XP_MAP3, fmadd, fmaf(a[i], b[i], c[i])) XP_PD(XP_MAP3, fmadd, fma(a[i], b[i], c[i]))
XP_PS(XP_MAP3, fmsub, fmaf(a[i], b[i], -c[i])) XP_PD(XP_MAP3, fmsub, fma(a[i], b[i], -c[i]))
XP_PS(XP_MAP3, fnmadd, fmaf(-a[i], b[i], c[i])) XP_PD(XP_MAP3, fnmadd, fma(-a[i], b[i], c[i]))
XP_PS(XP_MAP3, fnmsub, fmaf(-a[i], b[i], -c[i])) XP_PD(XP_MAP3, fnmsub, fma(-a[i], b[i], -c[i]))
// Pairs of lanes as complex numbers: the even one subtracts, the odd one adds, or the other way round.
XP_PS(XP_MAP3, fmaddsub, fmaf(a[i], b[i], i % 2 ? c[i] : -c[i])) XP_PD(XP_MAP3, fmaddsub, fma(a[i], b[i], i % 2 ? c[i] : -c[i]))
XP_PS(XP_MAP3, fmsubadd, fmaf(a[i], b[i], i % 2 ? -c[i] : c[i])) XP_PD(XP_MAP3, fmsubadd, fma(a[i], b[i], i % 2 ? -c[i] : c[i]))
// Approximations, relative error at most 2^-14 (rsqrt, rcp of SSE and AVX: 1.5 * 2^-12).
XP_PS(XP_MAP1, rsqrt14, 1.0f / sqrtf(a[i])) XP_PD(XP_MAP1, rsqrt14, 1.0 / sqrt(a[i]))
XP_PS(XP_MAP1, rcp14, 1.0f / a[i]) XP_PD(XP_MAP1, rcp14, 1.0 / a[i])
XP_PLAIN1(_mm, ps, xp_f32x4, __m128, __mmask8, 4, rsqrt, 1.0f / sqrtf(a[i]))
XP_PLAIN1(_mm256, ps, xp_f32x8, __m256, __mmask8, 8, rsqrt, 1.0f / sqrtf(a[i]))
XP_PLAIN1(_mm, ps, xp_f32x4, __m128, __mmask8, 4, rcp, 1.0f / a[i])
XP_PLAIN1(_mm256, ps, xp_f32x8, __m256, __mmask8, 8, rcp, 1.0f / a[i])
XP_PS(XP_PLAIN1, floor, floorf(a[i])) XP_PD(XP_PLAIN1, floor, floor(a[i]))
XP_PS(XP_PLAIN1, ceil, ceilf(a[i])) XP_PD(XP_PLAIN1, ceil, ceil(a[i]))
// The even lane subtracts, the odd one adds.
XP_PLAIN2(_mm256, ps, xp_f32x8, __m256, __mmask8, 8, addsub, i % 2 ? a[i] + b[i] : a[i] - b[i])
XP_PLAIN2(_mm, ps, xp_f32x4, __m128, __mmask8, 4, addsub, i % 2 ? a[i] + b[i] : a[i] - b[i])
// Powers of two: a * 2^floor(b), the exponent of a number, and what is left of it.
XP_FUN float xp_scaled(float a, float b) {
  return b != b ? a + b : fabsf(b) == INFINITY ? a * (b > 0 ? INFINITY : 0.0f)
                                               : ldexpf(a, (int)fmaxf(fminf(floorf(b), 400.0f), -400.0f));
}
XP_FUN int xp_float_bits(float x) { return *(const int*)&x; }
XP_FUN float xp_float_of(int x) { return *(const float*)&x; }
XP_FUN float xp_grown(float x) { return fabsf(x) < 1.17549435e-38f ? x * 8388608.0f : x; }
XP_FUN float xp_exponent(float x) {
  return x != x ? x : x == 0.0f ? -INFINITY : fabsf(x) == INFINITY ? INFINITY
    : (float)((xp_float_bits(xp_grown(x)) >> 23 & 255) - (fabsf(x) < 1.17549435e-38f ? 150 : 127));
}
// Of a number in [1, 2): by how much the interval asked for halves it.
XP_FUN float xp_in_interval(float m, int odd, int interval) {
  return interval == 0 ? m : interval == 1 ? (odd ? m * 0.5f : m) : interval == 2 ? m * 0.5f : m >= 1.5f ? m * 0.5f : m;
}
XP_FUN float xp_mantissa(float x, int interval, int sign) {
  float m = x == 0.0f || fabsf(x) == INFINITY ? 1.0f : xp_float_of((xp_float_bits(xp_grown(x)) & 0x7FFFFF) | 0x3F800000);
  int odd = x == 0.0f || fabsf(x) == INFINITY ? 0 : (xp_float_bits(xp_grown(x)) >> 23 & 1) == 0 ^ (fabsf(x) < 1.17549435e-38f);
  float kept = xp_in_interval(m, odd, x == 0.0f || fabsf(x) == INFINITY ? 0 : interval);
  return x != x || (sign & 2) && x < 0.0f ? NAN : (sign & 1) ? kept : copysignf(kept, x);
}
XP_PS(XP_MAP2, scalef, xp_scaled(a[i], b[i])) XP_PS(XP_MAP1, getexp, xp_exponent(a[i]))
XP_FUN __m512 _mm512_getmant_ps(__m512 a, const int interval, const int sign) {
  __m512 d;
  XP_EACH(16) d[i] = xp_mantissa(a[i], interval, sign);
  return d;
}

// Rounding by the low three bits of the immediate: 0 nearest even, 1 down, 2 up, 3 to zero.
XP_FUN float xp_rounded(float x, int how) {
  return (how & 3) == 0 ? rintf(x) : (how & 3) == 1 ? floorf(x) : (how & 3) == 2 ? ceilf(x) : truncf(x);
}
XP_FUN double xp_rounded_double(double x, int how) {
  return (how & 3) == 0 ? rint(x) : (how & 3) == 1 ? floor(x) : (how & 3) == 2 ? ceil(x) : trunc(x);
}
#define XP_ROUND(P, name, R, E, n, F) \
  XP_FUN R P##_##name(E a, const int how) { E d; XP_EACH(n) d[i] = F(a[i], how); return d; }
XP_ROUND(_mm512, roundscale_ps, __m512, xp_f32x16, 16, xp_rounded) XP_ROUND(_mm256, round_ps, __m256, xp_f32x8, 8, xp_rounded)
XP_ROUND(_mm256, roundscale_ps, __m256, xp_f32x8, 8, xp_rounded) XP_ROUND(_mm, round_ps, __m128, xp_f32x4, 4, xp_rounded)
XP_ROUND(_mm512, roundscale_pd, __m512d, xp_f64x8, 8, xp_rounded_double) XP_ROUND(_mm256, round_pd, __m256d, xp_f64x4, 4, xp_rounded_double)
XP_ROUND(_mm, round_pd, __m128d, xp_f64x2, 2, xp_rounded_double)
XP_FUN __m512 _mm512_mask_roundscale_ps(__m512 src, __mmask16 k, __m512 a, const int how) { __m512 d; XP_EACH(16) d[i] = XP_ON(k) ? xp_rounded(a[i], how) : src[i]; return d; }
XP_FUN __m512 _mm512_maskz_roundscale_ps(__mmask16 k, __m512 a, const int how) { __m512 d; XP_EACH(16) d[i] = XP_ON(k) ? xp_rounded(a[i], how) : 0; return d; }

// Arithmetic that names its rounding: to nearest even in every use that is understood.
#define XP_NEAREST2(op, expr) \
  XP_FUN __m512 _mm512_##op##_round_ps(__m512 a, __m512 b, const int how) { __m512 d; XP_EACH(16) d[i] = expr; return d; } \
  XP_FUN __m512d _mm512_##op##_round_pd(__m512d a, __m512d b, const int how) { __m512d d; XP_EACH(8) d[i] = expr; return d; }
XP_NEAREST2(add, a[i] + b[i]) XP_NEAREST2(sub, a[i] - b[i]) XP_NEAREST2(mul, a[i] * b[i]) XP_NEAREST2(div, a[i] / b[i])
XP_NEAREST2(max, a[i] > b[i] ? a[i] : b[i]) XP_NEAREST2(min, a[i] < b[i] ? a[i] : b[i])
#define XP_NEAREST3(op, expr) \
  XP_FUN __m512 _mm512_##op##_round_ps(__m512 a, __m512 b, __m512 c, const int how) { __m512 d; XP_EACH(16) d[i] = expr; return d; }
XP_NEAREST3(fmadd, fmaf(a[i], b[i], c[i])) XP_NEAREST3(fmsub, fmaf(a[i], b[i], -c[i]))
XP_NEAREST3(fnmadd, fmaf(-a[i], b[i], c[i])) XP_NEAREST3(fnmsub, fmaf(-a[i], b[i], -c[i]))
XP_FUN __m512 _mm512_sqrt_round_ps(__m512 a, const int how) { __m512 d; XP_EACH(16) d[i] = sqrtf(a[i]); return d; }

XP_WRAPPING(XP_MAP2, add, a[i] + b[i]) XP_WRAPPING(XP_MAP2, sub, a[i] - b[i])
XP_WORDS(XP_MAP2, epi16, xp_u16, mullo, (unsigned)a[i] * b[i])
XP_INTS(XP_MAP2, epi32, xp_u32, mullo, a[i] * b[i]) XP_LONGS(XP_MAP2, epi64, xp_u64, mullo, a[i] * b[i])
XP_WORDS(XP_MAP2, epi16, xp_i16, mulhi, a[i] * b[i] >> 16)
XP_WORDS(XP_MAP2, epu16, xp_u16, mulhi, (unsigned)a[i] * b[i] >> 16)
XP_WORDS(XP_MAP2, epi16, xp_i16, mulhrs, ((a[i] * b[i] >> 14) + 1) >> 1)
#define XP_WITHIN(x, lo, hi) ((x) < (lo) ? (lo) : (x) > (hi) ? (hi) : (x))
XP_BYTES(XP_MAP2, epi8, xp_i8, adds, XP_WITHIN(a[i] + b[i], -128, 127))
XP_BYTES(XP_MAP2, epi8, xp_i8, subs, XP_WITHIN(a[i] - b[i], -128, 127))
XP_BYTES(XP_MAP2, epu8, xp_u8, adds, XP_WITHIN(a[i] + b[i], 0, 255))
XP_BYTES(XP_MAP2, epu8, xp_u8, subs, XP_WITHIN(a[i] - b[i], 0, 255))
XP_WORDS(XP_MAP2, epi16, xp_i16, adds, XP_WITHIN(a[i] + b[i], -32768, 32767))
XP_WORDS(XP_MAP2, epi16, xp_i16, subs, XP_WITHIN(a[i] - b[i], -32768, 32767))
XP_WORDS(XP_MAP2, epu16, xp_u16, adds, XP_WITHIN(a[i] + b[i], 0, 65535))
XP_WORDS(XP_MAP2, epu16, xp_u16, subs, XP_WITHIN(a[i] - b[i], 0, 65535))
XP_BYTES(XP_MAP2, epu8, xp_u8, avg, (a[i] + b[i] + 1) >> 1)
XP_WORDS(XP_MAP2, epu16, xp_u16, avg, (a[i] + b[i] + 1) >> 1)
XP_SIGNED(XP_MAP2, max, a[i] > b[i] ? a[i] : b[i]) XP_SIGNED(XP_MAP2, min, a[i] < b[i] ? a[i] : b[i])
XP_UNSIGNED(XP_MAP2, max, a[i] > b[i] ? a[i] : b[i]) XP_UNSIGNED(XP_MAP2, min, a[i] < b[i] ? a[i] : b[i])
XP_LONGS(XP_MAP2, epi64, xp_i64, max, a[i] > b[i] ? a[i] : b[i])
XP_LONGS(XP_MAP2, epi64, xp_i64, min, a[i] < b[i] ? a[i] : b[i])
XP_BYTES(XP_MAP1, epi8, xp_i8, abs, a[i] < 0 ? -a[i] : a[i])
XP_WORDS(XP_MAP1, epi16, xp_i16, abs, a[i] < 0 ? -a[i] : a[i])
XP_INTS(XP_MAP1, epi32, xp_u32, abs, (int)a[i] < 0 ? 0u - a[i] : a[i])
XP_LONGS(XP_MAP1, epi64, xp_u64, abs, (long)a[i] < 0 ? 0ul - a[i] : a[i])
XP_LONGS(XP_MAP2, epi32, xp_i64, mul, (long)(int)a[i] * (int)b[i])
XP_LONGS(XP_MAP2, epu32, xp_u64, mul, (unsigned long)(unsigned)a[i] * (unsigned)b[i])
XP_PLAIN2(_mm512, epi64, xp_u64x8, __m512i, __mmask8, 8, mullox, a[i] * b[i])
#define XP_SIGN(P, S, E, R, K, n, ...) XP_PLAIN2(P, S, E, R, K, n, sign, (signed)b[i] < 0 ? 0 - a[i] : b[i] == 0 ? 0 : a[i])
XP_SIGN(_mm256, epi8, xp_i8x32, __m256i, , 32) XP_SIGN(_mm, epi8, xp_i8x16, __m128i, , 16)
XP_SIGN(_mm256, epi16, xp_i16x16, __m256i, , 16) XP_SIGN(_mm, epi16, xp_i16x8, __m128i, , 8)
XP_SIGN(_mm256, epi32, xp_u32x8, __m256i, , 8) XP_SIGN(_mm, epi32, xp_u32x4, __m128i, , 4)
// Bits counted, and earlier lanes of the same value as bits.
XP_INTS(XP_MAP1, epi32, xp_u32, lzcnt, a[i] ? __builtin_clz(a[i]) : 32)
XP_INTS(XP_MAP1, epi32, xp_u32, popcnt, __builtin_popcount(a[i]))
XP_FUN __m512i _mm512_conflict_epi32(xp_i32x16 a) {
  xp_i32x16 d;
  XP_EACH(16) {
    int found = 0;
    for (int j = 0; j < 16; j++) found |= j < i && a[j] == a[i] ? 1 << j : 0;
    d[i] = found;
  }
  return d;
}

// Shifts; a count of the width or more leaves nothing (or the sign).
#define XP_SHIFT(P, S, E, R, K, n, op, I, small, large) \
  XP_FUN R P##_##op##_##S(E a, I by) { E d; XP_EACH(n) d[i] = (unsigned)by < sizeof(a[0]) * 8 ? small : large; return d; } \
  XP_FUN R P##_mask_##op##_##S(E src, K k, E a, I by) { E d; XP_EACH(n) d[i] = !XP_ON(k) ? src[i] : (unsigned)by < sizeof(a[0]) * 8 ? small : large; return d; } \
  XP_FUN R P##_maskz_##op##_##S(K k, E a, I by) { E d; XP_EACH(n) d[i] = !XP_ON(k) ? 0 : (unsigned)by < sizeof(a[0]) * 8 ? small : large; return d; }
XP_WORDS(XP_SHIFT, epi16, xp_u16, slli, unsigned, (unsigned)a[i] << by, 0)
XP_WORDS(XP_SHIFT, epi16, xp_u16, srli, unsigned, a[i] >> by, 0)
XP_WORDS(XP_SHIFT, epi16, xp_i16, srai, unsigned, a[i] >> by, a[i] >> 15)
XP_INTS(XP_SHIFT, epi32, xp_u32, slli, unsigned, a[i] << by, 0)
XP_INTS(XP_SHIFT, epi32, xp_u32, srli, unsigned, a[i] >> by, 0)
XP_INTS(XP_SHIFT, epi32, xp_i32, srai, unsigned, a[i] >> by, a[i] >> 31)
XP_LONGS(XP_SHIFT, epi64, xp_u64, slli, unsigned, a[i] << by, 0)
XP_LONGS(XP_SHIFT, epi64, xp_u64, srli, unsigned, a[i] >> by, 0)
XP_LONGS(XP_SHIFT, epi64, xp_i64, srai, unsigned, a[i] >> by, a[i] >> 63)
XP_INTS(XP_MAP2, epi32, xp_u32, sllv, b[i] < 32 ? a[i] << b[i] : 0)
XP_INTS(XP_MAP2, epi32, xp_u32, srlv, b[i] < 32 ? a[i] >> b[i] : 0)
XP_INTS(XP_MAP2, epi32, xp_i32, srav, (unsigned)b[i] < 32 ? a[i] >> b[i] : a[i] >> 31)
XP_WORDS(XP_MAP2, epi16, xp_u16, sllv, b[i] < 16 ? (unsigned)a[i] << b[i] : 0)
XP_WORDS(XP_MAP2, epi16, xp_u16, srlv, b[i] < 16 ? a[i] >> b[i] : 0)
XP_WORDS(XP_MAP2, epi16, xp_i16, srav, (unsigned short)b[i] < 16 ? a[i] >> b[i] : a[i] >> 15)
XP_LONGS(XP_MAP2, epi64, xp_u64, sllv, b[i] < 64 ? a[i] << b[i] : 0)
XP_LONGS(XP_MAP2, epi64, xp_u64, srlv, b[i] < 64 ? a[i] >> b[i] : 0)
#define XP_SHIFT_BY(P, S, E, R, K, n, op, small, large) \
  XP_FUN R P##_##op##_##S(E a, xp_u64x2 by) { E d; XP_EACH(n) d[i] = by[0] < sizeof(a[0]) * 8 ? small : large; return d; }
XP_WORDS(XP_SHIFT_BY, epi16, xp_u16, sll, (unsigned)a[i] << by[0], 0)
XP_WORDS(XP_SHIFT_BY, epi16, xp_u16, srl, a[i] >> by[0], 0) XP_WORDS(XP_SHIFT_BY, epi16, xp_i16, sra, a[i] >> by[0], a[i] >> 15)
XP_INTS(XP_SHIFT_BY, epi32, xp_u32, sll, a[i] << by[0], 0) XP_INTS(XP_SHIFT_BY, epi32, xp_u32, srl, a[i] >> by[0], 0)
XP_INTS(XP_SHIFT_BY, epi32, xp_i32, sra, a[i] >> by[0], a[i] >> 31)
XP_LONGS(XP_SHIFT_BY, epi64, xp_u64, sll, a[i] << by[0], 0) XP_LONGS(XP_SHIFT_BY, epi64, xp_u64, srl, a[i] >> by[0], 0)
XP_INTS(XP_MAP2, epi32, xp_u32, rolv, a[i] << (b[i] & 31) | a[i] >> (0u - b[i] & 31))
XP_INTS(XP_MAP2, epi32, xp_u32, rorv, a[i] >> (b[i] & 31) | a[i] << (0u - b[i] & 31))
#define XP_TURN(P, S, E, R, K, n, ...) \
  XP_FUN R P##_rol_##S(E a, const int by) { E d; XP_EACH(n) d[i] = a[i] << (by & 31) | a[i] >> (-by & 31); return d; } \
  XP_FUN R P##_ror_##S(E a, const int by) { E d; XP_EACH(n) d[i] = a[i] >> (by & 31) | a[i] << (-by & 31); return d; }
XP_INTS(XP_TURN, epi32, xp_u32)

// Logic knows no lanes.
#define XP_SI(op, expr) \
  XP_FUN __m512i _mm512_##op##_si512(__m512i a, __m512i b) { return expr; } \
  XP_FUN __m256i _mm256_##op##_si256(__m256i a, __m256i b) { return expr; } \
  XP_FUN __m128i _mm_##op##_si128(__m128i a, __m128i b) { return expr; } \
  XP_FUN __m512i _mm512_##op##_epi32(__m512i a, __m512i b) { return expr; } \
  XP_FUN __m512i _mm512_##op##_epi64(__m512i a, __m512i b) { return expr; }
XP_SI(and, a & b) XP_SI(or, a | b) XP_SI(xor, a ^ b) XP_SI(andnot, ~a & b)
#define XP_MASKED_LOGIC(op, expr) \
  XP_FUN __m512i _mm512_mask_##op##_epi32(xp_u32x16 src, __mmask16 k, xp_u32x16 a, xp_u32x16 b) { xp_u32x16 d; XP_EACH(16) d[i] = XP_ON(k) ? expr : src[i]; return d; } \
  XP_FUN __m512i _mm512_maskz_##op##_epi32(__mmask16 k, xp_u32x16 a, xp_u32x16 b) { xp_u32x16 d; XP_EACH(16) d[i] = XP_ON(k) ? expr : 0; return d; }
XP_MASKED_LOGIC(and, a[i] & b[i]) XP_MASKED_LOGIC(or, a[i] | b[i]) XP_MASKED_LOGIC(xor, a[i] ^ b[i])
#define XP_FLOAT_LOGIC(op, expr) \
  XP_FUN __m512 _mm512_##op##_ps(xp_u32x16 a, xp_u32x16 b) { xp_u32x16 d; XP_EACH(16) d[i] = expr; return (__m512)d; } \
  XP_FUN __m256 _mm256_##op##_ps(xp_u32x8 a, xp_u32x8 b) { xp_u32x8 d; XP_EACH(8) d[i] = expr; return (__m256)d; } \
  XP_FUN __m128 _mm_##op##_ps(xp_u32x4 a, xp_u32x4 b) { xp_u32x4 d; XP_EACH(4) d[i] = expr; return (__m128)d; } \
  XP_FUN __m512d _mm512_##op##_pd(xp_u64x8 a, xp_u64x8 b) { xp_u64x8 d; XP_EACH(8) d[i] = expr; return (__m512d)d; } \
  XP_FUN __m256d _mm256_##op##_pd(xp_u64x4 a, xp_u64x4 b) { xp_u64x4 d; XP_EACH(4) d[i] = expr; return (__m256d)d; } \
  XP_FUN __m128d _mm_##op##_pd(xp_u64x2 a, xp_u64x2 b) { xp_u64x2 d; XP_EACH(2) d[i] = expr; return (__m128d)d; }
XP_FLOAT_LOGIC(and, a[i] & b[i]) XP_FLOAT_LOGIC(or, a[i] | b[i]) XP_FLOAT_LOGIC(xor, a[i] ^ b[i])
XP_FLOAT_LOGIC(andnot, ~a[i] & b[i])
XP_FUN __m512 _mm512_abs_ps(__m512 a) { __m512 d; XP_EACH(16) d[i] = fabsf(a[i]); return d; }
XP_FUN __m512 _mm512_mask_abs_ps(__m512 src, __mmask16 k, __m512 a) { __m512 d; XP_EACH(16) d[i] = XP_ON(k) ? fabsf(a[i]) : src[i]; return d; }
XP_FUN __m512d _mm512_abs_pd(__m512d a) { __m512d d; XP_EACH(8) d[i] = fabs(a[i]); return d; }

// Comparisons into masks.
#define XP_TEST(name, K, E, n, cond) \
  XP_FUN K name(E a, E b) { K k = 0; XP_EACH(n) k |= (K)((K)(cond) << i); return k; }
#define XP_COMPARE(P, S, E, R, K, n, op, cond) \
  XP_TEST(P##_cmp##op##_##S##_mask, K, E, n, cond) \
  XP_FUN K P##_mask_cmp##op##_##S##_mask(K m, E a, E b) { K k = 0; XP_EACH(n) k |= (K)((K)(XP_ON(m) && (cond)) << i); return k; }
#define XP_ORDERS(FORMS, ...) \
  FORMS(XP_COMPARE, __VA_ARGS__ eq, a[i] == b[i]) FORMS(XP_COMPARE, __VA_ARGS__ neq, a[i] != b[i]) \
  FORMS(XP_COMPARE, __VA_ARGS__ lt, a[i] < b[i]) FORMS(XP_COMPARE, __VA_ARGS__ le, a[i] <= b[i]) \
  FORMS(XP_COMPARE, __VA_ARGS__ gt, a[i] > b[i]) FORMS(XP_COMPARE, __VA_ARGS__ ge, a[i] >= b[i])
XP_ORDERS(XP_SIGNED) XP_ORDERS(XP_UNSIGNED)
#define XP_EPI64(M, ...) XP_LONGS(M, epi64, xp_i64, __VA_ARGS__)
XP_ORDERS(XP_EPI64)
#define XP_512_FLOATS(M, ...) \
  M(_mm512, ps, xp_f32x16, __m512, __mmask16, 16, __VA_ARGS__) M(_mm512, pd, xp_f64x8, __m512d, __mmask8, 8, __VA_ARGS__)
XP_512_FLOATS(XP_COMPARE, eq, a[i] == b[i]) XP_512_FLOATS(XP_COMPARE, neq, a[i] != b[i])
XP_512_FLOATS(XP_COMPARE, lt, a[i] < b[i]) XP_512_FLOATS(XP_COMPARE, le, a[i] <= b[i])
XP_512_FLOATS(XP_COMPARE, nlt, !(a[i] < b[i])) XP_512_FLOATS(XP_COMPARE, nle, !(a[i] <= b[i]))
XP_512_FLOATS(XP_COMPARE, ord, a[i] == a[i] && b[i] == b[i])
XP_512_FLOATS(XP_COMPARE, unord, a[i] != a[i] || b[i] != b[i])
// The predicate of VCMPPS: its low three bits and bit 3 (negated or swapped); quiet or not is all one.
#define XP_NAN(x, y) ((x) != (x) || (y) != (y))
#define XP_HOLDS(x, y, how) ( \
  ((how) & 7) == 0 ? ((how) & 8 ? (x) == (y) || XP_NAN(x, y) : (x) == (y)) \
  : ((how) & 7) == 1 ? ((how) & 8 ? !((x) >= (y)) : (x) < (y)) \
  : ((how) & 7) == 2 ? ((how) & 8 ? !((x) > (y)) : (x) <= (y)) \
  : ((how) & 7) == 3 ? ((how) & 8 ? 0 : XP_NAN(x, y)) \
  : ((how) & 7) == 4 ? ((how) & 8 ? (x) < (y) || (x) > (y) : (x) != (y)) \
  : ((how) & 7) == 5 ? ((how) & 8 ? (x) >= (y) : !((x) < (y))) \
  : ((how) & 7) == 6 ? ((how) & 8 ? (x) > (y) : !((x) <= (y))) \
  : ((how) & 8 ? 1 : !XP_NAN(x, y)))
#define XP_CMP(name, K, E, n) \
  XP_FUN K name##_mask(E a, E b, const int how) { K k = 0; XP_EACH(n) k |= (K)((K)XP_HOLDS(a[i], b[i], how) << i); return k; }
XP_CMP(_mm512_cmp_ps, __mmask16, __m512, 16) XP_CMP(_mm512_cmp_pd, __mmask8, __m512d, 8)
XP_CMP(_mm256_cmp_ps, __mmask8, __m256, 8) XP_CMP(_mm_cmp_ps, __mmask8, __m128, 4)
XP_CMP(_mm256_cmp_pd, __mmask8, __m256d, 4) XP_CMP(_mm_cmp_pd, __mmask8, __m128d, 2)
XP_FUN __mmask16 _mm512_mask_cmp_ps_mask(__mmask16 m, __m512 a, __m512 b, const int how) {
  __mmask16 k = 0;
  XP_EACH(16) k |= (__mmask16)((__mmask16)(XP_ON(m) && XP_HOLDS(a[i], b[i], how)) << i);
  return k;
}
// The predicate of VPCMP: eq, lt, le, never, ne, nlt, nle, always.
#define XP_ICMP(P, S, E, R, K, n, ...) \
  XP_FUN K P##_cmp_##S##_mask(E a, E b, const int how) { \
    K k = 0; \
    XP_EACH(n) k |= (K)((K)((how & 4) != 0 ^ ((how & 3) == 0 ? a[i] == b[i] : (how & 3) == 1 ? a[i] < b[i] : (how & 3) == 2 ? a[i] <= b[i] : 0)) << i); \
    return k; \
  } \
  XP_FUN K P##_mask_cmp_##S##_mask(K m, E a, E b, const int how) { \
    K k = 0; \
    XP_EACH(n) k |= (K)((K)(XP_ON(m) && ((how & 4) != 0 ^ ((how & 3) == 0 ? a[i] == b[i] : (how & 3) == 1 ? a[i] < b[i] : (how & 3) == 2 ? a[i] <= b[i] : 0))) << i); \
    return k; \
  }
XP_SIGNED(XP_ICMP) XP_UNSIGNED(XP_ICMP) XP_LONGS(XP_ICMP, epi64, xp_i64) XP_LONGS(XP_ICMP, epu64, xp_u64)
#define XP_BIT_TEST(P, S, E, R, K, n, op, cond) XP_TEST(P##_##op##_##S##_mask, K, E, n, cond)
XP_INTS(XP_BIT_TEST, epi32, xp_u32, test, (a[i] & b[i]) != 0) XP_INTS(XP_BIT_TEST, epi32, xp_u32, testn, (a[i] & b[i]) == 0)
XP_BYTES(XP_BIT_TEST, epi8, xp_u8, test, (a[i] & b[i]) != 0) XP_BYTES(XP_BIT_TEST, epi8, xp_u8, testn, (a[i] & b[i]) == 0)
XP_WORDS(XP_BIT_TEST, epi16, xp_u16, test, (a[i] & b[i]) != 0) XP_WORDS(XP_BIT_TEST, epi16, xp_u16, testn, (a[i] & b[i]) == 0)
XP_LONGS(XP_BIT_TEST, epi64, xp_u64, test, (a[i] & b[i]) != 0) XP_LONGS(XP_BIT_TEST, epi64, xp_u64, testn, (a[i] & b[i]) == 0)
XP_FUN int _mm256_testz_si256(xp_u64x4 a, xp_u64x4 b) { int all = 1; XP_EACH(4) all &= (a[i] & b[i]) == 0; return all; }
XP_FUN int _mm_testz_si128(xp_u64x2 a, xp_u64x2 b) { int all = 1; XP_EACH(2) all &= (a[i] & b[i]) == 0; return all; }

// SSE and AVX compare into lanes of all ones or zeros.
#define XP_ONES(name, R, E, n, cond) \
  XP_FUN R name(E a, E b) { E d; XP_EACH(n) d[i] = (cond) ? -1 : 0; return d; }
#define XP_AVX_COMPARE(op, cond) \
  XP_ONES(_mm256_cmp##op##_epi8, __m256i, xp_i8x32, 32, cond) XP_ONES(_mm_cmp##op##_epi8, __m128i, xp_i8x16, 16, cond) \
  XP_ONES(_mm256_cmp##op##_epi16, __m256i, xp_i16x16, 16, cond) XP_ONES(_mm_cmp##op##_epi16, __m128i, xp_i16x8, 8, cond) \
  XP_ONES(_mm256_cmp##op##_epi32, __m256i, xp_i32x8, 8, cond) XP_ONES(_mm_cmp##op##_epi32, __m128i, xp_i32x4, 4, cond)
XP_AVX_COMPARE(eq, a[i] == b[i]) XP_AVX_COMPARE(gt, a[i] > b[i])
#define XP_LANE_CMP(name, R, E, n) \
  XP_FUN R name(R a, R b, const int how) { E d; XP_EACH(n) d[i] = XP_HOLDS(a[i], b[i], how) ? -1 : 0; return (R)d; }
XP_LANE_CMP(_mm256_cmp_ps, __m256, xp_i32x8, 8) XP_LANE_CMP(_mm_cmp_ps, __m128, xp_i32x4, 4)
XP_LANE_CMP(_mm256_cmp_pd, __m256d, xp_i64x4, 4) XP_LANE_CMP(_mm_cmp_pd, __m128d, xp_i64x2, 2)
#define XP_SSE_COMPARE(op, cond) \
  XP_FUN __m128 _mm_cmp##op##_ps(__m128 a, __m128 b) { xp_i32x4 d; XP_EACH(4) d[i] = (cond) ? -1 : 0; return (__m128)d; }
XP_SSE_COMPARE(eq, a[i] == b[i]) XP_SSE_COMPARE(lt, a[i] < b[i]) XP_SSE_COMPARE(le, a[i] <= b[i])
XP_SSE_COMPARE(gt, a[i] > b[i]) XP_SSE_COMPARE(ge, a[i] >= b[i]) XP_SSE_COMPARE(neq, a[i] != b[i])

// Blends and moves under a mask.
#define XP_BLEND(P, S, E, R, K, n, op) \
  XP_FUN R P##_mask_##op##_##S(K k, E a, E b) { E d; XP_EACH(n) d[i] = XP_ON(k) ? b[i] : a[i]; return d; }
XP_FLOATS(XP_BLEND, blend) XP_SIGNED(XP_BLEND, blend) XP_LONGS(XP_BLEND, epi64, xp_i64, blend)
#define XP_MOVE(P, S, E, R, K, n, op) \
  XP_FUN R P##_mask_##op##_##S(E src, K k, E a) { E d; XP_EACH(n) d[i] = XP_ON(k) ? a[i] : src[i]; return d; } \
  XP_FUN R P##_maskz_##op##_##S(K k, E a) { E d; XP_EACH(n) d[i] = XP_ON(k) ? a[i] : 0; return d; }
XP_FLOATS(XP_MOVE, mov) XP_SIGNED(XP_MOVE, mov) XP_LONGS(XP_MOVE, epi64, xp_i64, mov)
XP_FUN __m256 _mm256_blendv_ps(__m256 a, __m256 b, xp_i32x8 m) { __m256 d; XP_EACH(8) d[i] = m[i] < 0 ? b[i] : a[i]; return d; }
XP_FUN __m128 _mm_blendv_ps(__m128 a, __m128 b, xp_i32x4 m) { __m128 d; XP_EACH(4) d[i] = m[i] < 0 ? b[i] : a[i]; return d; }
XP_FUN __m256i _mm256_blendv_epi8(xp_i8x32 a, xp_i8x32 b, xp_i8x32 m) { xp_i8x32 d; XP_EACH(32) d[i] = m[i] < 0 ? b[i] : a[i]; return d; }
#define XP_CHOICE(name, E, R, n) \
  XP_FUN R name(E a, E b, const int by) { E d; XP_EACH(n) d[i] = by >> i % 8 & 1 ? b[i] : a[i]; return d; }
XP_CHOICE(_mm256_blend_ps, xp_f32x8, __m256, 8) XP_CHOICE(_mm_blend_ps, xp_f32x4, __m128, 4)
XP_CHOICE(_mm256_blend_pd, xp_f64x4, __m256d, 4) XP_CHOICE(_mm_blend_pd, xp_f64x2, __m128d, 2)
XP_CHOICE(_mm256_blend_epi32, xp_i32x8, __m256i, 8) XP_CHOICE(_mm_blend_epi32, xp_i32x4, __m128i, 4)
XP_CHOICE(_mm256_blend_epi16, xp_i16x16, __m256i, 16) XP_CHOICE(_mm_blend_epi16, xp_i16x8, __m128i, 8)
XP_FUN int _mm256_movemask_epi8(xp_i8x32 a) { unsigned k = 0; XP_EACH(32) k |= (unsigned)(a[i] < 0) << i; return k; }
XP_FUN int _mm_movemask_epi8(xp_i8x16 a) { int k = 0; XP_EACH(16) k |= (a[i] < 0) << i; return k; }
XP_FUN int _mm256_movemask_pd(xp_i64x4 a) { int k = 0; XP_EACH(4) k |= (a[i] < 0) << i; return k; }
XP_FUN int _mm_movemask_pd(xp_i64x2 a) { int k = 0; XP_EACH(2) k |= (a[i] < 0) << i; return k; }
XP_FUN int _mm256_movemask_ps(xp_i32x8 a) { int k = 0; XP_EACH(8) k |= (a[i] < 0) << i; return k; }
XP_FUN int _mm_movemask_ps(xp_i32x4 a) { int k = 0; XP_EACH(4) k |= (a[i] < 0) << i; return k; }
XP_FUN __mmask16 _mm512_movepi32_mask(xp_i32x16 a) { __mmask16 k = 0; XP_EACH(16) k |= (__mmask16)((__mmask16)(a[i] < 0) << i); return k; }
XP_FUN __mmask64 _mm512_movepi8_mask(xp_i8x64 a) { __mmask64 k = 0; XP_EACH(64) k |= (__mmask64)(a[i] < 0) << i; return k; }
XP_FUN __m512i _mm512_movm_epi32(__mmask16 k) { xp_i32x16 d; XP_EACH(16) d[i] = XP_ON(k) ? -1 : 0; return d; }
XP_FUN __mmask32 _mm512_movepi16_mask(xp_i16x32 a) { __mmask32 k = 0; XP_EACH(32) k |= (__mmask32)(a[i] < 0) << i; return k; }
XP_FUN __mmask8 _mm512_movepi64_mask(xp_i64x8 a) { __mmask8 k = 0; XP_EACH(8) k |= (__mmask8)((__mmask8)(a[i] < 0) << i); return k; }
XP_FUN __mmask32 _mm256_movepi8_mask(xp_i8x32 a) { __mmask32 k = 0; XP_EACH(32) k |= (__mmask32)(a[i] < 0) << i; return k; }
XP_FUN __m512i _mm512_movm_epi16(__mmask32 k) { xp_i16x32 d; XP_EACH(32) d[i] = XP_ON(k) ? -1 : 0; return d; }
XP_FUN __m512i _mm512_movm_epi64(__mmask8 k) { xp_i64x8 d; XP_EACH(8) d[i] = XP_ON(k) ? -1 : 0; return d; }
XP_FUN __m512i _mm512_movm_epi8(__mmask64 k) { xp_i8x64 d; XP_EACH(64) d[i] = XP_ON(k) ? -1 : 0; return d; }
#define XP_TERNARY(name, R, E, n) \
  XP_FUN R name(E a, E b, E c, const int table) { \
    E d; \
    XP_EACH(n) d[i] = ((table & 1) ? ~a[i] & ~b[i] & ~c[i] : 0) | ((table & 2) ? ~a[i] & ~b[i] & c[i] : 0) \
                    | ((table & 4) ? ~a[i] & b[i] & ~c[i] : 0) | ((table & 8) ? ~a[i] & b[i] & c[i] : 0) \
                    | ((table & 16) ? a[i] & ~b[i] & ~c[i] : 0) | ((table & 32) ? a[i] & ~b[i] & c[i] : 0) \
                    | ((table & 64) ? a[i] & b[i] & ~c[i] : 0) | ((table & 128) ? a[i] & b[i] & c[i] : 0); \
    return d; \
  }
XP_TERNARY(_mm512_ternarylogic_epi32, __m512i, xp_u32x16, 16) XP_TERNARY(_mm512_ternarylogic_epi64, __m512i, xp_u64x8, 8)
XP_TERNARY(_mm256_ternarylogic_epi32, __m256i, xp_u32x8, 8) XP_TERNARY(_mm_ternarylogic_epi32, __m128i, xp_u32x4, 4)

// Masks are integers.
#define XP_MASKS(K, w) \
  XP_FUN K _kand_mask##w(K a, K b) { return a & b; } XP_FUN K _kor_mask##w(K a, K b) { return a | b; } \
  XP_FUN K _kxor_mask##w(K a, K b) { return a ^ b; } XP_FUN K _kxnor_mask##w(K a, K b) { return ~(a ^ b); } \
  XP_FUN K _knot_mask##w(K a) { return ~a; } XP_FUN K _kandn_mask##w(K a, K b) { return ~a & b; } \
  XP_FUN unsigned char _kortestz_mask##w##_u8(K a, K b) { return (K)(a | b) == 0; } \
  XP_FUN unsigned char _kortestc_mask##w##_u8(K a, K b) { return (K)(a | b) == (K)~(K)0; } \
  XP_FUN K _kshiftli_mask##w(K a, const int by) { return by < w ? a << by : 0; } \
  XP_FUN K _kshiftri_mask##w(K a, const int by) { return by < w ? a >> by : 0; }
XP_MASKS(__mmask8, 8) XP_MASKS(__mmask16, 16) XP_MASKS(__mmask32, 32) XP_MASKS(__mmask64, 64)
XP_FUN __mmask16 _mm512_kand(__mmask16 a, __mmask16 b) { return a & b; }
XP_FUN __mmask16 _mm512_kor(__mmask16 a, __mmask16 b) { return a | b; }
XP_FUN __mmask16 _mm512_kxor(__mmask16 a, __mmask16 b) { return a ^ b; }
XP_FUN __mmask16 _mm512_knot(__mmask16 a) { return ~a; }
XP_FUN __mmask16 _mm512_kandn(__mmask16 a, __mmask16 b) { return ~a & b; }
XP_FUN int _mm512_mask2int(__mmask16 a) { return a; }
XP_FUN __mmask16 _mm512_int2mask(int a) { return a; }
XP_FUN unsigned _cvtmask16_u32(__mmask16 a) { return a; }
XP_FUN __mmask16 _cvtu32_mask16(unsigned a) { return a; }
XP_FUN unsigned _cvtmask8_u32(__mmask8 a) { return a; }
XP_FUN __mmask8 _cvtu32_mask8(unsigned a) { return a; }
XP_FUN unsigned _cvtmask32_u32(__mmask32 a) { return a; }
XP_FUN __mmask32 _cvtu32_mask32(unsigned a) { return a; }
XP_FUN unsigned long long _cvtmask64_u64(__mmask64 a) { return a; }
XP_FUN __mmask64 _cvtu64_mask64(unsigned long long a) { return a; }
XP_FUN int _mm512_kortestz(__mmask16 a, __mmask16 b) { return (__mmask16)(a | b) == 0; }
XP_FUN int _mm512_kortestc(__mmask16 a, __mmask16 b) { return (__mmask16)(a | b) == 0xFFFF; }
XP_FUN __mmask16 _mm512_kunpackb(__mmask16 a, __mmask16 b) { return (a & 255) << 8 | (b & 255); }
XP_FUN __mmask16 _load_mask16(__mmask16* p) { return *p; }
XP_FUN void _store_mask16(__mmask16* p, __mmask16 a) { *p = a; }
XP_FUN unsigned _bzhi_u32(unsigned a, unsigned n) { return (n & 255) < 32 ? a & ((1u << (n & 255)) - 1) : a; }
XP_FUN unsigned long long _bzhi_u64(unsigned long long a, unsigned n) { return (n & 255) < 64 ? a & ((1ull << (n & 255)) - 1) : a; }
