// Mathematical functions under their host and device spellings, and integer and cast intrinsics.
//
// Functions of the C library are declared exactly as the C library declares them, so that a user's <cmath> or <math.h>
// agrees. C++ overloads for float are templates that accept float only: a non-template of <math.h> wins over them, and
// the two never clash. Fast approximations (`__expf`) compute the precise function: they document a larger error.
#ifndef XP_MATH_H
#define XP_MATH_H

#define XP_LIBM_1(X) X(acos) X(acosh) X(asin) X(asinh) X(atan) X(atanh) X(cbrt) X(ceil) X(cos) X(cosh) X(erf) X(erfc)   \
  X(exp) X(exp2) X(exp10) X(expm1) X(fabs) X(floor) X(lgamma) X(log) X(log10) X(log1p) X(log2) X(logb) X(nearbyint)     \
  X(rint) X(round) X(sin) X(sinh) X(sqrt) X(tan) X(tanh) X(tgamma) X(trunc)
#define XP_LIBM_2(X) X(atan2) X(copysign) X(fdim) X(fmax) X(fmin) X(fmod) X(hypot) X(nextafter) X(remainder)
// Ours: not in the C library, or only in very new ones (where they have this same C declaration).
#define XP_OWN_1(X) X(rsqrt) X(rcbrt) X(sinpi) X(cospi) X(erfinv) X(erfcinv) X(erfcx) X(normcdf) X(normcdfinv)          \
  X(cyl_bessel_i0) X(cyl_bessel_i1)

extern "C" {
#define XP_X(name) double name(double) noexcept(true); float name##f(float) noexcept(true);
XP_LIBM_1(XP_X)
XP_OWN_1(XP_X)
#undef XP_X
#define XP_X(name) double name(double, double) noexcept(true); float name##f(float, float) noexcept(true);
XP_LIBM_2(XP_X)
XP_X(pow)
#undef XP_X
double fma(double, double, double) noexcept(true); float fmaf(float, float, float) noexcept(true);
double ldexp(double, int) noexcept(true);          float ldexpf(float, int) noexcept(true);
double scalbn(double, int) noexcept(true);         float scalbnf(float, int) noexcept(true);
double frexp(double, int*) noexcept(true);         float frexpf(float, int*) noexcept(true);
double modf(double, double*) noexcept(true);       float modff(float, float*) noexcept(true);
int ilogb(double) noexcept(true);                  int ilogbf(float) noexcept(true);
long lrint(double) noexcept(true);                 long lrintf(float) noexcept(true);
long lround(double) noexcept(true);                long lroundf(float) noexcept(true);
long long llrint(double) noexcept(true);           long long llrintf(float) noexcept(true);
long long llround(double) noexcept(true);          long long llroundf(float) noexcept(true);
void sincos(double, double*, double*) noexcept(true); void sincosf(float, float*, float*) noexcept(true);
double j0(double) noexcept(true);                  float j0f(float) noexcept(true);
double j1(double) noexcept(true);                  float j1f(float) noexcept(true);
int abs(int) noexcept(true);
long labs(long) noexcept(true);
long long llabs(long long) noexcept(true);
// Fast intrinsics whose names the C library declares as well.
float __expf(float) noexcept(true);
float __exp10f(float) noexcept(true);
float __logf(float) noexcept(true);
float __log2f(float) noexcept(true);
float __log10f(float) noexcept(true);
float __sinf(float) noexcept(true);
float __cosf(float) noexcept(true);
float __tanf(float) noexcept(true);
float __powf(float, float) noexcept(true);
void __sincosf(float, float*, float*) noexcept(true);
}
float fdividef(float, float);
double norm3d(double, double, double);             float norm3df(float, float, float);
double norm4d(double, double, double, double);     float norm4df(float, float, float, float);
double rnorm3d(double, double, double);            float rnorm3df(float, float, float);
double rhypot(double, double);                     float rhypotf(float, float);
void sincospi(double, double*, double*);           void sincospif(float, float*, float*);

