// The C library and the small parts of the C++ one that kernels' files use.
#pragma once
#pragma clang force_cuda_host_device begin

#include "constants.h"

void* malloc(size_t);
void free(void*);
void* aligned_alloc(size_t, size_t);
void exit(int);
void abort();
void* memcpy(void*, const void*, size_t);
void* memset(void*, int, size_t);
static inline void* calloc(size_t n, size_t size) {
  void* p = malloc(n * size);
  memset(p, 0, n * size);
  return p;
}
void* memmove(void*, const void*, size_t);
int memcmp(const void*, const void*, size_t);
size_t strlen(const char*);
int strcmp(const char*, const char*);
int rand();
void srand(unsigned);
int atoi(const char*);
double atof(const char*);
long time(long*);

struct FILE;
extern FILE *stderr, *stdout, *stdin;
int fprintf(FILE*, const char*, ...);
int fflush(FILE*);
int puts(const char*);
int putchar(int);
int fputs(const char*, FILE*);
int snprintf(char*, size_t, const char*, ...);
void perror(const char*);
void* operator new(size_t, void*);

namespace std {
using ::size_t; using ::ptrdiff_t; using ::int8_t; using ::uint8_t; using ::int16_t;
using ::uint16_t; using ::int32_t; using ::uint32_t; using ::int64_t; using ::uint64_t;
using ::uintptr_t; using ::intptr_t;
typedef decltype(nullptr) nullptr_t;
using ::sqrt; using ::cbrt; using ::exp; using ::exp2; using ::expm1; using ::log; using ::log2;
using ::log10; using ::log1p; using ::sin; using ::cos; using ::tan; using ::asin; using ::acos;
using ::atan; using ::sinh; using ::cosh; using ::tanh; using ::asinh; using ::acosh; using ::atanh;
using ::erf; using ::erfc; using ::tgamma; using ::lgamma; using ::floor; using ::ceil;
using ::trunc; using ::round; using ::rint; using ::nearbyint; using ::pow; using ::atan2;
using ::fmod; using ::remainder; using ::hypot; using ::copysign; using ::fdim; using ::fmin;
using ::fmax; using ::fma; using ::fabs; using ::abs; using ::ldexp; using ::isnan; using ::isinf;
using ::isfinite; using ::signbit; using ::lround; using ::lrint; using ::sqrtf; using ::expf;
using ::logf; using ::powf; using ::fabsf; using ::fmaxf; using ::fminf; using ::floorf; using ::ceilf;
using ::sinf; using ::cosf; using ::tanhf; using ::labs; using ::llabs; using ::roundf;
using ::malloc; using ::calloc; using ::free; using ::exit; using ::abort; using ::memcpy;
using ::memset; using ::memmove; using ::memcmp; using ::strlen; using ::strcmp; using ::rand;
using ::srand; using ::atoi; using ::atof; using ::printf; using ::fprintf; using ::puts;
using ::fflush; using ::FILE; using ::snprintf; using ::time;

template <class T> inline const T& max(const T& a, const T& b) { return a < b ? b : a; }
template <class T> inline const T& min(const T& a, const T& b) { return b < a ? b : a; }
template <class T> inline const T& clamp(const T& v, const T& lo, const T& hi) {
  return v < lo ? lo : hi < v ? hi : v;
}
template <class T> inline void swap(T& a, T& b) { T t = a; a = b; b = t; }

template <class T> struct remove_reference { typedef T type; };
template <class T> struct remove_reference<T&> { typedef T type; };
template <class T> struct remove_reference<T&&> { typedef T type; };
template <class T> struct remove_const { typedef T type; };
template <class T> struct remove_const<const T> { typedef T type; };
template <class T> struct remove_cv { typedef T type; };
template <class T> struct remove_cv<const T> { typedef T type; };
template <class T> struct remove_cv<volatile T> { typedef T type; };
template <class T> struct remove_pointer { typedef T type; };
template <class T> struct remove_pointer<T*> { typedef T type; };
template <class T> struct decay { typedef typename remove_cv<typename remove_reference<T>::type>::type type; };
template <class T> using remove_reference_t = typename remove_reference<T>::type;
template <class T> using remove_const_t = typename remove_const<T>::type;
template <class T> using remove_cv_t = typename remove_cv<T>::type;
template <class T> using remove_pointer_t = typename remove_pointer<T>::type;
template <class T> using decay_t = typename decay<T>::type;
template <class T> inline remove_reference_t<T>&& move(T&& t) { return static_cast<remove_reference_t<T>&&>(t); }
template <class T> inline T&& forward(remove_reference_t<T>& t) { return static_cast<T&&>(t); }
template <bool B, class T = void> using enable_if_t = typename xp_if<B, T>::type;
template <bool B, class T = void> struct enable_if : xp_if<B, T> {};
template <bool B, class T, class F> struct conditional { typedef T type; };
template <class T, class F> struct conditional<false, T, F> { typedef F type; };
template <bool B, class T, class F> using conditional_t = typename conditional<B, T, F>::type;
template <class T, T v> struct integral_constant {
  static constexpr T value = v;
  typedef T value_type;
  constexpr operator T() const { return v; }
};
template <bool B> using bool_constant = integral_constant<bool, B>;
typedef integral_constant<bool, true> true_type;
typedef integral_constant<bool, false> false_type;
template <class T, class U> struct is_same : integral_constant<bool, xp_same<T, U>::value> {};
template <class T, class U> constexpr bool is_same_v = xp_same<T, U>::value;
template <class T> struct is_integral : integral_constant<bool, xp_integral<remove_cv_t<T>>::value> {};
template <class T> constexpr bool is_integral_v = xp_integral<remove_cv_t<T>>::value;
template <class T> constexpr bool is_floating_point_v =
    is_same_v<T, float> || is_same_v<T, double>;
template <class T> struct is_floating_point : integral_constant<bool, is_floating_point_v<T>> {};
template <class T> constexpr bool is_signed_v = T(-1) < T(0);
template <class T> constexpr bool is_unsigned_v = !is_signed_v<T>;
template <class T> constexpr bool is_arithmetic_v = is_integral_v<T> || is_floating_point_v<T>;

template <class T> struct numeric_limits {};
#define XP_LIMITS(T, lo, hi, least) \
  template <> struct numeric_limits<T> { \
    static constexpr T max() { return hi; } \
    static constexpr T lowest() { return lo; } \
    static constexpr T min() { return least; } \
  };
#define XP_LIMITS_F(T, lo, hi, least, eps) \
  template <> struct numeric_limits<T> { \
    static constexpr T max() { return hi; } \
    static constexpr T lowest() { return lo; } \
    static constexpr T min() { return least; } \
    static constexpr T epsilon() { return eps; } \
    static constexpr T infinity() { return (T)__builtin_inff(); } \
    static constexpr T quiet_NaN() { return (T)__builtin_nanf(""); } \
  };
XP_LIMITS_F(float, -FLT_MAX, FLT_MAX, FLT_MIN, FLT_EPSILON)
XP_LIMITS_F(double, -DBL_MAX, DBL_MAX, DBL_MIN, DBL_EPSILON)
XP_LIMITS(char, CHAR_MIN, CHAR_MAX, CHAR_MIN)
XP_LIMITS(signed char, SCHAR_MIN, SCHAR_MAX, SCHAR_MIN)
XP_LIMITS(unsigned char, 0, UCHAR_MAX, 0)
XP_LIMITS(short, SHRT_MIN, SHRT_MAX, SHRT_MIN)
XP_LIMITS(unsigned short, 0, USHRT_MAX, 0)
XP_LIMITS(int, INT_MIN, INT_MAX, INT_MIN)
XP_LIMITS(unsigned, 0, UINT_MAX, 0)
XP_LIMITS(long, LONG_MIN, LONG_MAX, LONG_MIN)
XP_LIMITS(unsigned long, 0, ULONG_MAX, 0)
XP_LIMITS(long long, LLONG_MIN, LLONG_MAX, LLONG_MIN)
XP_LIMITS(unsigned long long, 0, ULLONG_MAX, 0)

template <class A, class B> struct pair { A first; B second; };
template <class T, size_t N> struct array {
  T xp_data[N];
  T& operator[](size_t i) { return xp_data[i]; }
  const T& operator[](size_t i) const { return xp_data[i]; }
  static constexpr size_t size() { return N; }
  T* data() { return xp_data; }
};
}  // namespace std
namespace cuda { namespace std { using namespace ::std; } }

#pragma clang force_cuda_host_device end
