// Loads, stores, constants, broadcasts, gathers and scatters.
#pragma once
#include "types.h"

// A whole register; a masked lane that is off is neither read nor written.
#define XP_LOAD(P, S, E, R, K, n, T) \
  XP_FUN R P##_loadu_##S(const void* p) { E d; XP_EACH(n) d[i] = ((const T*)p)[i]; return d; } \
  XP_FUN R P##_load_##S(const void* p) { E d; XP_EACH(n) d[i] = ((const T*)p)[i]; return d; } \
  XP_FUN void P##_storeu_##S(void* p, E a) { XP_EACH(n) ((T*)p)[i] = a[i]; } \
  XP_FUN void P##_store_##S(void* p, E a) { XP_EACH(n) ((T*)p)[i] = a[i]; }
#define XP_MASKED_LOAD(P, S, E, R, K, n, T, op, put) \
  XP_FUN R P##_mask_##op##_##S(E src, K k, const void* p) { E d; XP_EACH(n) d[i] = XP_ON(k) ? ((const T*)p)[i] : src[i]; return d; } \
  XP_FUN R P##_maskz_##op##_##S(K k, const void* p) { E d; XP_EACH(n) d[i] = XP_ON(k) ? ((const T*)p)[i] : 0; return d; } \
  XP_FUN void P##_mask_##put##_##S(void* p, K k, E a) { XP_EACH(n) if (XP_ON(k)) ((T*)p)[i] = a[i]; }
#define XP_BOTH_LOADS(P, S, E, R, K, n, T) \
  XP_LOAD(P, S, E, R, K, n, T) XP_MASKED_LOAD(P, S, E, R, K, n, T, loadu, storeu) \
  XP_MASKED_LOAD(P, S, E, R, K, n, T, load, store)
#define XP_ANY_LOAD(P, S, E, R, K, n, T) XP_MASKED_LOAD(P, S, E, R, K, n, T, loadu, storeu)
XP_PS(XP_BOTH_LOADS, float) XP_PD(XP_BOTH_LOADS, double)
XP_INTS(XP_BOTH_LOADS, epi32, xp_i32, int) XP_LONGS(XP_BOTH_LOADS, epi64, xp_i64, long)
XP_BYTES(XP_ANY_LOAD, epi8, xp_i8, signed char) XP_WORDS(XP_ANY_LOAD, epi16, xp_i16, short)
XP_FUN __m512i _mm512_loadu_epi8(const void* p) { xp_i8x64 d; XP_EACH(64) d[i] = ((const signed char*)p)[i]; return d; }
XP_FUN __m512i _mm512_loadu_epi16(const void* p) { xp_i16x32 d; XP_EACH(32) d[i] = ((const short*)p)[i]; return d; }
#define XP_NARROW_LOAD(P, R, E, n, S, T) \
  XP_FUN R P##_loadu_##S(const void* p) { E d; XP_EACH(n) d[i] = ((const T*)p)[i]; return d; } \
  XP_FUN void P##_storeu_##S(void* p, E a) { XP_EACH(n) ((T*)p)[i] = a[i]; }
XP_NARROW_LOAD(_mm256, __m256i, xp_i8x32, 32, epi8, signed char) XP_NARROW_LOAD(_mm, __m128i, xp_i8x16, 16, epi8, signed char)
XP_NARROW_LOAD(_mm256, __m256i, xp_i16x16, 16, epi16, short) XP_NARROW_LOAD(_mm, __m128i, xp_i16x8, 8, epi16, short)
XP_FUN void _mm512_storeu_epi8(void* p, xp_i8x64 a) { XP_EACH(64) ((signed char*)p)[i] = a[i]; }
XP_FUN void _mm512_storeu_epi16(void* p, xp_i16x32 a) { XP_EACH(32) ((short*)p)[i] = a[i]; }

// Bits of no special type: one access of the register.
#define XP_BITS(P, w, R) \
  XP_FUN R P##_loadu_si##w(const void* p) { return *(const R*)p; } \
  XP_FUN R P##_load_si##w(const void* p) { return *(const R*)p; } \
  XP_FUN void P##_storeu_si##w(void* p, R a) { *(R*)p = a; } \
  XP_FUN void P##_store_si##w(void* p, R a) { *(R*)p = a; } \
  XP_FUN R P##_setzero_si##w(void) { return (R){0}; }