#define XP_FLOAT_ONLY typename xp_simt::If<xp_simt::Equal<T, float>::value, float>::type
#define XP_X(name) template <class T> inline XP_FLOAT_ONLY name(T x) { return name##f(x); }
XP_LIBM_1(XP_X)
XP_X(rsqrt)
#undef XP_X
#define XP_X(name) template <class T> inline XP_FLOAT_ONLY name(T x, T y) { return name##f(x, y); }
XP_LIBM_2(XP_X)
XP_X(pow)
#undef XP_X
template <class T> inline XP_FLOAT_ONLY pow(T x, int n) { return powf(x, (float)n); }
template <class T> inline XP_FLOAT_ONLY fma(T x, T y, T z) { return fmaf(x, y, z); }
template <class T> inline XP_FLOAT_ONLY ldexp(T x, int n) { return ldexpf(x, n); }
template <class T> inline XP_FLOAT_ONLY frexp(T x, int* n) { return frexpf(x, n); }
template <class T> inline XP_FLOAT_ONLY modf(T x, T* whole) { return modff(x, whole); }
template <class T> inline XP_FLOAT_ONLY abs(T x) { return __builtin_fabsf(x); }
template <class T> inline typename xp_simt::If<xp_simt::Equal<T, double>::value, double>::type abs(T x) {
  return __builtin_fabs(x);
}
template <class T>
inline typename xp_simt::If<xp_simt::Equal<T, long>::value || xp_simt::Equal<T, long long>::value, T>::type abs(T x) {
  return x < 0 ? -x : x;
}
template <class T> inline typename xp_simt::If<xp_simt::Equal<T, float>::value>::type xp_floating(T) { return 0; }
template <class T> inline typename xp_simt::If<xp_simt::Equal<T, double>::value>::type xp_floating(T) { return 0; }
#define XP_TEST(f, builtin) \
  template <class T> inline auto f(T x) -> decltype(xp_floating(x), true) { return builtin(x); }
XP_TEST(isnan, __builtin_isnan)
XP_TEST(isinf, __builtin_isinf_sign)
XP_TEST(isfinite, __builtin_isfinite)
XP_TEST(signbit, __builtin_signbit)
#undef XP_TEST
#undef XP_FLOAT_ONLY

// ---- minimum and maximum: the vendors' overload set --------------------------------------------------------
#define XP_MINMAX(A, B, R)                                                                  \
  constexpr R min(A a, B b) { return (R)b < (R)a ? (R)b : (R)a; }                           \
  constexpr R max(A a, B b) { return (R)a < (R)b ? (R)b : (R)a; }
XP_MINMAX(int, int, int)
XP_MINMAX(unsigned, unsigned, unsigned)
XP_MINMAX(int, unsigned, unsigned)
XP_MINMAX(unsigned, int, unsigned)
XP_MINMAX(long, long, long)
XP_MINMAX(unsigned long, unsigned long, unsigned long)
XP_MINMAX(long, unsigned long, unsigned long)
XP_MINMAX(unsigned long, long, unsigned long)
XP_MINMAX(long long, long long, long long)
XP_MINMAX(unsigned long long, unsigned long long, unsigned long long)
XP_MINMAX(long long, unsigned long long, unsigned long long)
XP_MINMAX(unsigned long long, long long, unsigned long long)
#undef XP_MINMAX
#define XP_MINMAX(A, B, R, lesser, greater)                              \
  inline R min(A a, B b) { return lesser((R)a, (R)b); }                  \
  inline R max(A a, B b) { return greater((R)a, (R)b); }
