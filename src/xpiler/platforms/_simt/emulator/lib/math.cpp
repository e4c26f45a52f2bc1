// Mathematical functions that the C library has not, directed rounding, packed integers.
#include "xp_simt.h"

extern "C" {
float __expf(float x) noexcept(true) { return expf(x); }
float __exp10f(float x) noexcept(true) { return exp10f(x); }
float __logf(float x) noexcept(true) { return logf(x); }
float __log2f(float x) noexcept(true) { return log2f(x); }
float __log10f(float x) noexcept(true) { return log10f(x); }
float __sinf(float x) noexcept(true) { return sinf(x); }
float __cosf(float x) noexcept(true) { return cosf(x); }
float __tanf(float x) noexcept(true) { return tanf(x); }
float __powf(float x, float y) noexcept(true) { return powf(x, y); }
void __sincosf(float x, float* s, float* c) noexcept(true) { *s = sinf(x); *c = cosf(x); }

double rsqrt(double x) noexcept(true) { return 1.0 / __builtin_sqrt(x); }
float rsqrtf(float x) noexcept(true) { return (float)(1.0 / __builtin_sqrt((double)x)); }
double rcbrt(double x) noexcept(true) { return 1.0 / cbrt(x); }
float rcbrtf(float x) noexcept(true) { return (float)rcbrt((double)x); }

// sin(pi x) with the argument reduced exactly first: x - 2 round(x / 2) loses nothing.
double sinpi(double x) noexcept(true) {
  const double r = x - 2.0 * round(x / 2.0);
  if (r == 0.0 || r == 1.0 || r == -1.0) return copysign(0.0, x);
  if (r > 0.5) return sin(M_PI * (1.0 - r));
  return r < -0.5 ? sin(M_PI * (-1.0 - r)) : sin(M_PI * r);
}
double cospi(double x) noexcept(true) {
  const double r = fabs(x - 2.0 * round(x / 2.0));
  return r == 0.5 ? 0.0 : r > 0.25 && r < 0.75 ? sin(M_PI * (0.5 - r)) : cos(M_PI * r);
}
float sinpif(float x) noexcept(true) { return (float)sinpi((double)x); }
float cospif(float x) noexcept(true) { return (float)cospi((double)x); }

double normcdf(double x) noexcept(true) { return 0.5 * erfc(-x * 0.70710678118654752440); }
float normcdff(float x) noexcept(true) { return (float)normcdf((double)x); }

// Start from the logarithmic approximation of the error function's inverse (Winitzki), then Newton's method.
double erfinv(double y) noexcept(true) {
  if (!(y > -1.0 && y < 1.0)) return y == 1.0 ? __builtin_inf() : y == -1.0 ? -__builtin_inf() : __builtin_nan("");
  const double l = log1p(-y * y), t = 2.0 / (M_PI * 0.147) + 0.5 * l;
  double x = copysign(sqrt(sqrt(t * t - l / 0.147) - t), y);
  for (int i = 0; i < 4; ++i) {
    const double tail = (1.0 - fabs(y)) - erfc(fabs(x));           // erf(|x|) - |y| without cancellation
    const double error = fabs(y) < 0.5 ? erf(x) - y : y < 0 ? -tail : tail;
    x -= error / (1.1283791670955126 * exp(-x * x));
  }
  return x;
}
double erfcinv(double y) noexcept(true) {
  if (y > 0.1) return erfinv(1.0 - y);
  if (!(y > 0.0)) return y == 0.0 ? __builtin_inf() : __builtin_nan("");
  double x = sqrt(-log(y));
  for (int i = 0; i < 12; ++i) {                       // Newton on log(erfc), which is nearly quadratic here
    const double value = erfc(x);
    x += (log(value) - log(y)) * value / (1.1283791670955126 * exp(-x * x));
  }
  return x;
}
float erfinvf(float y) noexcept(true) { return (float)erfinv((double)y); }
float erfcinvf(float y) noexcept(true) { return (float)erfcinv((double)y); }
double normcdfinv(double p) noexcept(true) { return -1.41421356237309504880 * erfcinv(2.0 * p); }
float normcdfinvf(float p) noexcept(true) { return (float)normcdfinv((double)p); }

double erfcx(double x) noexcept(true) {
  if (x < 25.0) return exp(x * x) * erfc(x);
  const double r = 1.0 / (x * x);                      // asymptotic series
  return 0.56418958354775628695 / x * (1.0 - r * (0.5 - r * (0.75 - r * 1.875)));
}
float erfcxf(float x) noexcept(true) { return (float)erfcx((double)x); }

double cyl_bessel_i0(double x) noexcept(true) {
  double term = 1.0, sum = 1.0;
  for (int k = 1; k < 500 && term > sum * 1e-17; ++k) sum += term *= (x / (2.0 * k)) * (x / (2.0 * k));
  return sum;
}
double cyl_bessel_i1(double x) noexcept(true) {
  double term = x / 2.0, sum = term;
  for (int k = 1; k < 500 && fabs(term) > fabs(sum) * 1e-17; ++k) sum += term *= x / (2.0 * k) * (x / (2.0 * (k + 1)));
  return sum;
}
float cyl_bessel_i0f(float x) noexcept(true) { return (float)cyl_bessel_i0((double)x); }
float cyl_bessel_i1f(float x) noexcept(true) { return (float)cyl_bessel_i1((double)x); }
}