XP_BITS(_mm512, 512, __m512i) XP_BITS(_mm256, 256, __m256i) XP_BITS(_mm, 128, __m128i)
XP_FUN __m256i _mm256_lddqu_si256(const void* p) { return *(const __m256i*)p; }
XP_FUN __m512i _mm512_stream_load_si512(const void* p) { return *(const __m512i*)p; }
XP_FUN void _mm512_stream_si512(void* p, __m512i a) { *(__m512i*)p = a; }
XP_FUN void _mm512_stream_ps(void* p, __m512 a) { XP_EACH(16) ((float*)p)[i] = a[i]; }
XP_FUN void _mm512_stream_pd(void* p, __m512d a) { XP_EACH(8) ((double*)p)[i] = a[i]; }
XP_FUN __m512i _mm512_setzero_epi32(void) { return (__m512i){0}; }
XP_FUN __m512 _mm512_setzero(void) { __m512 d; XP_EACH(16) d[i] = 0; return d; }
XP_FUN __m128i _mm_loadl_epi64(const void* p) { xp_i8x16 d; XP_EACH(16) d[i] = i < 8 ? ((const signed char*)p)[i] : 0; return d; }
XP_FUN __m128i _mm_loadu_si64(const void* p) { xp_i8x16 d; XP_EACH(16) d[i] = i < 8 ? ((const signed char*)p)[i] : 0; return d; }
XP_FUN __m128i _mm_loadu_si32(const void* p) { xp_i8x16 d; XP_EACH(16) d[i] = i < 4 ? ((const signed char*)p)[i] : 0; return d; }
XP_FUN void _mm_storel_epi64(void* p, xp_i8x16 a) { XP_EACH(8) ((signed char*)p)[i] = a[i]; }
XP_FUN void _mm_storeu_si32(void* p, xp_i8x16 a) { XP_EACH(4) ((signed char*)p)[i] = a[i]; }
XP_FUN __m128i _mm_loadu_si16(const void* p) { xp_i8x16 d; XP_EACH(16) d[i] = i < 2 ? ((const signed char*)p)[i] : 0; return d; }
XP_FUN void _mm_storeu_si64(void* p, xp_i8x16 a) { XP_EACH(8) ((signed char*)p)[i] = a[i]; }
XP_FUN void _mm_storeu_si16(void* p, xp_i8x16 a) { XP_EACH(2) ((signed char*)p)[i] = a[i]; }
XP_FUN __m128 _mm_load1_ps(const float* p) { __m128 d; XP_EACH(4) d[i] = p[0]; return d; }
XP_FUN __m128 _mm_load_ps1(const float* p) { __m128 d; XP_EACH(4) d[i] = p[0]; return d; }
XP_FUN __m128 _mm_load_ss(const float* p) { __m128 d; XP_EACH(4) d[i] = i == 0 ? p[0] : 0; return d; }
XP_FUN void _mm_store_ss(float* p, __m128 a) { p[0] = a[0]; }
XP_FUN __m256 _mm256_maskload_ps(const float* p, xp_i32x8 m) { __m256 d; XP_EACH(8) d[i] = m[i] < 0 ? p[i] : 0; return d; }
XP_FUN void _mm256_maskstore_ps(float* p, xp_i32x8 m, __m256 a) { XP_EACH(8) if (m[i] < 0) p[i] = a[i]; }
XP_FUN __m256i _mm256_maskload_epi32(const int* p, xp_i32x8 m) { xp_i32x8 d; XP_EACH(8) d[i] = m[i] < 0 ? p[i] : 0; return d; }
XP_FUN void _mm256_maskstore_epi32(int* p, xp_i32x8 m, xp_i32x8 a) { XP_EACH(8) if (m[i] < 0) p[i] = a[i]; }

#define XP_SET1(P, S, E, R, K, n, T) XP_FUN R P##_set1_##S(T x) { E d; XP_EACH(n) d[i] = x; return d; }
#define XP_SET1_MASKED(P, S, E, R, K, n, T) \
  XP_SET1(P, S, E, R, K, n, T) \
  XP_FUN R P##_mask_set1_##S(E src, K k, T x) { E d; XP_EACH(n) d[i] = XP_ON(k) ? x : src[i]; return d; } \
  XP_FUN R P##_maskz_set1_##S(K k, T x) { E d; XP_EACH(n) d[i] = XP_ON(k) ? x : 0; return d; }