XP_MINMAX(float, float, float, __builtin_fminf, __builtin_fmaxf)
XP_MINMAX(double, double, double, __builtin_fmin, __builtin_fmax)
XP_MINMAX(float, double, double, __builtin_fmin, __builtin_fmax)
XP_MINMAX(double, float, double, __builtin_fmin, __builtin_fmax)
#undef XP_MINMAX
inline int umin(unsigned a, unsigned b) { return (int)(a < b ? a : b); }
inline int umax(unsigned a, unsigned b) { return (int)(a < b ? b : a); }

// ---- arithmetic with a stated rounding ---------------------------------------------------------------------
inline float __fdividef(float x, float y) { return x / y; }
inline float __saturatef(float x) { return x > 0.0f ? (x < 1.0f ? x : 1.0f) : 0.0f; }     // NaN gives 0
inline float __frcp_rn(float x) { return 1.0f / x; }
inline float __fsqrt_rn(float x) { return __builtin_sqrtf(x); }
inline float __frsqrt_rn(float x) { return (float)(1.0 / __builtin_sqrt((double)x)); }
inline float __fadd_rn(float x, float y) { return x + y; }
inline float __fsub_rn(float x, float y) { return x - y; }
inline float __fmul_rn(float x, float y) { return x * y; }
inline float __fdiv_rn(float x, float y) { return x / y; }
inline float __fmaf_rn(float x, float y, float z) { return __builtin_fmaf(x, y, z); }
inline double __dadd_rn(double x, double y) { return x + y; }
inline double __dsub_rn(double x, double y) { return x - y; }
inline double __dmul_rn(double x, double y) { return x * y; }
inline double __ddiv_rn(double x, double y) { return x / y; }
inline double __drcp_rn(double x) { return 1.0 / x; }
inline double __dsqrt_rn(double x) { return __builtin_sqrt(x); }
inline double __fma_rn(double x, double y, double z) { return __builtin_fma(x, y, z); }
// Directed: rz towards zero, ru up, rd down.
#define XP_DIRECTED(mode)                                                                                         \
  float __fadd_##mode(float, float); float __fsub_##mode(float, float); float __fmul_##mode(float, float);        \
  float __fdiv_##mode(float, float); float __frcp_##mode(float); float __fsqrt_##mode(float);                     \
  float __fmaf_##mode(float, float, float); float __double2float_##mode(double);                                  \
  float __int2float_##mode(int); float __uint2float_##mode(unsigned); float __ll2float_##mode(long long);         \
  float __ull2float_##mode(unsigned long long); double __ll2double_##mode(long long);
XP_DIRECTED(rz) XP_DIRECTED(ru) XP_DIRECTED(rd)
#undef XP_DIRECTED

// ---- conversions: to integers they saturate, NaN gives 0 ---------------------------------------------------
namespace xp_simt {
double rounded_rn(double); double rounded_rz(double); double rounded_ru(double); double rounded_rd(double);
template <class I> inline I saturated(double v) {
  constexpr bool negative = (I)-1 < (I)0;
  constexpr I top = (I)(negative ? ((1ull << (8 * sizeof(I) - 1)) - 1) : ~0ull), bottom = (I)(negative ? ~top : 0);
  return v != v ? 0 : v >= (double)top ? top : v <= (double)bottom ? bottom : (I)v;
}
}  // namespace xp_simt
#define XP_CONVERT(mode)                                                                                              \
  inline int __float2int_##mode(float x) { return xp_simt::saturated<int>(xp_simt::rounded_##mode(x)); }              \
  inline unsigned __float2uint_##mode(float x) { return xp_simt::saturated<unsigned>(xp_simt::rounded_##mode(x)); }   \
  inline long long __float2ll_##mode(float x) { return xp_simt::saturated<long long>(xp_simt::rounded_##mode(x)); }   \
  inline unsigned long long __float2ull_##mode(float x) {                                                             \
    return xp_simt::saturated<unsigned long long>(xp_simt::rounded_##mode(x));                                        \
  }                                                                                                                   \
  inline int __double2int_##mode(double x) { return xp_simt::saturated<int>(xp_simt::rounded_##mode(x)); }            \
  inline unsigned __double2uint_##mode(double x) { return xp_simt::saturated<unsigned>(xp_simt::rounded_##mode(x)); } \
  inline long long __double2ll_##mode(double x) { return xp_simt::saturated<long long>(xp_simt::rounded_##mode(x)); } \
  inline unsigned long long __double2ull_##mode(double x) {                                                           \
    return xp_simt::saturated<unsigned long long>(xp_simt::rounded_##mode(x));                                        \
  }