float fdividef(float x, float y) { return x / y; }
double norm3d(double a, double b, double c) { return hypot(hypot(a, b), c); }
double norm4d(double a, double b, double c, double d) { return hypot(hypot(a, b), hypot(c, d)); }
double rnorm3d(double a, double b, double c) { return 1.0 / norm3d(a, b, c); }
double rhypot(double a, double b) { return 1.0 / hypot(a, b); }
float norm3df(float a, float b, float c) { return (float)norm3d(a, b, c); }
float norm4df(float a, float b, float c, float d) { return (float)norm4d(a, b, c, d); }
float rnorm3df(float a, float b, float c) { return (float)rnorm3d(a, b, c); }
float rhypotf(float a, float b) { return (float)rhypot(a, b); }
void sincospi(double x, double* s, double* c) { *s = sinpi(x); *c = cospi(x); }
void sincospif(float x, float* s, float* c) { *s = sinpif(x); *c = cospif(x); }

namespace xp_simt {
double rounded_rn(double x) { return rint(x); }
double rounded_rz(double x) { return trunc(x); }
double rounded_ru(double x) { return ceil(x); }
double rounded_rd(double x) { return floor(x); }

namespace {
enum Direction { to_zero, up, down };
// `exact` (to double's precision) as a float in the given direction.
float directed(double exact, Direction d) {
  float near = (float)exact;
  if (near != near || exact == (double)near) return near;
  const bool above = (double)near > exact;
  const bool go_down = d == down || (d == to_zero && exact > 0), go_up = d == up || (d == to_zero && exact < 0);
  if (above && go_down) return nextafterf(near, -__builtin_inff());
  if (!above && go_up) return nextafterf(near, __builtin_inff());
  return near;
}
double directed_integer(long long exact, Direction d) {
  const double near = (double)exact;
  const __int128 difference = (__int128)near - exact;
  const bool go_down = d == down || (d == to_zero && exact > 0), go_up = d == up || (d == to_zero && exact < 0);
  if (difference > 0 && go_down) return nextafter(near, -__builtin_inf());
  return difference < 0 && go_up ? nextafter(near, __builtin_inf()) : near;
}
}  // namespace
}  // namespace xp_simt
#define XP_DIRECTED(mode, d)                                                                                     \
  float __fadd_##mode(float x, float y) { return xp_simt::directed((double)x + y, xp_simt::d); }                 \
  float __fsub_##mode(float x, float y) { return xp_simt::directed((double)x - y, xp_simt::d); }                 \
  float __fmul_##mode(float x, float y) { return xp_simt::directed((double)x * y, xp_simt::d); }                 \
  float __fdiv_##mode(float x, float y) { return xp_simt::directed((double)x / y, xp_simt::d); }                 \
  float __frcp_##mode(float x) { return xp_simt::directed(1.0 / (double)x, xp_simt::d); }                        \
  float __fsqrt_##mode(float x) { return xp_simt::directed(sqrt((double)x), xp_simt::d); }                       \
  float __fmaf_##mode(float x, float y, float z) { return xp_simt::directed(fma((double)x, y, z), xp_simt::d); } \
  float __double2float_##mode(double x) { return xp_simt::directed(x, xp_simt::d); }                             \
  float __int2float_##mode(int x) { return xp_simt::directed(x, xp_simt::d); }                                   \
  float __uint2float_##mode(unsigned x) { return xp_simt::directed(x, xp_simt::d); }                             \
  float __ll2float_##mode(long long x) {                                                                         \
    return xp_simt::directed(xp_simt::directed_integer(x, xp_simt::d), xp_simt::d);                              \
  }                                                                                                              \
  float __ull2float_##mode(unsigned long long x) { return xp_simt::directed((double)x, xp_simt::d); }            \
  double __ll2double_##mode(long long x) { return xp_simt::directed_integer(x, xp_simt::d); }
XP_DIRECTED(rz, to_zero)
XP_DIRECTED(ru, up)
XP_DIRECTED(rd, down)

