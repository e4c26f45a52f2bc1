// Conversions between element types, casts between registers, parts of registers.
#pragma once
#include "types.h"

#define XP_CONVERT(name, R, E, n, S, expr) XP_FUN R name(S a) { E d; XP_EACH(n) d[i] = expr; return d; }
#define XP_CONVERTS(P, name, R, E, n, S, K, expr) \
  XP_CONVERT(P##_##name, R, E, n, S, expr) \
  XP_FUN R P##_mask_##name(E src, K k, S a) { E d; XP_EACH(n) d[i] = XP_ON(k) ? expr : src[i]; return d; } \
  XP_FUN R P##_maskz_##name(K k, S a) { E d; XP_EACH(n) d[i] = XP_ON(k) ? expr : 0; return d; }

// Wider integers keep the value. The narrow operand fills the low lanes of its register.
XP_CONVERTS(_mm512, cvtepi8_epi16, __m512i, xp_i16x32, 32, xp_i8x32, __mmask32, a[i])
XP_CONVERTS(_mm512, cvtepu8_epi16, __m512i, xp_i16x32, 32, xp_u8x32, __mmask32, a[i])
XP_CONVERTS(_mm512, cvtepi8_epi32, __m512i, xp_i32x16, 16, xp_i8x16, __mmask16, a[i])
XP_CONVERTS(_mm512, cvtepu8_epi32, __m512i, xp_i32x16, 16, xp_u8x16, __mmask16, a[i])
XP_CONVERTS(_mm512, cvtepi16_epi32, __m512i, xp_i32x16, 16, xp_i16x16, __mmask16, a[i])
XP_CONVERTS(_mm512, cvtepu16_epi32, __m512i, xp_i32x16, 16, xp_u16x16, __mmask16, a[i])
XP_CONVERTS(_mm512, cvtepi32_epi64, __m512i, xp_i64x8, 8, xp_i32x8, __mmask8, a[i])
XP_CONVERTS(_mm512, cvtepu32_epi64, __m512i, xp_i64x8, 8, xp_u32x8, __mmask8, a[i])
XP_CONVERTS(_mm512, cvtepi16_epi64, __m512i, xp_i64x8, 8, xp_i16x8, __mmask8, a[i])
XP_CONVERTS(_mm512, cvtepu16_epi64, __m512i, xp_i64x8, 8, xp_u16x8, __mmask8, a[i])
XP_CONVERTS(_mm512, cvtepi8_epi64, __m512i, xp_i64x8, 8, xp_i8x16, __mmask8, a[i])
XP_CONVERTS(_mm512, cvtepu8_epi64, __m512i, xp_i64x8, 8, xp_u8x16, __mmask8, a[i])
XP_CONVERT(_mm256_cvtepu32_epi64, __m256i, xp_i64x4, 4, xp_u32x4, a[i])
XP_CONVERT(_mm_cvtepu16_epi32, __m128i, xp_i32x4, 4, xp_u16x8, a[i])
XP_CONVERT(_mm_cvtepi32_epi64, __m128i, xp_i64x2, 2, xp_i32x4, a[i])
XP_CONVERT(_mm256_cvtepi8_epi16, __m256i, xp_i16x16, 16, xp_i8x16, a[i])
XP_CONVERT(_mm256_cvtepu8_epi16, __m256i, xp_i16x16, 16, xp_u8x16, a[i])
XP_CONVERT(_mm256_cvtepi8_epi32, __m256i, xp_i32x8, 8, xp_i8x16, a[i])
XP_CONVERT(_mm256_cvtepu8_epi32, __m256i, xp_i32x8, 8, xp_u8x16, a[i])
XP_CONVERT(_mm256_cvtepi16_epi32, __m256i, xp_i32x8, 8, xp_i16x8, a[i])
XP_CONVERT(_mm256_cvtepu16_epi32, __m256i, xp_i32x8, 8, xp_u16x8, a[i])
XP_CONVERT(_mm256_cvtepi32_epi64, __m256i, xp_i64x4, 4, xp_i32x4, a[i])
XP_CONVERT(_mm_cvtepi8_epi16, __m128i, xp_i16x8, 8, xp_i8x16, a[i])
XP_CONVERT(_mm_cvtepu8_epi16, __m128i, xp_i16x8, 8, xp_u8x16, a[i])
XP_CONVERT(_mm_cvtepi8_epi32, __m128i, xp_i32x4, 4, xp_i8x16, a[i])
XP_CONVERT(_mm_cvtepu8_epi32, __m128i, xp_i32x4, 4, xp_u8x16, a[i])
XP_CONVERT(_mm_cvtepi16_epi32, __m128i, xp_i32x4, 4, xp_i16x8, a[i])

// Narrower ones drop the high bits, or saturate.
XP_CONVERTS(_mm512, cvtepi32_epi8, __m128i, xp_u8x16, 16, xp_u32x16, __mmask16, a[i])
XP_CONVERTS(_mm512, cvtepi32_epi16, __m256i, xp_u16x16, 16, xp_u32x16, __mmask16, a[i])
XP_CONVERTS(_mm512, cvtepi16_epi8, __m256i, xp_u8x32, 32, xp_u16x32, __mmask32, a[i])
XP_CONVERTS(_mm512, cvtepi64_epi32, __m256i, xp_u32x8, 8, xp_u64x8, __mmask8, a[i])
XP_CONVERTS(_mm512, cvtsepi32_epi8, __m128i, xp_i8x16, 16, xp_i32x16, __mmask16, XP_WITHIN(a[i], -128, 127))
XP_CONVERTS(_mm512, cvtusepi32_epi8, __m128i, xp_u8x16, 16, xp_u32x16, __mmask16, a[i] > 255 ? 255 : a[i])
XP_CONVERTS(_mm512, cvtsepi32_epi16, __m256i, xp_i16x16, 16, xp_i32x16, __mmask16, XP_WITHIN(a[i], -32768, 32767))
XP_CONVERTS(_mm512, cvtusepi32_epi16, __m256i, xp_u16x16, 16, xp_u32x16, __mmask16, a[i] > 65535 ? 65535 : a[i])
XP_CONVERTS(_mm512, cvtsepi16_epi8, __m256i, xp_i8x32, 32, xp_i16x32, __mmask32, XP_WITHIN(a[i], -128, 127))
XP_CONVERTS(_mm512, cvtusepi16_epi8, __m256i, xp_u8x32, 32, xp_u16x32, __mmask32, a[i] > 255 ? 255 : a[i])
XP_CONVERTS(_mm512, cvtepi64_epi16, __m128i, xp_u16x8, 8, xp_u64x8, __mmask8, a[i])
XP_CONVERTS(_mm512, cvtsepi64_epi32, __m256i, xp_i32x8, 8, xp_i64x8, __mmask8, XP_WITHIN(a[i], -2147483648l, 2147483647l))
XP_CONVERT(_mm256_cvtepi16_epi8, __m128i, xp_u8x16, 16, xp_u16x16, a[i])
XP_CONVERT(_mm256_cvtepi32_epi16, __m128i, xp_u16x8, 8, xp_u32x8, a[i])
XP_CONVERT(_mm256_cvtsepi32_epi16, __m128i, xp_i16x8, 8, xp_i32x8, XP_WITHIN(a[i], -32768, 32767))
XP_CONVERT(_mm256_cvtsepi16_epi8, __m128i, xp_i8x16, 16, xp_i16x16, XP_WITHIN(a[i], -128, 127))
XP_CONVERT(_mm256_cvtusepi16_epi8, __m128i, xp_u8x16, 16, xp_u16x16, a[i] > 255 ? 255 : a[i])
XP_CONVERT(_mm256_cvtepi64_epi32, __m128i, xp_u32x4, 4, xp_u64x4, a[i])
// The lanes that a narrow result leaves are zero.
#define XP_PARTLY(name, R, E, n, m, S, expr) XP_FUN R name(S a) { E d; XP_EACH(n) d[i] = 0; XP_EACH(m) d[i] = expr; return d; }
XP_PARTLY(_mm256_cvtepi32_epi8, __m128i, xp_u8x16, 16, 8, xp_u32x8, a[i])
XP_PARTLY(_mm256_cvtsepi32_epi8, __m128i, xp_i8x16, 16, 8, xp_i32x8, XP_WITHIN(a[i], -128, 127))
XP_PARTLY(_mm256_cvtusepi32_epi8, __m128i, xp_u8x16, 16, 8, xp_u32x8, a[i] > 255 ? 255 : a[i])
XP_PARTLY(_mm512_cvtepi64_epi8, __m128i, xp_u8x16, 16, 8, xp_u64x8, a[i])
XP_PARTLY(_mm_cvtpd_ps, __m128, xp_f32x4, 4, 2, __m128d, (float)a[i])
#define XP_NARROW_STORE(name, T, n, E, K, value) \
  XP_FUN void name(void* p, K k, E a) { XP_EACH(n) if (XP_ON(k)) ((T*)p)[i] = value; }
XP_NARROW_STORE(_mm512_mask_cvtepi32_storeu_epi8, unsigned char, 16, xp_u32x16, __mmask16, a[i])
XP_NARROW_STORE(_mm512_mask_cvtsepi32_storeu_epi8, signed char, 16, xp_i32x16, __mmask16, XP_WITHIN(a[i], -128, 127))
XP_NARROW_STORE(_mm512_mask_cvtusepi32_storeu_epi8, unsigned char, 16, xp_u32x16, __mmask16, a[i] > 255 ? 255 : a[i])
XP_NARROW_STORE(_mm512_mask_cvtepi32_storeu_epi16, unsigned short, 16, xp_u32x16, __mmask16, a[i])
XP_NARROW_STORE(_mm512_mask_cvtsepi32_storeu_epi16, short, 16, xp_i32x16, __mmask16, XP_WITHIN(a[i], -32768, 32767))
XP_NARROW_STORE(_mm512_mask_cvtepi16_storeu_epi8, unsigned char, 32, xp_u16x32, __mmask32, a[i])
XP_NARROW_STORE(_mm512_mask_cvtsepi16_storeu_epi8, signed char, 32, xp_i16x32, __mmask32, XP_WITHIN(a[i], -128, 127))
XP_NARROW_STORE(_mm512_mask_cvtusepi16_storeu_epi8, unsigned char, 32, xp_u16x32, __mmask32, a[i] > 255 ? 255 : a[i])
XP_NARROW_STORE(_mm512_mask_cvtusepi32_storeu_epi16, unsigned short, 16, xp_u32x16, __mmask16, a[i] > 65535 ? 65535 : a[i])
XP_NARROW_STORE(_mm256_mask_cvtepi32_storeu_epi8, unsigned char, 8, xp_u32x8, __mmask8, a[i])
XP_NARROW_STORE(_mm256_mask_cvtsepi32_storeu_epi8, signed char, 8, xp_i32x8, __mmask8, XP_WITHIN(a[i], -128, 127))
XP_NARROW_STORE(_mm256_mask_cvtusepi32_storeu_epi8, unsigned char, 8, xp_u32x8, __mmask8, a[i] > 255 ? 255 : a[i])

// Integers and floats. What does not fit gives the lowest integer; rounding is to nearest even.
#define XP_TO_INT(x) ((x) >= -2147483648.0f && (x) < 2147483648.0f ? (int)(x) : -2147483647 - 1)
XP_CONVERTS(_mm512, cvtepi32_ps, __m512, xp_f32x16, 16, xp_i32x16, __mmask16, (float)a[i])
XP_CONVERTS(_mm512, cvtepu32_ps, __m512, xp_f32x16, 16, xp_u32x16, __mmask16, (float)a[i])
XP_CONVERTS(_mm512, cvtps_epi32, __m512i, xp_i32x16, 16, xp_f32x16, __mmask16, XP_TO_INT(rintf(a[i])))
XP_CONVERTS(_mm512, cvttps_epi32, __m512i, xp_i32x16, 16, xp_f32x16, __mmask16, XP_TO_INT(a[i]))
// What does not fit into unsigned ones gives the highest; into 64 bits, the lowest.
#define XP_TO_UINT(x) ((x) > -1.0f && (x) < 4294967296.0f ? (unsigned)(x) : 4294967295u)
#define XP_OF_DOUBLE(x) ((x) > -2147483649.0 && (x) < 2147483648.0 ? (int)(x) : -2147483647 - 1)
#define XP_TO_LONG(x) ((x) >= -9223372036854775808.0 && (x) < 9223372036854775808.0 ? (long)(x) : -9223372036854775807l - 1)
XP_CONVERTS(_mm512, cvtps_epu32, __m512i, xp_u32x16, 16, xp_f32x16, __mmask16, XP_TO_UINT(rintf(a[i])))
XP_CONVERTS(_mm512, cvttps_epu32, __m512i, xp_u32x16, 16, xp_f32x16, __mmask16, XP_TO_UINT(a[i]))
XP_CONVERTS(_mm512, cvtpd_epi32, __m256i, xp_i32x8, 8, xp_f64x8, __mmask8, XP_OF_DOUBLE(rint(a[i])))
XP_CONVERTS(_mm512, cvttpd_epi32, __m256i, xp_i32x8, 8, xp_f64x8, __mmask8, XP_OF_DOUBLE(a[i]))
XP_CONVERTS(_mm512, cvtps_epi64, __m512i, xp_i64x8, 8, xp_f32x8, __mmask8, XP_TO_LONG(rintf(a[i])))
XP_CONVERTS(_mm512, cvttps_epi64, __m512i, xp_i64x8, 8, xp_f32x8, __mmask8, XP_TO_LONG(a[i]))
XP_CONVERTS(_mm512, cvtpd_epi64, __m512i, xp_i64x8, 8, xp_f64x8, __mmask8, XP_TO_LONG(rint(a[i])))
XP_CONVERTS(_mm512, cvttpd_epi64, __m512i, xp_i64x8, 8, xp_f64x8, __mmask8, XP_TO_LONG(a[i]))
XP_CONVERTS(_mm512, cvtepi64_ps, __m256, xp_f32x8, 8, xp_i64x8, __mmask8, (float)a[i])
XP_CONVERT(_mm512_cvtepi32lo_pd, __m512d, xp_f64x8, 8, xp_i32x16, (double)a[i])
XP_CONVERT(_mm512_cvtpslo_pd, __m512d, xp_f64x8, 8, xp_f32x16, (double)a[i])
XP_CONVERT(_mm256_cvtepi32_pd, __m256d, xp_f64x4, 4, xp_i32x4, (double)a[i])
XP_CONVERT(_mm256_cvtpd_epi32, __m128i, xp_i32x4, 4, xp_f64x4, XP_OF_DOUBLE(rint(a[i])))
XP_CONVERT(_mm256_cvttpd_epi32, __m128i, xp_i32x4, 4, xp_f64x4, XP_OF_DOUBLE(a[i]))
XP_CONVERT(_mm_cvtepi32_pd, __m128d, xp_f64x2, 2, xp_i32x4, (double)a[i])
XP_CONVERT(_mm_cvtps_pd, __m128d, xp_f64x2, 2, xp_f32x4, (double)a[i])
XP_FUN __m512 _mm512_cvt_roundepi32_ps(xp_i32x16 a, const int how) { __m512 d; XP_EACH(16) d[i] = (float)a[i]; return d; }
XP_FUN __m512i _mm512_cvtt_roundps_epi32(xp_f32x16 a, const int how) { xp_i32x16 d; XP_EACH(16) d[i] = XP_TO_INT(a[i]); return d; }
XP_FUN __m512i _mm512_cvt_roundps_epi32(xp_f32x16 a, const int how) {
  xp_i32x16 d;
  XP_EACH(16) d[i] = XP_TO_INT(xp_rounded(a[i], how));
  return d;
}
XP_CONVERT(_mm256_cvtepi32_ps, __m256, xp_f32x8, 8, xp_i32x8, (float)a[i])
XP_CONVERT(_mm256_cvtps_epi32, __m256i, xp_i32x8, 8, xp_f32x8, XP_TO_INT(rintf(a[i])))
XP_CONVERT(_mm256_cvttps_epi32, __m256i, xp_i32x8, 8, xp_f32x8, XP_TO_INT(a[i]))
XP_CONVERT(_mm_cvtepi32_ps, __m128, xp_f32x4, 4, xp_i32x4, (float)a[i])
XP_CONVERT(_mm_cvtps_epi32, __m128i, xp_i32x4, 4, xp_f32x4, XP_TO_INT(rintf(a[i])))
XP_CONVERT(_mm_cvttps_epi32, __m128i, xp_i32x4, 4, xp_f32x4, XP_TO_INT(a[i]))
XP_CONVERTS(_mm512, cvtepi64_pd, __m512d, xp_f64x8, 8, xp_i64x8, __mmask8, (double)a[i])
XP_CONVERTS(_mm512, cvtepi32_pd, __m512d, xp_f64x8, 8, xp_i32x8, __mmask8, (double)a[i])
XP_CONVERTS(_mm512, cvtps_pd, __m512d, xp_f64x8, 8, xp_f32x8, __mmask8, (double)a[i])
XP_CONVERTS(_mm512, cvtpd_ps, __m256, xp_f32x8, 8, xp_f64x8, __mmask8, (float)a[i])
XP_CONVERT(_mm256_cvtps_pd, __m256d, xp_f64x4, 4, xp_f32x4, (double)a[i])
XP_CONVERT(_mm256_cvtpd_ps, __m128, xp_f32x4, 4, xp_f64x4, (float)a[i])

// Half precision; the immediate's rounding is to nearest even in every use that is understood.
XP_CONVERTS(_mm512, cvtph_ps, __m512, xp_f32x16, 16, xp_f16x16, __mmask16, (float)a[i])
XP_CONVERT(_mm256_cvtph_ps, __m256, xp_f32x8, 8, xp_f16x8, (float)a[i])
#define XP_TO_HALF(name, R, E, n, S) XP_FUN R name(S a, const int how) { E d; XP_EACH(n) d[i] = (_Float16)a[i]; return (R)d; }
XP_TO_HALF(_mm512_cvtps_ph, __m256i, xp_f16x16, 16, __m512) XP_TO_HALF(_mm512_cvt_roundps_ph, __m256i, xp_f16x16, 16, __m512)
XP_TO_HALF(_mm256_cvtps_ph, __m128i, xp_f16x8, 8, __m256)
XP_CONVERT(_mm_cvtph_ps, __m128, xp_f32x4, 4, xp_f16x8, (float)a[i])
XP_FUN __m128i _mm_cvtps_ph(__m128 a, const int how) { xp_f16x8 d; XP_EACH(8) d[i] = 0; XP_EACH(4) d[i] = (_Float16)a[i]; return (__m128i)d; }
XP_FUN float _cvtsh_ss(unsigned short h) { return (float)*(const _Float16*)&h; }

// bfloat16 is the upper half of a float. Numbers too small to be normal become zero.
XP_CONVERT(_mm512_cvtpbh_ps, __m512, xp_f32x16, 16, xp_bf16x16, xp_of_bf16(a[i]))
XP_FUN float xp_normal(float x) { return fabsf(x) < 1.17549435e-38f ? copysignf(0.0f, x) : x; }
XP_CONVERTS(_mm512, cvtneps_pbh, __m256bh, xp_bf16x16, 16, __m512, __mmask16, xp_to_bf16(xp_normal(a[i])))
XP_CONVERT(_mm256_cvtneps_pbh, __m128bh, xp_bf16x8, 8, __m256, xp_to_bf16(xp_normal(a[i])))
XP_FUN __m512bh _mm512_cvtne2ps_pbh(__m512 a, __m512 b) {
  xp_bf16x32 d;
  XP_EACH(16) d[i] = xp_to_bf16(xp_normal(b[i]));
  XP_EACH(16) d[i + 16] = xp_to_bf16(xp_normal(a[i]));
  return d;
}

// Casts move nothing. Lanes that a wider register adds are undefined; here they are zero.
#define XP_CAST(name, R, S) XP_FUN R name(S a) { return (R)a; }
XP_CAST(_mm512_castps_si512, __m512i, __m512) XP_CAST(_mm512_castsi512_ps, __m512, __m512i)
XP_CAST(_mm512_castpd_si512, __m512i, __m512d) XP_CAST(_mm512_castsi512_pd, __m512d, __m512i)
XP_CAST(_mm512_castps_pd, __m512d, __m512) XP_CAST(_mm512_castpd_ps, __m512, __m512d)
XP_CAST(_mm256_castps_si256, __m256i, __m256) XP_CAST(_mm256_castsi256_ps, __m256, __m256i)
XP_CAST(_mm_castps_si128, __m128i, __m128) XP_CAST(_mm_castsi128_ps, __m128, __m128i)
XP_CAST(_mm256_castps_pd, __m256d, __m256) XP_CAST(_mm256_castpd_ps, __m256, __m256d)
XP_CAST(_mm256_castpd_si256, __m256i, __m256d) XP_CAST(_mm256_castsi256_pd, __m256d, __m256i)
XP_CAST(_mm_castpd_si128, __m128i, __m128d) XP_CAST(_mm_castsi128_pd, __m128d, __m128i)
XP_CAST(_mm_castps_pd, __m128d, __m128) XP_CAST(_mm_castpd_ps, __m128, __m128d)
#define XP_LOW(name, R, E, n, S) XP_FUN R name(S a) { E d; XP_EACH(n) d[i] = a[i]; return d; }
XP_LOW(_mm512_castps512_ps256, __m256, xp_f32x8, 8, __m512) XP_LOW(_mm512_castps512_ps128, __m128, xp_f32x4, 4, __m512)
XP_LOW(_mm256_castps256_ps128, __m128, xp_f32x4, 4, __m256) XP_LOW(_mm512_castpd512_pd256, __m256d, xp_f64x4, 4, __m512d)
XP_LOW(_mm256_castpd256_pd128, __m128d, xp_f64x2, 2, __m256d)
XP_LOW(_mm512_castsi512_si256, __m256i, xp_i64x4, 4, __m512i) XP_LOW(_mm512_castsi512_si128, __m128i, xp_i64x2, 2, __m512i)
XP_LOW(_mm256_castsi256_si128, __m128i, xp_i64x2, 2, __m256i)
XP_LOW(_mm512_castpd512_pd128, __m128d, xp_f64x2, 2, __m512d)
#define XP_GROWN(name, R, E, n, m, S) XP_FUN R name(S a) { E d; XP_EACH(n) d[i] = i < m ? a[i % m] : 0; return d; }
XP_GROWN(_mm512_castps256_ps512, __m512, xp_f32x16, 16, 8, __m256) XP_GROWN(_mm512_castsi256_si512, __m512i, xp_i64x8, 8, 4, __m256i)
XP_GROWN(_mm512_castps128_ps512, __m512, xp_f32x16, 16, 4, __m128) XP_GROWN(_mm256_castps128_ps256, __m256, xp_f32x8, 8, 4, __m128)
XP_GROWN(_mm512_zextsi256_si512, __m512i, xp_i64x8, 8, 4, __m256i) XP_GROWN(_mm256_castsi128_si256, __m256i, xp_i64x4, 4, 2, __m128i)
XP_GROWN(_mm512_zextps256_ps512, __m512, xp_f32x16, 16, 8, __m256) XP_GROWN(_mm512_castsi128_si512, __m512i, xp_i64x8, 8, 2, __m128i)
XP_GROWN(_mm512_zextps128_ps512, __m512, xp_f32x16, 16, 4, __m128) XP_GROWN(_mm512_zextsi128_si512, __m512i, xp_i64x8, 8, 2, __m128i)
XP_GROWN(_mm256_zextps128_ps256, __m256, xp_f32x8, 8, 4, __m128) XP_GROWN(_mm256_zextsi128_si256, __m256i, xp_i64x4, 4, 2, __m128i)
XP_GROWN(_mm512_castpd256_pd512, __m512d, xp_f64x8, 8, 4, __m256d) XP_GROWN(_mm256_castpd128_pd256, __m256d, xp_f64x4, 4, 2, __m128d)
XP_GROWN(_mm512_castpd128_pd512, __m512d, xp_f64x8, 8, 2, __m128d)
#define XP_EXTRACT(name, R, E, n, S) XP_FUN R name(S a, const int part) { E d; XP_EACH(n) d[i] = a[part * n + i]; return d; }
XP_EXTRACT(_mm512_extractf32x8_ps, __m256, xp_f32x8, 8, __m512) XP_EXTRACT(_mm512_extractf32x4_ps, __m128, xp_f32x4, 4, __m512)
XP_EXTRACT(_mm512_extractf64x4_pd, __m256d, xp_f64x4, 4, __m512d) XP_EXTRACT(_mm512_extractf64x2_pd, __m128d, xp_f64x2, 2, __m512d)
XP_EXTRACT(_mm512_extracti64x4_epi64, __m256i, xp_i64x4, 4, __m512i) XP_EXTRACT(_mm512_extracti32x4_epi32, __m128i, xp_i64x2, 2, __m512i)
XP_EXTRACT(_mm512_extracti32x8_epi32, __m256i, xp_i64x4, 4, __m512i)
XP_EXTRACT(_mm256_extractf128_ps, __m128, xp_f32x4, 4, __m256) XP_EXTRACT(_mm256_extracti128_si256, __m128i, xp_i64x2, 2, __m256i)
XP_EXTRACT(_mm256_extractf128_pd, __m128d, xp_f64x2, 2, __m256d) XP_EXTRACT(_mm256_extractf128_si256, __m128i, xp_i64x2, 2, __m256i)
XP_EXTRACT(_mm256_extractf32x4_ps, __m128, xp_f32x4, 4, __m256) XP_EXTRACT(_mm256_extracti32x4_epi32, __m128i, xp_i64x2, 2, __m256i)
XP_EXTRACT(_mm512_extracti64x2_epi64, __m128i, xp_i64x2, 2, __m512i)
#define XP_INSERT(name, R, E, n, m, S) XP_FUN R name(E a, S b, const int part) { E d; XP_EACH(n) d[i] = i / m == part ? b[i % m] : a[i]; return d; }
XP_INSERT(_mm512_insertf32x8, __m512, xp_f32x16, 16, 8, __m256) XP_INSERT(_mm512_insertf32x4, __m512, xp_f32x16, 16, 4, __m128)
XP_INSERT(_mm512_insertf64x4, __m512d, xp_f64x8, 8, 4, __m256d) XP_INSERT(_mm512_inserti64x4, __m512i, xp_i64x8, 8, 4, xp_i64x4)
XP_INSERT(_mm512_inserti32x4, __m512i, xp_i64x8, 8, 2, xp_i64x2) XP_INSERT(_mm256_insertf128_ps, __m256, xp_f32x8, 8, 4, __m128)
XP_INSERT(_mm256_inserti128_si256, __m256i, xp_i64x4, 4, 2, xp_i64x2)
XP_INSERT(_mm512_inserti32x8, __m512i, xp_i64x8, 8, 4, xp_i64x4) XP_INSERT(_mm512_inserti64x2, __m512i, xp_i64x8, 8, 2, xp_i64x2)
XP_INSERT(_mm256_insertf128_si256, __m256i, xp_i64x4, 4, 2, xp_i64x2) XP_INSERT(_mm256_insertf128_pd, __m256d, xp_f64x4, 4, 2, __m128d)
#define XP_JOIN(S, R, E, H, m) \
  XP_FUN R _mm256_set_##S(H high, H low) { E d; XP_EACH(2 * m) d[i] = i < m ? low[i % m] : high[i % m]; return d; } \
  XP_FUN R _mm256_setr_##S(H low, H high) { E d; XP_EACH(2 * m) d[i] = i < m ? low[i % m] : high[i % m]; return d; }
XP_JOIN(m128, __m256, xp_f32x8, __m128, 4) XP_JOIN(m128d, __m256d, xp_f64x4, __m128d, 2) XP_JOIN(m128i, __m256i, xp_i64x4, __m128i, 2)
XP_FUN float _mm512_cvtss_f32(__m512 a) { return a[0]; }
XP_FUN double _mm512_cvtsd_f64(__m512d a) { return a[0]; }
XP_FUN int _mm512_cvtsi512_si32(xp_i32x16 a) { return a[0]; }
XP_FUN float _mm256_cvtss_f32(__m256 a) { return a[0]; }
XP_FUN float _mm_cvtss_f32(__m128 a) { return a[0]; }
XP_FUN double _mm_cvtsd_f64(__m128d a) { return a[0]; }
XP_FUN int _mm_cvtsi128_si32(xp_i32x4 a) { return a[0]; }
XP_FUN long long _mm_cvtsi128_si64(xp_i64x2 a) { return a[0]; }
XP_FUN int _mm_extract_epi32(xp_i32x4 a, const int which) { return a[which]; }
XP_FUN int _mm_extract_epi16(xp_u16x8 a, const int which) { return a[which]; }
XP_FUN int _mm256_extract_epi32(xp_i32x8 a, const int which) { return a[which]; }