XP_CONVERT(rn) XP_CONVERT(rz) XP_CONVERT(ru) XP_CONVERT(rd)
#undef XP_CONVERT
inline float __double2float_rn(double x) { return (float)x; }
inline float __int2float_rn(int x) { return (float)x; }
inline float __uint2float_rn(unsigned x) { return (float)x; }
inline float __ll2float_rn(long long x) { return (float)x; }
inline float __ull2float_rn(unsigned long long x) { return (float)x; }
inline double __int2double_rn(int x) { return x; }
inline double __uint2double_rn(unsigned x) { return x; }
inline double __ll2double_rn(long long x) { return (double)x; }
inline double __ull2double_rn(unsigned long long x) { return (double)x; }

// ---- bits --------------------------------------------------------------------------------------------------
inline int __float_as_int(float x) { return xp_simt::bits<int>(x); }
inline unsigned __float_as_uint(float x) { return xp_simt::bits<unsigned>(x); }
inline float __int_as_float(int x) { return xp_simt::bits<float>(x); }
inline float __uint_as_float(unsigned x) { return xp_simt::bits<float>(x); }
inline long long __double_as_longlong(double x) { return xp_simt::bits<long long>(x); }
inline double __longlong_as_double(long long x) { return xp_simt::bits<double>(x); }
inline int __double2hiint(double x) { return (int)(xp_simt::bits<unsigned long long>(x) >> 32); }
inline int __double2loint(double x) { return (int)xp_simt::bits<unsigned long long>(x); }
inline double __hiloint2double(int high, int low) {
  return xp_simt::bits<double>((unsigned long long)(unsigned)high << 32 | (unsigned)low);
}
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __clz(int x) { return x ? __builtin_clz((unsigned)x) : 32; }
inline int __clzll(long long x) { return x ? __builtin_clzll((unsigned long long)x) : 64; }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }
unsigned __brev(unsigned x);
unsigned long long __brevll(unsigned long long x);
unsigned __byte_perm(unsigned x, unsigned y, unsigned selector);
inline int __mul24(int x, int y) { return (int)((unsigned)(x << 8 >> 8) * (unsigned)(y << 8 >> 8)); }
inline unsigned __umul24(unsigned x, unsigned y) { return (x & 0xffffff) * (y & 0xffffff); }
inline int __mulhi(int x, int y) { return (int)(((long long)x * y) >> 32); }
inline unsigned __umulhi(unsigned x, unsigned y) { return (unsigned)(((unsigned long long)x * y) >> 32); }
inline long long __mul64hi(long long x, long long y) { return (long long)(((__int128)x * y) >> 64); }
inline unsigned long long __umul64hi(unsigned long long x, unsigned long long y) {
  return (unsigned long long)(((unsigned __int128)x * y) >> 64);
}
inline int __hadd(int x, int y) { return (int)(((long long)x + y) >> 1); }
inline int __rhadd(int x, int y) { return (int)(((long long)x + y + 1) >> 1); }
inline unsigned __uhadd(unsigned x, unsigned y) { return (unsigned)(((unsigned long long)x + y) >> 1); }
inline unsigned __urhadd(unsigned x, unsigned y) { return (unsigned)(((unsigned long long)x + y + 1) >> 1); }
inline unsigned __sad(int x, int y, unsigned z) { return (x > y ? (unsigned)x - (unsigned)y : (unsigned)y - (unsigned)x) + z; }
inline unsigned __usad(unsigned x, unsigned y, unsigned z) { return (x > y ? x - y : y - x) + z; }
inline unsigned __funnelshift_l(unsigned low, unsigned high, unsigned n) {
  return (unsigned)((((unsigned long long)high << 32 | low) << (n & 31)) >> 32);
}
inline unsigned __funnelshift_r(unsigned low, unsigned high, unsigned n) {
  return (unsigned)(((unsigned long long)high << 32 | low) >> (n & 31));
}
inline unsigned __funnelshift_lc(unsigned low, unsigned high, unsigned n) {
  return n >= 32 ? low : __funnelshift_l(low, high, n);
}
inline unsigned __funnelshift_rc(unsigned low, unsigned high, unsigned n) {
  return n >= 32 ? high : __funnelshift_r(low, high, n);
}

