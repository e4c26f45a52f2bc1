// Read before every C text: what the C library declares. C++ texts get the C++ library as well.
#pragma once
#ifdef __cplusplus
#define __device__
#define __host__
#include "base.h"
#include "vectors.h"
#include "xp_math.h"
int printf(const char*, ...);
#include "std.h"
void __xp_assert(bool, const char*);
#else
typedef unsigned long size_t;
typedef long ptrdiff_t;
typedef signed char int8_t;
typedef unsigned char uint8_t;
typedef short int16_t;
typedef unsigned short uint16_t;
typedef int int32_t;
typedef unsigned int uint32_t;
typedef long int64_t;
typedef unsigned long uint64_t;
typedef long intptr_t;
typedef unsigned long uintptr_t;
#define NULL ((void*)0)
#define bool _Bool
#define true 1
#define false 0
#define INFINITY __builtin_inff()
#define HUGE_VAL __builtin_huge_val()
#define HUGE_VALF __builtin_huge_valf()
#define NAN __builtin_nanf("")
#include "constants.h"
#define static_assert _Static_assert
#define alignas _Alignas
#define alignof _Alignof
#define XP_F1(name) double name(double); float name##f(float);
XP_F1(sqrt) XP_F1(cbrt) XP_F1(exp) XP_F1(exp2) XP_F1(expm1) XP_F1(log) XP_F1(log2) XP_F1(log10)
XP_F1(log1p) XP_F1(sin) XP_F1(cos) XP_F1(tan) XP_F1(asin) XP_F1(acos) XP_F1(atan) XP_F1(sinh)
XP_F1(cosh) XP_F1(tanh) XP_F1(asinh) XP_F1(acosh) XP_F1(atanh) XP_F1(erf) XP_F1(erfc)
XP_F1(tgamma) XP_F1(lgamma) XP_F1(floor) XP_F1(ceil) XP_F1(trunc) XP_F1(round) XP_F1(rint)
XP_F1(nearbyint) XP_F1(fabs)
#define XP_F2(name) double name(double, double); float name##f(float, float);
XP_F2(pow) XP_F2(atan2) XP_F2(fmod) XP_F2(remainder) XP_F2(hypot) XP_F2(copysign) XP_F2(fdim)
XP_F2(fmin) XP_F2(fmax)
double fma(double, double, double);
float fmaf(float, float, float);
double ldexp(double, int);
float ldexpf(float, int);
static inline float scalbnf(float x, int n) { return ldexpf(x, n); }
static inline double scalbn(double x, int n) { return ldexp(x, n); }
static inline float modff(float x, float* whole) { *whole = truncf(x); return x - truncf(x); }
static inline double modf(double x, double* whole) { *whole = trunc(x); return x - trunc(x); }
int abs(int);
long labs(long);
long long llabs(long long);
long lrint(double);
long lrintf(float);
long long llrint(double);
long long llrintf(float);
static inline long lround(double x) { return (long)round(x); }
static inline long lroundf(float x) { return (long)roundf(x); }
static inline long long llround(double x) { return (long long)round(x); }
static inline long long llroundf(float x) { return (long long)roundf(x); }
#define XP_TEST(name) \
  __attribute__((overloadable)) _Bool name(float); \
  __attribute__((overloadable)) _Bool name(double);
XP_TEST(isnan) XP_TEST(isinf) XP_TEST(isfinite) XP_TEST(signbit)
void* malloc(size_t);
void* aligned_alloc(size_t, size_t);
void free(void*);
void* memcpy(void*, const void*, size_t);
void* memmove(void*, const void*, size_t);
void* memset(void*, int, size_t);
static inline void* calloc(size_t count, size_t size) {
  void* memory = malloc(count * size);
  memset(memory, 0, count * size);
  return memory;
}
void exit(int);
void abort(void);
typedef struct FILE FILE;
extern FILE *stderr, *stdout;
int printf(const char*, ...);
int fprintf(FILE*, const char*, ...);
void __xp_assert(int, const char*);
#endif
#define assert(c) __xp_assert((c), #c)
