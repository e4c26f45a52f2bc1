// clang's arithmetic types `_Float16` and `__bf16` (which g++ may not have): each operation rounds to 16 bits.
#ifndef XP_SMALLFLOAT_H
#define XP_SMALLFLOAT_H
#include "xp_float16.h"
namespace xp_simt {
template <class A> struct Mixed {};                       // type of (16-bit) op A
#define XP_X(A) template <> struct Mixed<A> { static constexpr bool wide = false; };
XP_X(bool) XP_X(char) XP_X(signed char) XP_X(unsigned char) XP_X(short) XP_X(unsigned short) XP_X(int) XP_X(unsigned)
XP_X(long) XP_X(unsigned long) XP_X(long long) XP_X(unsigned long long)
#undef XP_X
template <> struct Mixed<float> { static constexpr bool wide = true; };
template <> struct Mixed<double> { static constexpr bool wide = true; };
template <bool, class A, class B> struct Choose { typedef A type; };
template <class A, class B> struct Choose<false, A, B> { typedef B type; };

template <class Format> struct SmallFloat {
  u16 __x;
  SmallFloat() = default;
  template <class A, class = decltype(Mixed<A>::wide)> SmallFloat(A v) : __x(Format::narrow(to_odd((double)v))) {}
  operator float() const { return Format::widen(__x); }
  // To and from the vendor's class of the same format.
  template <class T, class F = typename T::xp_format, class = typename If<Equal<F, Format>::value>::type>
  SmallFloat(T v) : __x(v.__x) {}
  template <class T, class F = typename T::xp_format, class = typename If<Equal<F, Format>::value>::type>
  operator T() const { return bits<T>(__x); }
  SmallFloat operator-() const { return bits<SmallFloat>((u16)(__x ^ 0x8000)); }
};
typedef SmallFloat<HalfFormat> Float16;
typedef SmallFloat<BFloatFormat> BFloat16;
#define XP_OPERATOR(op)                                                                                          \
  template <class F> inline SmallFloat<F> operator op(SmallFloat<F> a, SmallFloat<F> b) { return (float)a op(float) b; } \
  template <class F, class A>                                                                                    \
  inline typename Choose<Mixed<A>::wide, A, SmallFloat<F>>::type operator op(SmallFloat<F> a, A b) {             \
    typedef typename Choose<Mixed<A>::wide, A, float>::type W;                                                   \
    return (W)(float)a op(W) b;                                                                                  \
  }                                                                                                              \
  template <class F, class A>                                                                                    \
  inline typename Choose<Mixed<A>::wide, A, SmallFloat<F>>::type operator op(A a, SmallFloat<F> b) {             \
    typedef typename Choose<Mixed<A>::wide, A, float>::type W;                                                   \
    return (W)a op(W)(float) b;                                                                                  \
  }                                                                                                              \
  template <class F, class A> inline SmallFloat<F>& operator op##=(SmallFloat<F>& a, A b) { return a = SmallFloat<F>(a op b); }
XP_OPERATOR(+) XP_OPERATOR(-) XP_OPERATOR(*) XP_OPERATOR(/)
#undef XP_OPERATOR
#define XP_OPERATOR(op)                                                                                            \
  template <class F> inline bool operator op(SmallFloat<F> a, SmallFloat<F> b) { return (float)a op(float) b; }    \
  template <class F, class A> inline decltype(Mixed<A>::wide, true) operator op(SmallFloat<F> a, A b) {            \
    return (double)(float)a op(double) b;                                                                          \
  }                                                                                                                \
  template <class F, class A> inline decltype(Mixed<A>::wide, true) operator op(A a, SmallFloat<F> b) {            \
    return (double)a op(double)(float) b;                                                                          \
  }
XP_OPERATOR(==) XP_OPERATOR(!=) XP_OPERATOR(<) XP_OPERATOR(<=) XP_OPERATOR(>) XP_OPERATOR(>=)
#undef XP_OPERATOR
}  // namespace xp_simt
#endif