XP_PS(XP_SET1, float) XP_PD(XP_SET1, double)
XP_BYTES(XP_SET1_MASKED, epi8, xp_i8, signed char) XP_WORDS(XP_SET1_MASKED, epi16, xp_i16, short)
XP_INTS(XP_SET1_MASKED, epi32, xp_i32, int)
XP_FUN __m512i _mm512_set1_epi64(long long x) { xp_i64x8 d; XP_EACH(8) d[i] = x; return d; }
XP_FUN __m256i _mm256_set1_epi64x(long long x) { xp_i64x4 d; XP_EACH(4) d[i] = x; return d; }
XP_FUN __m128i _mm_set1_epi64x(long long x) { xp_i64x2 d; XP_EACH(2) d[i] = x; return d; }
XP_FUN __m512i _mm512_mask_set1_epi64(xp_i64x8 src, __mmask8 k, long long x) { xp_i64x8 d; XP_EACH(8) d[i] = XP_ON(k) ? x : src[i]; return d; }
XP_FUN __m512i _mm512_maskz_set1_epi64(__mmask8 k, long long x) { xp_i64x8 d; XP_EACH(8) d[i] = XP_ON(k) ? x : 0; return d; }
#define XP_ZERO(P, S, E, R, K, n, ...) XP_FUN R P##_setzero_##S(void) { E d; XP_EACH(n) d[i] = 0; return d; }
XP_FLOATS(XP_ZERO)
#define XP_UNDEFINED(P, S, E, R, K, n, ...) XP_FUN R P##_undefined_##S(void) { E d; XP_EACH(n) d[i] = 0; return d; }
XP_FLOATS(XP_UNDEFINED)
XP_FUN __m512i _mm512_undefined_epi32(void) { xp_i64x8 d; XP_EACH(8) d[i] = 0; return d; }
XP_FUN __m256i _mm256_undefined_si256(void) { xp_i64x4 d; XP_EACH(4) d[i] = 0; return d; }
XP_FUN __m512 _mm512_undefined(void) { __m512 d; XP_EACH(16) d[i] = 0; return d; }

// The last argument is lane 0 (set) or the first (setr).
#define XP_LIST4(T) T a, T b, T c, T d
#define XP_LIST8(T) XP_LIST4(T), T e, T f, T g, T h
#define XP_LIST16(T) XP_LIST8(T), T q, T r, T s, T t, T u, T v, T w, T x
#define XP_SETS4(P, S, E, R, T) \
  XP_FUN R P##_set_##S(XP_LIST4(T)) { E z = {d, c, b, a}; return z; } XP_FUN R P##_setr_##S(XP_LIST4(T)) { E z = {a, b, c, d}; return z; }
#define XP_SETS8(P, S, E, R, T) \
  XP_FUN R P##_set_##S(XP_LIST8(T)) { E z = {h, g, f, e, d, c, b, a}; return z; } \
  XP_FUN R P##_setr_##S(XP_LIST8(T)) { E z = {a, b, c, d, e, f, g, h}; return z; }
#define XP_SETS16(P, S, E, R, T) \
  XP_FUN R P##_set_##S(XP_LIST16(T)) { E z = {x, w, v, u, t, s, r, q, h, g, f, e, d, c, b, a}; return z; } \
  XP_FUN R P##_setr_##S(XP_LIST16(T)) { E z = {a, b, c, d, e, f, g, h, q, r, s, t, u, v, w, x}; return z; }
