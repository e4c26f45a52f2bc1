// Single numbers in registers, single lanes, counts of bits.
#pragma once
#include "types.h"

// The lowest lane computes; the others come from the first operand.
#define XP_LOWEST2(op, S, R, n, expr) \
  XP_FUN R _mm_##op##_##S(R a, R b) { R d; XP_EACH(n) d[i] = i == 0 ? expr : a[i]; return d; }
#define XP_SCALARS(op, expr) XP_LOWEST2(op, ss, __m128, 4, expr) XP_LOWEST2(op, sd, __m128d, 2, expr)
XP_SCALARS(add, a[i] + b[i]) XP_SCALARS(sub, a[i] - b[i]) XP_SCALARS(mul, a[i] * b[i]) XP_SCALARS(div, a[i] / b[i])
XP_SCALARS(max, a[i] > b[i] ? a[i] : b[i]) XP_SCALARS(min, a[i] < b[i] ? a[i] : b[i]) XP_SCALARS(move, b[i])
XP_LOWEST2(sqrt, sd, __m128d, 2, sqrt(b[i]))
XP_FUN __m128 _mm_sqrt_ss(__m128 a) { __m128 d; XP_EACH(4) d[i] = i == 0 ? sqrtf(a[i]) : a[i]; return d; }
XP_FUN __m128 _mm_rsqrt_ss(__m128 a) { __m128 d; XP_EACH(4) d[i] = i == 0 ? 1.0f / sqrtf(a[i]) : a[i]; return d; }
XP_FUN __m128 _mm_rcp_ss(__m128 a) { __m128 d; XP_EACH(4) d[i] = i == 0 ? 1.0f / a[i] : a[i]; return d; }
#define XP_LOWEST3(op, S, R, n, expr) \
  XP_FUN R _mm_##op##_##S(R a, R b, R c) { R d; XP_EACH(n) d[i] = i == 0 ? expr : a[i]; return d; }
XP_LOWEST3(fmadd, ss, __m128, 4, fmaf(a[i], b[i], c[i])) XP_LOWEST3(fmadd, sd, __m128d, 2, fma(a[i], b[i], c[i]))
XP_LOWEST3(fmsub, ss, __m128, 4, fmaf(a[i], b[i], -c[i])) XP_LOWEST3(fnmadd, ss, __m128, 4, fmaf(-a[i], b[i], c[i]))

XP_FUN __m128d _mm_set_sd(double x) { __m128d d; XP_EACH(2) d[i] = i == 0 ? x : 0; return d; }
XP_FUN __m128d _mm_load_sd(const double* p) { __m128d d; XP_EACH(2) d[i] = i == 0 ? p[0] : 0; return d; }
XP_FUN void _mm_store_sd(double* p, __m128d a) { p[0] = a[0]; }
XP_FUN __m128d _mm_load1_pd(const double* p) { __m128d d; XP_EACH(2) d[i] = p[0]; return d; }
XP_FUN __m128 _mm_cvtsi32_ss(__m128 a, int x) { __m128 d; XP_EACH(4) d[i] = i == 0 ? (float)x : a[i]; return d; }
XP_FUN __m128d _mm_cvtsi32_sd(__m128d a, int x) { __m128d d; XP_EACH(2) d[i] = i == 0 ? (double)x : a[i]; return d; }
XP_FUN __m128d _mm_cvtss_sd(__m128d a, __m128 b) { __m128d d; XP_EACH(2) d[i] = i == 0 ? (double)b[0] : a[i]; return d; }
XP_FUN __m128 _mm_cvtsd_ss(__m128 a, __m128d b) { __m128 d; XP_EACH(4) d[i] = i == 0 ? (float)b[0] : a[i]; return d; }
XP_FUN int _mm_cvtss_si32(__m128 a) { return XP_TO_INT(rintf(a[0])); }
XP_FUN int _mm_cvttss_si32(__m128 a) { return XP_TO_INT(a[0]); }
XP_FUN int _mm_cvtsd_si32(__m128d a) { return XP_OF_DOUBLE(rint(a[0])); }
XP_FUN int _mm_cvttsd_si32(__m128d a) { return XP_OF_DOUBLE(a[0]); }
XP_FUN __m128i _mm_cvtsi64_si128(long long x) { xp_i64x2 d; XP_EACH(2) d[i] = i == 0 ? x : 0; return d; }
XP_FUN int _mm256_cvtsi256_si32(xp_i32x8 a) { return a[0]; }
XP_FUN double _mm256_cvtsd_f64(__m256d a) { return a[0]; }

// A lane taken out or put in.
XP_FUN int _mm_extract_ps(xp_i32x4 a, const int which) { return a[which]; }
XP_FUN int _mm_extract_epi8(xp_u8x16 a, const int which) { return a[which]; }
XP_FUN long long _mm_extract_epi64(xp_i64x2 a, const int which) { return a[which]; }
XP_FUN long long _mm256_extract_epi64(xp_i64x4 a, const int which) { return a[which]; }
#define XP_PUT(name, R, E, n, T) XP_FUN R name(E a, T x, const int which) { E d; XP_EACH(n) d[i] = i == which ? x : a[i]; return d; }
XP_PUT(_mm_insert_epi32, __m128i, xp_i32x4, 4, int) XP_PUT(_mm_insert_epi8, __m128i, xp_i8x16, 16, int)
XP_PUT(_mm_insert_epi16, __m128i, xp_i16x8, 8, int) XP_PUT(_mm_insert_epi64, __m128i, xp_i64x2, 2, long long)
XP_PUT(_mm256_insert_epi32, __m256i, xp_i32x8, 8, int)

XP_FUN int _mm_popcnt_u32(unsigned a) { return __builtin_popcount(a); }
XP_FUN long long _mm_popcnt_u64(unsigned long long a) { return __builtin_popcountll(a); }
XP_FUN unsigned _tzcnt_u32(unsigned a) { return __builtin_popcount(~a & (a - 1)); }
XP_FUN unsigned long long _tzcnt_u64(unsigned long long a) { return __builtin_popcountll(~a & (a - 1)); }
XP_FUN unsigned _lzcnt_u32(unsigned a) { return a ? __builtin_clz(a) : 32; }
XP_FUN unsigned _blsr_u32(unsigned a) { return a & (a - 1); }
XP_FUN unsigned long long _blsr_u64(unsigned long long a) { return a & (a - 1); }
XP_FUN unsigned _blsi_u32(unsigned a) { return a & (0u - a); }
