// The vector types, and macros that state the forms of one instruction (widths, masks) at once.
// Everything in this folder is C as well as C++, since the texts that include it are either.
#pragma once

#define XP_VECTOR(name, elem, bytes) typedef elem name __attribute__((vector_size(bytes)));
XP_VECTOR(__m128, float, 16) XP_VECTOR(__m256, float, 32) XP_VECTOR(__m512, float, 64)
XP_VECTOR(__m128d, double, 16) XP_VECTOR(__m256d, double, 32) XP_VECTOR(__m512d, double, 64)
XP_VECTOR(__m128i, long long, 16) XP_VECTOR(__m256i, long long, 32) XP_VECTOR(__m512i, long long, 64)
XP_VECTOR(__m128h, _Float16, 16) XP_VECTOR(__m256h, _Float16, 32) XP_VECTOR(__m512h, _Float16, 64)
XP_VECTOR(__m128bh, __bf16, 16) XP_VECTOR(__m256bh, __bf16, 32) XP_VECTOR(__m512bh, __bf16, 64)
typedef unsigned char __mmask8;
typedef unsigned short __mmask16;
typedef unsigned int __mmask32;
typedef unsigned long long __mmask64;

// One register seen as lanes of another type.
#define XP_VIEWS(elem, name, n) \
  XP_VECTOR(name##x##n, elem, sizeof(elem) * n)
#define XP_THREE_VIEWS(elem, name, a, b, c) XP_VIEWS(elem, name, a) XP_VIEWS(elem, name, b) XP_VIEWS(elem, name, c)
XP_THREE_VIEWS(signed char, xp_i8, 16, 32, 64) XP_THREE_VIEWS(unsigned char, xp_u8, 16, 32, 64)
XP_THREE_VIEWS(short, xp_i16, 8, 16, 32) XP_THREE_VIEWS(unsigned short, xp_u16, 8, 16, 32)
XP_THREE_VIEWS(int, xp_i32, 4, 8, 16) XP_THREE_VIEWS(unsigned, xp_u32, 4, 8, 16)
XP_THREE_VIEWS(long, xp_i64, 2, 4, 8) XP_THREE_VIEWS(unsigned long, xp_u64, 2, 4, 8)
XP_THREE_VIEWS(float, xp_f32, 4, 8, 16) XP_THREE_VIEWS(double, xp_f64, 2, 4, 8)
XP_THREE_VIEWS(_Float16, xp_f16, 8, 16, 32) XP_THREE_VIEWS(__bf16, xp_bf16, 8, 16, 32)

#define XP_FUN static inline
XP_FUN float xp_of_bf16(__bf16 x) { return (float)x; }
XP_FUN __bf16 xp_to_bf16(float x) { return (__bf16)x; }
#define XP_EACH(n) for (int i = 0; i < n; i++)
#define XP_ON(k) ((k) >> i & 1)

// M(P, S, E, R, K, n, ..): P prefix of the name, E view of the operands, R type of the registers,
// K mask type, n lanes.
#define XP_PS(M, ...) \
  M(_mm512, ps, xp_f32x16, __m512, __mmask16, 16, __VA_ARGS__) \
  M(_mm256, ps, xp_f32x8, __m256, __mmask8, 8, __VA_ARGS__) M(_mm, ps, xp_f32x4, __m128, __mmask8, 4, __VA_ARGS__)
#define XP_PD(M, ...) \
  M(_mm512, pd, xp_f64x8, __m512d, __mmask8, 8, __VA_ARGS__) \
  M(_mm256, pd, xp_f64x4, __m256d, __mmask8, 4, __VA_ARGS__) M(_mm, pd, xp_f64x2, __m128d, __mmask8, 2, __VA_ARGS__)
#define XP_BYTES(M, S, view, ...) \
  M(_mm512, S, view##x64, __m512i, __mmask64, 64, __VA_ARGS__) \
  M(_mm256, S, view##x32, __m256i, __mmask32, 32, __VA_ARGS__) M(_mm, S, view##x16, __m128i, __mmask16, 16, __VA_ARGS__)
#define XP_WORDS(M, S, view, ...) \
  M(_mm512, S, view##x32, __m512i, __mmask32, 32, __VA_ARGS__) \
  M(_mm256, S, view##x16, __m256i, __mmask16, 16, __VA_ARGS__) M(_mm, S, view##x8, __m128i, __mmask8, 8, __VA_ARGS__)
#define XP_INTS(M, S, view, ...) \
  M(_mm512, S, view##x16, __m512i, __mmask16, 16, __VA_ARGS__) \
  M(_mm256, S, view##x8, __m256i, __mmask8, 8, __VA_ARGS__) M(_mm, S, view##x4, __m128i, __mmask8, 4, __VA_ARGS__)
#define XP_LONGS(M, S, view, ...) \
  M(_mm512, S, view##x8, __m512i, __mmask8, 8, __VA_ARGS__) \
  M(_mm256, S, view##x4, __m256i, __mmask8, 4, __VA_ARGS__) M(_mm, S, view##x2, __m128i, __mmask8, 2, __VA_ARGS__)
#define XP_FLOATS(M, ...) XP_PS(M, __VA_ARGS__) XP_PD(M, __VA_ARGS__)
#define XP_SIGNED(M, ...) \
  XP_BYTES(M, epi8, xp_i8, __VA_ARGS__) XP_WORDS(M, epi16, xp_i16, __VA_ARGS__) \
  XP_INTS(M, epi32, xp_i32, __VA_ARGS__)
#define XP_UNSIGNED(M, ...) \
  XP_BYTES(M, epu8, xp_u8, __VA_ARGS__) XP_WORDS(M, epu16, xp_u16, __VA_ARGS__) \
  XP_INTS(M, epu32, xp_u32, __VA_ARGS__)
// Where the result wraps around, the lanes are unsigned whatever the name says.
#define XP_WRAPPING(M, ...) \
  XP_BYTES(M, epi8, xp_u8, __VA_ARGS__) XP_WORDS(M, epi16, xp_u16, __VA_ARGS__) \
  XP_INTS(M, epi32, xp_u32, __VA_ARGS__) XP_LONGS(M, epi64, xp_u64, __VA_ARGS__)

// A lane of the result from lanes of one, two, three operands; plain and under a mask.
#define XP_PLAIN1(P, S, E, R, K, n, op, expr) \
  XP_FUN R P##_##op##_##S(E a) { E d; XP_EACH(n) d[i] = expr; return d; }
#define XP_MAP1(P, S, E, R, K, n, op, expr) \
  XP_PLAIN1(P, S, E, R, K, n, op, expr) \
  XP_FUN R P##_mask_##op##_##S(E src, K k, E a) { E d; XP_EACH(n) d[i] = XP_ON(k) ? expr : src[i]; return d; } \
  XP_FUN R P##_maskz_##op##_##S(K k, E a) { E d; XP_EACH(n) d[i] = XP_ON(k) ? expr : 0; return d; }
#define XP_PLAIN2(P, S, E, R, K, n, op, expr) \
  XP_FUN R P##_##op##_##S(E a, E b) { E d; XP_EACH(n) d[i] = expr; return d; }
#define XP_MAP2(P, S, E, R, K, n, op, expr) \
  XP_PLAIN2(P, S, E, R, K, n, op, expr) \
  XP_FUN R P##_mask_##op##_##S(E src, K k, E a, E b) { E d; XP_EACH(n) d[i] = XP_ON(k) ? expr : src[i]; return d; } \
  XP_FUN R P##_maskz_##op##_##S(K k, E a, E b) { E d; XP_EACH(n) d[i] = XP_ON(k) ? expr : 0; return d; }
#define XP_MAP3(P, S, E, R, K, n, op, expr) \
  XP_FUN R P##_##op##_##S(E a, E b, E c) { E d; XP_EACH(n) d[i] = expr; return d; } \
  XP_FUN R P##_mask_##op##_##S(E a, K k, E b, E c) { E d; XP_EACH(n) d[i] = XP_ON(k) ? expr : a[i]; return d; } \
  XP_FUN R P##_mask3_##op##_##S(E a, E b, E c, K k) { E d; XP_EACH(n) d[i] = XP_ON(k) ? expr : c[i]; return d; } \
  XP_FUN R P##_maskz_##op##_##S(K k, E a, E b, E c) { E d; XP_EACH(n) d[i] = XP_ON(k) ? expr : 0; return d; }