XP_SETS16(_mm512, ps, __m512, __m512, float) XP_SETS16(_mm512, epi32, xp_i32x16, __m512i, int)
XP_SETS8(_mm512, pd, __m512d, __m512d, double) XP_SETS8(_mm512, epi64, xp_i64x8, __m512i, long long)
XP_SETS8(_mm256, ps, __m256, __m256, float) XP_SETS8(_mm256, epi32, xp_i32x8, __m256i, int)
XP_SETS4(_mm256, pd, __m256d, __m256d, double) XP_SETS4(_mm, ps, __m128, __m128, float)
XP_SETS4(_mm, epi32, xp_i32x4, __m128i, int) XP_SETS8(_mm, epi16, xp_i16x8, __m128i, short)
XP_SETS16(_mm, epi8, xp_i8x16, __m128i, char) XP_SETS16(_mm256, epi16, xp_i16x16, __m256i, short)
// Longer lists come in blocks of eight lanes.
#define XP_BLOCK(T, p) T p##0, T p##1, T p##2, T p##3, T p##4, T p##5, T p##6, T p##7
#define XP_UP(p) p##0, p##1, p##2, p##3, p##4, p##5, p##6, p##7
#define XP_DOWN(p) p##7, p##6, p##5, p##4, p##3, p##2, p##1, p##0
#define XP_BLOCKS4(T) XP_BLOCK(T, a), XP_BLOCK(T, b), XP_BLOCK(T, c), XP_BLOCK(T, d)
XP_FUN __m256i _mm256_setr_epi8(XP_BLOCKS4(char)) { xp_i8x32 z = {XP_UP(a), XP_UP(b), XP_UP(c), XP_UP(d)}; return z; }
XP_FUN __m256i _mm256_set_epi8(XP_BLOCKS4(char)) { xp_i8x32 z = {XP_DOWN(d), XP_DOWN(c), XP_DOWN(b), XP_DOWN(a)}; return z; }
XP_FUN __m512i _mm512_set_epi16(XP_BLOCKS4(short)) { xp_i16x32 z = {XP_DOWN(d), XP_DOWN(c), XP_DOWN(b), XP_DOWN(a)}; return z; }
XP_FUN __m512i _mm512_set_epi8(XP_BLOCKS4(char), XP_BLOCK(char, e), XP_BLOCK(char, f), XP_BLOCK(char, g), XP_BLOCK(char, h)) {
  xp_i8x64 z = {XP_DOWN(h), XP_DOWN(g), XP_DOWN(f), XP_DOWN(e), XP_DOWN(d), XP_DOWN(c), XP_DOWN(b), XP_DOWN(a)};
  return z;
}
XP_SETS4(_mm256, epi64x, xp_i64x4, __m256i, long long)
XP_FUN __m128i _mm_set_epi64x(long long a, long long b) { xp_i64x2 z = {b, a}; return z; }
XP_FUN __m128d _mm_set_pd(double a, double b) { __m128d z = {b, a}; return z; }
XP_FUN __m128d _mm_setr_pd(double a, double b) { __m128d z = {a, b}; return z; }
#define XP_FOURS(S, R, E, n, T) \
  XP_FUN R _mm512_set4_##S(XP_LIST4(T)) { E z; XP_EACH(n) z[i] = i % 4 == 0 ? d : i % 4 == 1 ? c : i % 4 == 2 ? b : a; return z; } \
  XP_FUN R _mm512_setr4_##S(XP_LIST4(T)) { E z; XP_EACH(n) z[i] = i % 4 == 0 ? a : i % 4 == 1 ? b : i % 4 == 2 ? c : d; return z; }
XP_FOURS(ps, __m512, xp_f32x16, 16, float) XP_FOURS(epi32, __m512i, xp_i32x16, 16, int)
XP_FUN __m128 _mm_set_ss(float x) { __m128 d; XP_EACH(4) d[i] = i == 0 ? x : 0; return d; }
XP_FUN __m128i _mm_cvtsi32_si128(int x) { xp_i32x4 d; XP_EACH(4) d[i] = i == 0 ? x : 0; return d; }

