// Mathematical functions, declared for every type that C++ and CUDA declare them for.
#pragma once
#pragma clang force_cuda_host_device begin

#define XP_F1(name) \
  float name##f(float); \
  double name(double); \
  float name(float); \
  template <class T> typename xp_if<xp_integral<T>::value, double>::type name(T);
XP_F1(sqrt) XP_F1(rsqrt) XP_F1(cbrt) XP_F1(rcbrt) XP_F1(exp) XP_F1(exp2) XP_F1(exp10)
XP_F1(expm1) XP_F1(log) XP_F1(log2) XP_F1(log10) XP_F1(log1p) XP_F1(sin) XP_F1(cos) XP_F1(tan)
XP_F1(sinpi) XP_F1(cospi) XP_F1(asin) XP_F1(acos) XP_F1(atan) XP_F1(sinh) XP_F1(cosh) XP_F1(tanh)
XP_F1(asinh) XP_F1(acosh) XP_F1(atanh) XP_F1(erf) XP_F1(erfc) XP_F1(erfinv) XP_F1(normcdf)
XP_F1(tgamma) XP_F1(lgamma) XP_F1(floor) XP_F1(ceil) XP_F1(trunc) XP_F1(round) XP_F1(rint)
XP_F1(nearbyint)
#define XP_F2(name) \
  float name##f(float, float); \
  double name(double, double); \
  float name(float, float); \
  inline double name(float a, double b) { return name((double)a, b); } \
  inline double name(double a, float b) { return name(a, (double)b); } \
  inline double name(float a, int b) { return name((double)a, (double)b); } \
  inline double name(double a, int b) { return name(a, (double)b); } \
  inline double name(int a, double b) { return name((double)a, b); } \
  inline double name(int a, float b) { return name((double)a, (double)b); } \
  inline double name(int a, int b) { return name((double)a, (double)b); }
XP_F2(pow) XP_F2(atan2) XP_F2(fmod) XP_F2(remainder) XP_F2(hypot) XP_F2(copysign) XP_F2(fdim)
XP_F2(fmin) XP_F2(fmax)
float powif(float, int);
float fmaf(float, float, float);
double fma(double, double, double);
float fma(float, float, float);
float fabsf(float);
double fabs(double);
float fabs(float);
template <class T> typename xp_if<xp_integral<T>::value, double>::type fabs(T);
int abs(int);
long abs(long);
long long abs(long long);
float abs(float);
double abs(double);
long labs(long);
long long llabs(long long);
float ldexpf(float, int);
double ldexp(double, int);
float ldexp(float, int);
inline float scalbnf(float x, int n) { return ldexpf(x, n); }
inline double scalbn(double x, int n) { return ldexp(x, n); }
long lrintf(float);
long lrint(double);
long long llrintf(float);
long long llrint(double);
inline long lroundf(float x) { return (long)roundf(x); }
inline long lround(double x) { return (long)round(x); }
bool isnan(float);
bool isnan(double);
bool isinf(float);
bool isinf(double);
bool isfinite(float);
bool isfinite(double);
bool signbit(float);
bool signbit(double);
inline bool __isnanf(float x) { return isnan(x); }
inline bool __isinff(float x) { return isinf(x); }
inline bool isnanf(float x) { return isnan(x); }
inline bool isinff(float x) { return isinf(x); }
inline void sincosf(float x, float* s, float* c) { *s = sinf(x); *c = cosf(x); }
inline void sincos(double x, double* s, double* c) { *s = sin(x); *c = cos(x); }
inline void sincospif(float x, float* s, float* c) { *s = sinpif(x); *c = cospif(x); }
inline float modff(float x, float* whole) { *whole = truncf(x); return x - truncf(x); }
float normcdff(float);
inline float rhypotf(float a, float b) { return 1.0f / hypotf(a, b); }
inline float norm3df(float a, float b, float c) { return sqrtf(a * a + b * b + c * c); }
float nanf(const char*);

// min and max of CUDA: the usual conversions first
#define XP_MINMAX(T, A, B) \
  T max(A, B); \
  T min(A, B);
XP_MINMAX(int, int, int) XP_MINMAX(unsigned, unsigned, unsigned)
XP_MINMAX(unsigned, int, unsigned) XP_MINMAX(unsigned, unsigned, int)
XP_MINMAX(long, long, long) XP_MINMAX(unsigned long, unsigned long, unsigned long)
XP_MINMAX(unsigned long, long, unsigned long) XP_MINMAX(unsigned long, unsigned long, long)
XP_MINMAX(long, int, long) XP_MINMAX(long, long, int)
XP_MINMAX(unsigned long, int, unsigned long) XP_MINMAX(unsigned long, unsigned long, int)
XP_MINMAX(unsigned long, unsigned, unsigned long) XP_MINMAX(unsigned long, unsigned long, unsigned)
XP_MINMAX(long long, long long, long long)
XP_MINMAX(unsigned long long, unsigned long long, unsigned long long)
XP_MINMAX(float, float, float) XP_MINMAX(double, double, double)
XP_MINMAX(double, float, double) XP_MINMAX(double, double, float)
XP_MINMAX(float, float, int) XP_MINMAX(float, int, float)
XP_MINMAX(double, double, int) XP_MINMAX(double, int, double)