unsigned __brev(unsigned x) {
  unsigned r = 0;
  for (int i = 0; i < 32; ++i) r |= (x >> i & 1u) << (31 - i);
  return r;
}
unsigned long long __brevll(unsigned long long x) {
  return (unsigned long long)__brev((unsigned)x) << 32 | __brev((unsigned)(x >> 32));
}
// Each nibble of the selector picks one of the eight bytes y:x; its top bit spreads that byte's sign.
unsigned __byte_perm(unsigned x, unsigned y, unsigned selector) {
  const unsigned long long bytes = (unsigned long long)y << 32 | x;
  unsigned r = 0;
  for (int i = 0; i < 4; ++i) {
    const unsigned pick = selector >> (4 * i) & 0xf;
    unsigned byte = (unsigned)(bytes >> (8 * (pick & 7))) & 0xff;
    if (pick & 8) byte = byte & 0x80 ? 0xff : 0;
    r |= byte << (8 * i);
  }
  return r;
}
int __dp4a(int a, int b, int c) {
  for (int i = 0; i < 4; ++i) c = (int)((unsigned)c + (unsigned)((int8_t)(a >> 8 * i) * (int8_t)(b >> 8 * i)));
  return c;
}
unsigned __dp4a(unsigned a, unsigned b, unsigned c) {
  for (int i = 0; i < 4; ++i) c += (a >> 8 * i & 0xff) * (b >> 8 * i & 0xff);
  return c;
}
int __dp2a_lo(int a, int b, int c) { return c + (int16_t)a * (int8_t)b + (int16_t)(a >> 16) * (int8_t)(b >> 8); }
int __dp2a_hi(int a, int b, int c) { return __dp2a_lo(a, b >> 16, c); }
unsigned __dp2a_lo(unsigned a, unsigned b, unsigned c) { return c + (a & 0xffff) * (b & 0xff) + (a >> 16) * (b >> 8 & 0xff); }
unsigned __dp2a_hi(unsigned a, unsigned b, unsigned c) { return __dp2a_lo(a, b >> 16, c); }

namespace {
int clamp(int v, int low, int high) { return v < low ? low : v > high ? high : v; }
// One operation on each part of `part` bits, given as signed and as unsigned numbers.
template <class F> unsigned packed(int part, unsigned a, unsigned b, F f) {
  const unsigned mask = part == 8 ? 0xffu : 0xffffu;
  unsigned r = 0;
  for (int at = 0; at < 32; at += part) {
    const int ua = (int)(a >> at & mask), ub = (int)(b >> at & mask);
    const int sa = part == 8 ? (int8_t)ua : (int16_t)ua, sb = part == 8 ? (int8_t)ub : (int16_t)ub;
    r |= ((unsigned)f(sa, sb, ua, ub, (int)mask) & mask) << at;
  }
  return r;
}
}  // namespace
#define XP_PACKED(name, expression)                                                                                 \
  unsigned __v##name##2(unsigned a, unsigned b) {                                                                   \
    return packed(16, a, b, [](int s, int t, int u, int v, int mask) { (void)s; (void)t; (void)u; (void)v; (void)mask; return (expression); }); \
  }                                                                                                                 \
  unsigned __v##name##4(unsigned a, unsigned b) {                                                                   \
    return packed(8, a, b, [](int s, int t, int u, int v, int mask) { (void)s; (void)t; (void)u; (void)v; (void)mask; return (expression); }); \
  }
XP_PACKED(add, u + v)
XP_PACKED(sub, u - v)
XP_PACKED(addss, clamp(s + t, -(mask / 2) - 1, mask / 2))
XP_PACKED(subss, clamp(s - t, -(mask / 2) - 1, mask / 2))
XP_PACKED(addus, clamp(u + v, 0, mask))
XP_PACKED(subus, clamp(u - v, 0, mask))
XP_PACKED(maxs, s > t ? s : t)
XP_PACKED(maxu, u > v ? u : v)
XP_PACKED(mins, s < t ? s : t)
XP_PACKED(minu, u < v ? u : v)
XP_PACKED(absdiffs, s > t ? s - t : t - s)
XP_PACKED(absdiffu, u > v ? u - v : v - u)
XP_PACKED(avgu, (u + v + 1) >> 1)
XP_PACKED(avgs, (s + t + (s + t >= 0)) >> 1)
XP_PACKED(cmpeq, u == v ? mask : 0)
XP_PACKED(cmpne, u != v ? mask : 0)
XP_PACKED(cmpgts, s > t ? mask : 0)
XP_PACKED(cmpgtu, u > v ? mask : 0)
XP_PACKED(cmpges, s >= t ? mask : 0)
XP_PACKED(cmpgeu, u >= v ? mask : 0)
XP_PACKED(cmplts, s < t ? mask : 0)
XP_PACKED(cmpltu, u < v ? mask : 0)
XP_PACKED(cmples, s <= t ? mask : 0)
XP_PACKED(cmpleu, u <= v ? mask : 0)

void* __cvta_shared_to_generic(size_t address) {
  if (address >> 32) return (void*)address;
  const size_t base = (size_t)xprt::dynamic_shared();
  return (void*)(base + (size_t)(long long)(int)((unsigned)address - (unsigned)base));
}