#define XP_SPREAD(name, R, E, n, S) XP_FUN R name(S a) { E d; XP_EACH(n) d[i] = a[0]; return d; }
XP_SPREAD(_mm512_broadcastss_ps, __m512, xp_f32x16, 16, __m128) XP_SPREAD(_mm256_broadcastss_ps, __m256, xp_f32x8, 8, __m128)
XP_SPREAD(_mm512_broadcastsd_pd, __m512d, xp_f64x8, 8, __m128d) XP_SPREAD(_mm512_broadcastd_epi32, __m512i, xp_i32x16, 16, xp_i32x4)
XP_SPREAD(_mm512_broadcastq_epi64, __m512i, xp_i64x8, 8, xp_i64x2) XP_SPREAD(_mm512_broadcastb_epi8, __m512i, xp_i8x64, 64, xp_i8x16)
XP_SPREAD(_mm512_broadcastw_epi16, __m512i, xp_i16x32, 32, xp_i16x8) XP_SPREAD(_mm256_broadcastd_epi32, __m256i, xp_i32x8, 8, xp_i32x4)
XP_FUN __m256 _mm256_broadcast_ss(const float* p) { __m256 d; XP_EACH(8) d[i] = p[0]; return d; }
XP_FUN __m128 _mm_broadcast_ss(const float* p) { __m128 d; XP_EACH(4) d[i] = p[0]; return d; }
XP_FUN __m256d _mm256_broadcast_sd(const double* p) { __m256d d; XP_EACH(4) d[i] = p[0]; return d; }
#define XP_REPEAT(name, R, E, n, m, S) XP_FUN R name(S a) { E d; XP_EACH(n) d[i] = a[i % m]; return d; }
XP_REPEAT(_mm512_broadcast_f32x4, __m512, xp_f32x16, 16, 4, __m128) XP_REPEAT(_mm512_broadcast_f32x8, __m512, xp_f32x16, 16, 8, __m256)
XP_REPEAT(_mm512_broadcast_i32x4, __m512i, xp_i32x16, 16, 4, xp_i32x4) XP_REPEAT(_mm512_broadcast_i64x4, __m512i, xp_i64x8, 8, 4, xp_i64x4)
XP_REPEAT(_mm512_broadcast_f64x4, __m512d, xp_f64x8, 8, 4, __m256d) XP_REPEAT(_mm256_broadcastsi128_si256, __m256i, xp_i64x4, 4, 2, xp_i64x2)

// base + index * scale bytes.
#define XP_AT(T, p, x, scale) (*(const T*)((const char*)(p) + (long)(x) * (scale)))
#define XP_GATHER(name, mask, E, R, I, K, n, T) \
  XP_FUN R name(I x, const void* p, const int scale) { E d; XP_EACH(n) d[i] = XP_AT(T, p, x[i], scale); return d; } \
  XP_FUN R mask(E src, K k, I x, const void* p, const int scale) { E d; XP_EACH(n) d[i] = XP_ON(k) ? XP_AT(T, p, x[i], scale) : src[i]; return d; }
XP_GATHER(_mm512_i32gather_ps, _mm512_mask_i32gather_ps, xp_f32x16, __m512, xp_i32x16, __mmask16, 16, float)
XP_GATHER(_mm512_i32gather_epi32, _mm512_mask_i32gather_epi32, xp_i32x16, __m512i, xp_i32x16, __mmask16, 16, int)
XP_GATHER(_mm512_i32gather_pd, _mm512_mask_i32gather_pd, xp_f64x8, __m512d, xp_i32x8, __mmask8, 8, double)
XP_GATHER(_mm512_i64gather_pd, _mm512_mask_i64gather_pd, xp_f64x8, __m512d, xp_i64x8, __mmask8, 8, double)
XP_GATHER(_mm512_i64gather_epi64, _mm512_mask_i64gather_epi64, xp_i64x8, __m512i, xp_i64x8, __mmask8, 8, long)
XP_GATHER(_mm512_i32gather_epi64, _mm512_mask_i32gather_epi64, xp_i64x8, __m512i, xp_i32x8, __mmask8, 8, long)
XP_GATHER(_mm512_i64gather_epi32, _mm512_mask_i64gather_epi32, xp_i32x8, __m256i, xp_i64x8, __mmask8, 8, int)
XP_GATHER(_mm512_i64gather_ps, _mm512_mask_i64gather_ps, xp_f32x8, __m256, xp_i64x8, __mmask8, 8, float)
XP_FUN __m256 _mm256_i32gather_ps(const float* p, xp_i32x8 x, const int scale) { __m256 d; XP_EACH(8) d[i] = XP_AT(float, p, x[i], scale); return d; }
XP_FUN __m256i _mm256_i32gather_epi32(const int* p, xp_i32x8 x, const int scale) { xp_i32x8 d; XP_EACH(8) d[i] = XP_AT(int, p, x[i], scale); return d; }
// Lanes write one after the other: of equal addresses the last one stays.
#define XP_PLACE(T, p, x, scale) (*(T*)((char*)(p) + (long)(x) * (scale)))
#define XP_SCATTER(name, mask, E, I, K, n, T) \
  XP_FUN void name(void* p, I x, E a, const int scale) { XP_EACH(n) XP_PLACE(T, p, x[i], scale) = a[i]; } \
  XP_FUN void mask(void* p, K k, I x, E a, const int scale) { XP_EACH(n) if (XP_ON(k)) XP_PLACE(T, p, x[i], scale) = a[i]; }