// ---- dot products of packed integers -----------------------------------------------------------------------
int __dp4a(int a, int b, int c);
unsigned __dp4a(unsigned a, unsigned b, unsigned c);
inline int __dp4a(char4 a, char4 b, int c) { return __dp4a(xp_simt::bits<int>(a), xp_simt::bits<int>(b), c); }
inline unsigned __dp4a(uchar4 a, uchar4 b, unsigned c) {
  return __dp4a(xp_simt::bits<unsigned>(a), xp_simt::bits<unsigned>(b), c);
}
int __dp2a_lo(int a, int b, int c);
int __dp2a_hi(int a, int b, int c);
unsigned __dp2a_lo(unsigned a, unsigned b, unsigned c);
unsigned __dp2a_hi(unsigned a, unsigned b, unsigned c);

// ---- packed integers (video instructions): name ends in the count of parts ---------------------------------
#define XP_PACKED(X) X(add) X(sub) X(addss) X(addus) X(subss) X(subus) X(maxs) X(maxu) X(mins) X(minu) X(absdiffs)        \
  X(absdiffu) X(avgu) X(avgs) X(cmpeq) X(cmpne) X(cmpgts) X(cmpgtu) X(cmpges) X(cmpgeu) X(cmplts) X(cmpltu) X(cmples) \
  X(cmpleu)
#define XP_X(name) unsigned __v##name##2(unsigned a, unsigned b); unsigned __v##name##4(unsigned a, unsigned b);
XP_PACKED(XP_X)
#undef XP_X
#undef XP_PACKED

// ---- loads and stores with a cache hint: plain ones --------------------------------------------------------
template <class T> inline T __ldg(const T* p) { return *p; }
template <class T> inline T __ldca(const T* p) { return *p; }
template <class T> inline T __ldcg(const T* p) { return *p; }
template <class T> inline T __ldcs(const T* p) { return *p; }
template <class T> inline T __ldlu(const T* p) { return *p; }
template <class T> inline T __ldcv(const T* p) { return *p; }
template <class T> inline void __stwb(T* p, typename xp_simt::Same<T>::type v) { *p = v; }
template <class T> inline void __stcg(T* p, typename xp_simt::Same<T>::type v) { *p = v; }
template <class T> inline void __stcs(T* p, typename xp_simt::Same<T>::type v) { *p = v; }
template <class T> inline void __stwt(T* p, typename xp_simt::Same<T>::type v) { *p = v; }
#if !defined(__clang__)
inline void __builtin_assume(bool) {}
template <class T> inline T __builtin_nontemporal_load(const T* p) { return *p; }
template <class T, class U> inline void __builtin_nontemporal_store(U v, T* p) { *p = (T)v; }
#endif

// ---- address spaces: an address in shared memory is its low 32 bits ----------------------------------------
inline size_t __cvta_generic_to_shared(const void* p) { return (unsigned)(size_t)p; }
inline size_t __cvta_generic_to_global(const void* p) { return (size_t)p; }
void* __cvta_shared_to_generic(size_t address);
inline void* __cvta_global_to_generic(size_t address) { return (void*)address; }
#endif
