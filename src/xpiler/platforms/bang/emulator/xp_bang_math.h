// Scalar mathematics on a core. Functions of the C library are declared as it declares them; overloads for float and half are templates,
// so that a program's own functions and a user's <cmath> win over them.
#ifndef XP_BANG_MATH_H
#define XP_BANG_MATH_H
#include "xp_bang_core.h"

#define XP_LIBM_1(X) X(acos) X(acosh) X(asin) X(asinh) X(atan) X(atanh) X(cbrt) X(ceil) X(cos) X(cosh) X(erf) X(erfc) X(exp) X(exp2)  \
  X(expm1) X(fabs) X(floor) X(log) X(log10) X(log1p) X(log2) X(nearbyint) X(rint) X(round) X(sin) X(sinh) X(sqrt) X(tan) X(tanh) X(trunc)
#define XP_LIBM_2(X) X(atan2) X(copysign) X(fdim) X(fmax) X(fmin) X(fmod) X(hypot) X(pow) X(remainder)
extern "C" {
#define XP_X(name) double name(double) noexcept(true); float name##f(float) noexcept(true);
XP_LIBM_1(XP_X)
#undef XP_X
#define XP_X(name) double name(double, double) noexcept(true); float name##f(float, float) noexcept(true);
XP_LIBM_2(XP_X)
#undef XP_X
double fma(double, double, double) noexcept(true);
float fmaf(float, float, float) noexcept(true);
double ldexp(double, int) noexcept(true);
float ldexpf(float, int) noexcept(true);
int abs(int) noexcept(true);
long labs(long) noexcept(true);
}
namespace xp_bang {
template <class T> struct Narrow { static constexpr bool value = Equal<T, float>::value || Equal<T, half>::value; };
template <class T> using Narrowed = typename If<Narrow<T>::value, T>::type;
template <class T> struct Number { static constexpr bool value = false; };
#define XP_X(T) template <> struct Number<T> { static constexpr bool value = true; };
XP_X(float) XP_X(half) XP_X(double) XP_X(char) XP_X(signed char) XP_X(unsigned char) XP_X(short) XP_X(unsigned short) XP_X(int) XP_X(unsigned)
XP_X(long) XP_X(unsigned long) XP_X(long long) XP_X(unsigned long long)
#undef XP_X
}  // namespace xp_bang
#define XP_X(name) template <class T> inline xp_bang::Narrowed<T> name(T x) { return (T)name##f((float)x); }
XP_LIBM_1(XP_X)
#undef XP_X
#define XP_X(name) template <class T> inline xp_bang::Narrowed<T> name(T x, T y) { return (T)name##f((float)x, (float)y); }
XP_LIBM_2(XP_X)
#undef XP_X
template <class T> inline xp_bang::Narrowed<T> abs(T x) { return (T)__builtin_fabsf((float)x); }
template <class T> inline xp_bang::Narrowed<T> rsqrt(T x) { return (T)(1.0 / __builtin_sqrt((double)x)); }
inline float rsqrtf(float x) { return (float)(1.0 / __builtin_sqrt((double)x)); }
template <class T> inline typename xp_bang::If<xp_bang::Narrow<T>::value, bool>::type isnan(T x) { return __builtin_isnan((float)x); }
template <class T> inline typename xp_bang::If<xp_bang::Narrow<T>::value, bool>::type isinf(T x) { return __builtin_isinf((float)x); }
template <class A, class B>
constexpr inline typename xp_bang::If<xp_bang::Number<A>::value && xp_bang::Number<B>::value, decltype(A() + B())>::type min(A a, B b) {
  typedef decltype(A() + B()) R;
  return (R)b < (R)a ? (R)b : (R)a;
}
template <class A, class B>
constexpr inline typename xp_bang::If<xp_bang::Number<A>::value && xp_bang::Number<B>::value, decltype(A() + B())>::type max(A a, B b) {
  typedef decltype(A() + B()) R;
  return (R)a < (R)b ? (R)b : (R)a;
}
inline float __cn_scalar_sin_f32(float x) { return sinf(x); }
inline float __cn_scalar_cos_f32(float x) { return cosf(x); }
inline half __cn_scalar_sin_f16(half x) { return (half)sinf((float)x); }
inline half __cn_scalar_cos_f16(half x) { return (half)cosf((float)x); }
#endif