unsigned umin(unsigned, unsigned);
unsigned umax(unsigned, unsigned);

// hardware approximations
float __expf(float);
float __exp10f(float);
float __logf(float);
float __log2f(float);
float __log10f(float);
float __sinf(float);
float __cosf(float);
float __tanf(float);
float __powf(float, float);
float __fdividef(float, float);
inline void __sincosf(float x, float* s, float* c) { *s = __sinf(x); *c = __cosf(x); }
float __saturatef(float);
inline float fdividef(float a, float b) { return a / b; }

// operations with a rounding mode; the modes other than to-nearest are not modelled
#define XP_ROUNDED(sfx) \
  inline float __fadd_##sfx(float a, float b) { return a + b; } \
  inline float __fsub_##sfx(float a, float b) { return a - b; } \
  inline float __fmul_##sfx(float a, float b) { return a * b; } \
  inline float __fdiv_##sfx(float a, float b) { return a / b; } \
  inline float __frcp_##sfx(float a) { return 1.0f / a; } \
  inline float __fsqrt_##sfx(float a) { return sqrtf(a); } \
  inline float __fmaf_##sfx(float a, float b, float c) { return fmaf(a, b, c); } \
  inline double __dadd_##sfx(double a, double b) { return a + b; } \
  inline double __dsub_##sfx(double a, double b) { return a - b; } \
  inline double __dmul_##sfx(double a, double b) { return a * b; } \
  inline double __ddiv_##sfx(double a, double b) { return a / b; } \
  inline double __dsqrt_##sfx(double a) { return sqrt(a); } \
  inline double __fma_##sfx(double a, double b, double c) { return fma(a, b, c); }
XP_ROUNDED(rn)
inline float __frsqrt_rn(float a) { return rsqrtf(a); }

// conversions
int __float2int_rn(float);
int __float2int_rz(float);
int __float2int_ru(float);
int __float2int_rd(float);
unsigned __float2uint_rn(float);
unsigned __float2uint_rz(float);
unsigned __float2uint_ru(float);
unsigned __float2uint_rd(float);
int __double2int_rn(double);
int __double2int_rz(double);
long long __float2ll_rn(float);
long long __double2ll_rn(double);
inline float __int2float_rn(int x) { return (float)x; }
inline float __uint2float_rn(unsigned x) { return (float)x; }
inline float __ll2float_rn(long long x) { return (float)x; }
inline float __ull2float_rn(unsigned long long x) { return (float)x; }
inline float __double2float_rn(double x) { return (float)x; }
inline double __int2double_rn(int x) { return (double)x; }
inline double __uint2double_rn(unsigned x) { return (double)x; }
inline double __ll2double_rn(long long x) { return (double)x; }
int __float_as_int(float);
unsigned __float_as_uint(float);
float __int_as_float(int);
float __uint_as_float(unsigned);
long long __double_as_longlong(double);
double __longlong_as_double(long long);

// integer intrinsics
int __popc(unsigned);
int __popcll(unsigned long long);
int __clz(int);
int __clzll(long long);
int __ffs(int);
int __ffsll(long long);
unsigned __brev(unsigned);
unsigned long long __brevll(unsigned long long);
int __mulhi(int, int);
unsigned __umulhi(unsigned, unsigned);
long long __mul64hi(long long, long long);
unsigned long long __umul64hi(unsigned long long, unsigned long long);
unsigned __byte_perm(unsigned, unsigned, unsigned);
unsigned __funnelshift_l(unsigned, unsigned, unsigned);
unsigned __funnelshift_r(unsigned, unsigned, unsigned);
int __dp4a(int, int, int);
unsigned __dp4a(unsigned, unsigned, unsigned);
unsigned __sad(int, int, unsigned);
inline int __mul24(int a, int b) { return ((a << 8) >> 8) * ((b << 8) >> 8); }
inline unsigned __umul24(unsigned a, unsigned b) { return (a & 0xffffffu) * (b & 0xffffffu); }
inline int __hadd(int a, int b) { return (int)(((long)a + b) >> 1); }
inline int __rhadd(int a, int b) { return (int)(((long)a + b + 1) >> 1); }

// loads and stores with cache hints
template <class T> inline T __ldg(const T* p) { return *p; }
template <class T> inline T __ldca(const T* p) { return *p; }
template <class T> inline T __ldcg(const T* p) { return *p; }
template <class T> inline T __ldcs(const T* p) { return *p; }
template <class T> inline T __ldlu(const T* p) { return *p; }
template <class T> inline T __ldcv(const T* p) { return *p; }
template <class T> inline void __stwb(T* p, T v) { *p = v; }
template <class T> inline void __stcg(T* p, T v) { *p = v; }
template <class T> inline void __stcs(T* p, T v) { *p = v; }
template <class T> inline void __stwt(T* p, T v) { *p = v; }
#define __builtin_nontemporal_load(p) (*(p))  // what clang has itself takes no template
#define __builtin_nontemporal_store(v, p) ((void)(*(p) = (v)))

#pragma clang force_cuda_host_device end
