// What <immintrin.h> and its kin declare, as far as it is covered: see ../semantics.
#pragma once
#ifndef __cplusplus
float copysignf(float, float);
float rintf(float);
#endif
#include "../semantics/arithmetic.cpp"
#include "../semantics/memory.cpp"
#include "../semantics/convert.cpp"
#include "../semantics/shuffle.cpp"
#include "../semantics/reduce.cpp"
#include "../semantics/scalar.cpp"
void* _mm_malloc(size_t, size_t);
void _mm_free(void*);

#define _MM_MANT_NORM_1_2 0
#define _MM_MANT_NORM_p5_2 1
#define _MM_MANT_NORM_p5_1 2
#define _MM_MANT_NORM_p75_1p5 3
#define _MM_MANT_SIGN_src 0
#define _MM_MANT_SIGN_zero 1
#define _MM_MANT_SIGN_nan 2
#define _MM_HINT_T0 3
#define _MM_HINT_T1 2
#define _MM_HINT_T2 1
#define _MM_HINT_NTA 0
#define _MM_FROUND_TO_NEAREST_INT 0
#define _MM_FROUND_TO_NEG_INF 1
#define _MM_FROUND_TO_POS_INF 2
#define _MM_FROUND_TO_ZERO 3
#define _MM_FROUND_CUR_DIRECTION 4
#define _MM_FROUND_NO_EXC 8
#define _MM_FROUND_RAISE_EXC 0
#define _MM_SHUFFLE(a, b, c, d) (((a) << 6) | ((b) << 4) | ((c) << 2) | (d))
enum { _CMP_EQ_OQ, _CMP_LT_OS, _CMP_LE_OS, _CMP_UNORD_Q, _CMP_NEQ_UQ, _CMP_NLT_US, _CMP_NLE_US, _CMP_ORD_Q,
       _CMP_EQ_UQ, _CMP_NGE_US, _CMP_NGT_US, _CMP_FALSE_OQ, _CMP_NEQ_OQ, _CMP_GE_OS, _CMP_GT_OS, _CMP_TRUE_UQ,
       _CMP_EQ_OS, _CMP_LT_OQ, _CMP_LE_OQ, _CMP_UNORD_S, _CMP_NEQ_US, _CMP_NLT_UQ, _CMP_NLE_UQ, _CMP_ORD_S,
       _CMP_EQ_US, _CMP_NGE_UQ, _CMP_NGT_UQ, _CMP_FALSE_OS, _CMP_NEQ_OS, _CMP_GE_OQ, _CMP_GT_OQ, _CMP_TRUE_US };
enum { _MM_CMPINT_EQ, _MM_CMPINT_LT, _MM_CMPINT_LE, _MM_CMPINT_FALSE, _MM_CMPINT_NE, _MM_CMPINT_NLT, _MM_CMPINT_NLE };
#define _MM_CMPINT_GE _MM_CMPINT_NLT
#define _MM_CMPINT_GT _MM_CMPINT_NLE