XP_SCATTER(_mm512_i32scatter_ps, _mm512_mask_i32scatter_ps, xp_f32x16, xp_i32x16, __mmask16, 16, float)
XP_SCATTER(_mm512_i32scatter_epi32, _mm512_mask_i32scatter_epi32, xp_i32x16, xp_i32x16, __mmask16, 16, int)
XP_SCATTER(_mm512_i32scatter_pd, _mm512_mask_i32scatter_pd, xp_f64x8, xp_i32x8, __mmask8, 8, double)
XP_SCATTER(_mm512_i32scatter_epi64, _mm512_mask_i32scatter_epi64, xp_i64x8, xp_i32x8, __mmask8, 8, long)
XP_SCATTER(_mm512_i64scatter_epi64, _mm512_mask_i64scatter_epi64, xp_i64x8, xp_i64x8, __mmask8, 8, long)
XP_SCATTER(_mm512_i64scatter_epi32, _mm512_mask_i64scatter_epi32, xp_i32x8, xp_i64x8, __mmask8, 8, int)
XP_SCATTER(_mm512_i64scatter_ps, _mm512_mask_i64scatter_ps, xp_f32x8, xp_i64x8, __mmask8, 8, float)
XP_SCATTER(_mm512_i64scatter_pd, _mm512_mask_i64scatter_pd, xp_f64x8, xp_i64x8, __mmask8, 8, double)

// Lanes that are on move together, in memory or in the register.
#define XP_COMPRESS(P, S, E, R, K, n, T) \
  XP_FUN void P##_mask_compressstoreu_##S(void* p, K k, E a) { int j = 0; XP_EACH(n) if (XP_ON(k)) { ((T*)p)[j] = a[i]; j++; } } \
  XP_FUN R P##_maskz_compress_##S(K k, E a) { E d; int j = 0; XP_EACH(n) d[i] = 0; XP_EACH(n) if (XP_ON(k)) { d[j] = a[i]; j++; } return d; } \
  XP_FUN R P##_mask_compress_##S(E src, K k, E a) { E d; int j = 0; XP_EACH(n) d[i] = src[i]; XP_EACH(n) if (XP_ON(k)) { d[j] = a[i]; j++; } return d; } \
  XP_FUN R P##_maskz_expand_##S(K k, E a) { E d; int j = 0; XP_EACH(n) { d[i] = 0; if (XP_ON(k)) { d[i] = a[j]; j++; } } return d; } \
  XP_FUN R P##_mask_expand_##S(E src, K k, E a) { E d; int j = 0; XP_EACH(n) { d[i] = src[i]; if (XP_ON(k)) { d[i] = a[j]; j++; } } return d; } \
  XP_FUN R P##_mask_expandloadu_##S(E src, K k, const void* p) { E d; int j = 0; XP_EACH(n) { d[i] = src[i]; if (XP_ON(k)) { d[i] = ((const T*)p)[j]; j++; } } return d; } \
  XP_FUN R P##_maskz_expandloadu_##S(K k, const void* p) { E d; int j = 0; XP_EACH(n) { d[i] = 0; if (XP_ON(k)) { d[i] = ((const T*)p)[j]; j++; } } return d; }
XP_COMPRESS(_mm512, ps, xp_f32x16, __m512, __mmask16, 16, float) XP_COMPRESS(_mm512, epi32, xp_i32x16, __m512i, __mmask16, 16, int)
XP_COMPRESS(_mm512, pd, xp_f64x8, __m512d, __mmask8, 8, double) XP_COMPRESS(_mm512, epi64, xp_i64x8, __m512i, __mmask8, 8, long)

// What concerns caches and the order of accesses changes no value.
XP_FUN void _mm_prefetch(const void* p, const int hint) {}
XP_FUN void _mm256_zeroupper(void) {}
#ifdef __cplusplus  // these are clang's own there, which nobody may define
#define _mm_sfence() ((void)0)
#define _mm_lfence() ((void)0)
#define _mm_mfence() ((void)0)
#define _mm_pause() ((void)0)
#else
XP_FUN void _mm_sfence(void) {}
XP_FUN void _mm_lfence(void) {}
XP_FUN void _mm_mfence(void) {}
XP_FUN void _mm_pause(void) {}
#endif
