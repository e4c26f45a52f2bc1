// Conversions: the two neighbours of the exact value in the target type, and a choice between them.
#include "core.h"
#include "../xp_bang_convert.h"

extern "C" {
double ldexp(double, int), floor(double), ceil(double), rint(double), trunc(double), round(double);
}

namespace xp_bang {
namespace {
const Count widths[types] = {4, 2, 2, 1, 1, 2, 2, 4, 4, 8, 8};

// A floating format by the bits of magnitudes: their order is that of the numbers. Infinity counts as the next power of two.
struct Half { enum : u32 { infinity = 0x7c00 }; static double at(u32 m) { return m == infinity ? 65536.0 : (double)value(f16{(u16)m}); } };
struct Brain { enum : u32 { infinity = 0x7f80 }; static double at(u32 m) { return m == infinity ? 0x1p128 : (double)value(bf16{(u16)m}); } };
struct Single { enum : u32 { infinity = 0x7f800000 }; static double at(u32 m) { return m == infinity ? 0x1p128 : (double)bits<float>(m); } };

template <class F> u32 below(double magnitude) {     // the largest that is not above
  u32 lo = 0, hi = F::infinity;
  while (lo < hi) {
    const u32 mid = lo + (hi - lo + 1) / 2;
    if (F::at(mid) <= magnitude) lo = mid;
    else hi = mid - 1;
  }
  return lo;
}

// Of a gap from `lo` to `hi` (in magnitude) around a number: is the far end taken?
bool outward(double magnitude, double lo, double hi, bool negative, bool odd, Mode mode) {
  if (magnitude == lo) return false;
  const double middle = lo + (hi - lo) / 2;
  switch (mode) {
    case mode_tz: return false;
    case mode_oz: return true;
    case mode_up: return !negative;
    case mode_dn: return negative;
    case mode_rn: return magnitude > middle || (magnitude == middle && odd);
    case mode_rd: return magnitude >= middle;
    case mode_rm: return magnitude > middle || (magnitude == middle && !negative);
    default: return (double)(xprt::random() >> 11) * 0x1p-53 * (hi - lo) < magnitude - lo;
  }
}

template <class F> u32 rounded(double v, Mode mode, bool& negative) {
  negative = __builtin_signbit(v);
  const double magnitude = __builtin_fabs(v);
  if (v != v) return F::infinity + (F::infinity & -F::infinity) / 2 + (F::infinity & -F::infinity);
  if (__builtin_isinf(v)) return F::infinity;
  const u32 m = below<F>(magnitude);
  if (m >= F::infinity) return mode == mode_tz || (mode == mode_up && negative) || (mode == mode_dn && !negative) ? F::infinity - 1 : u32(F::infinity);
  return m + outward(magnitude, F::at(m), F::at(m + 1), negative, m & 1, mode);
}

u32 single_bits(double v, Mode mode) {
  bool negative;
  const u32 m = rounded<Single>(v, mode, negative);
  return m | (negative ? 0x80000000u : 0);
}
u16 half_bits(double v, Mode mode) {
  if (v != v) return 0x7e00;
  bool negative;
  const u32 m = rounded<Half>(v, mode, negative);
  return (u16)(m | (negative ? 0x8000u : 0));
}
u16 brain_bits(double v, Mode mode) {
  if (v != v) return 0x7fc0;
  bool negative;
  const u32 m = rounded<Brain>(v, mode, negative);
  return (u16)(m | (negative ? 0x8000u : 0));
}

double whole(double v, Mode mode) {
  switch (mode) {
    case mode_tz: return trunc(v);
    case mode_oz: return v < 0 ? floor(v) : ceil(v);
    case mode_up: return ceil(v);
    case mode_dn: return floor(v);
    case mode_rn: return rint(v);
    case mode_rd: return round(v);
    case mode_rm: return floor(v + 0.5);
    default: return floor(v + (double)(xprt::random() >> 11) * 0x1p-53);
  }
}

struct Limits { double least, most; };
Limits limits(int type) {
  switch (type) {
    case t_i8: return {-128, 127};
    case t_u8: return {0, 255};
    case t_i16: return {-32768, 32767};
    case t_u16: return {0, 65535};
    case t_i32: return {-2147483648.0, 2147483647.0};
    default: return {0, 4294967295.0};
  }
}
double clamped(double v, int type) {
  const Limits l = limits(type);
  return v != v ? 0 : v < l.least ? l.least : v > l.most ? l.most : v;
}

double load(int type, const void* p, Count i) {
  switch (type) {
    case t_f32: return static_cast<const float*>(p)[i];
    case t_f16: return value(static_cast<const f16*>(p)[i]);
    case t_bf16: return value(static_cast<const bf16*>(p)[i]);
    case t_i8: return static_cast<const signed char*>(p)[i];
    case t_u8: return static_cast<const u8*>(p)[i];
    case t_i16: return static_cast<const short*>(p)[i];
    case t_u16: return static_cast<const u16*>(p)[i];
    case t_i32: return static_cast<const int*>(p)[i];
    default: return static_cast<const u32*>(p)[i];
  }
}
void save(int type, void* p, Count i, double v, Mode mode) {
  switch (type) {
    case t_f32: {
      const u32 b = v != v ? 0x7fc00000u : (double)(float)v == v ? bits<u32>((float)v) : single_bits(v, mode);
      static_cast<u32*>(p)[i] = b;
      break;
    }
    case t_f16: static_cast<u16*>(p)[i] = half_bits(v, mode); break;
    case t_bf16: static_cast<u16*>(p)[i] = brain_bits(v, mode); break;
    case t_i8: case t_u8: static_cast<u8*>(p)[i] = (u8)(int)clamped(v, type); break;
    case t_i16: case t_u16: static_cast<u16*>(p)[i] = (u16)(int)clamped(v, type); break;
    case t_i32: static_cast<int*>(p)[i] = (int)clamped(v, type); break;
    default: static_cast<u32*>(p)[i] = (u32)clamped(v, type);
  }
}
bool floating(int type) { return type <= t_bf16; }

void one(void* dst, int to, const void* src, int from, Mode mode, Count i, int pos) {
  double v = load(from, src, i);
  if (floating(from) && !floating(to)) v = whole(ldexp(v, -pos), mode);
  else if (!floating(from)) v = ldexp(v, pos);
  save(to, dst, i, v, mode);
}

void run(Op& o, void* dst, int to, const void* src, int from, Mode mode, Count n, int pos) {
  const Count wd = widths[to], ws = widths[from];
  o.travel(dst, wd, src, ws, nullptr, 0, n);
  tally(count_convert, n);
  for (Count i = 0; i < n; ++i) one(dst, to, src, from, mode, i, pos);
}
}  // namespace

void convert(const char* name, void* dst, int to, const void* src, int from, Mode mode, Count n, int pos, int line) {
  Op o(name, line);
  if (mode == mode_sr || to == t_bf16 || from == t_bf16) o.needs_arch(500);
  const Count out = n * widths[to], in = n * widths[from];
  if (!o.count(n, widths[from]).reads(src, in).writes(dst, out)) return;
  // Widening from the far end of the same place comes out right where elements are taken in order, and is much used.
  const bool same_end = static_cast<const char*>(dst) + out == static_cast<const char*>(src) + in;
  if (out > in && same_end) remark("operand", "the conversion widens in place, which the manual excludes", line, dst);
  else if (dst != src || out > in) o.apart(dst, out, src, in);
  run(o, dst, to, src, from, mode, n, pos);
}

void convert_strided(const char* name, void* dst, int to, const void* src, int from, Mode mode, Count n, Count dst_stride, Count src_stride,
                     Count segnum, int line) {
  for (Count s = 0; s <= segnum; ++s)
    convert(name, static_cast<char*>(dst) + s * dst_stride, to, static_cast<const char*>(src) + s * src_stride, from, mode, n, 0, line);
}

void narrow_integers(const char* name, void* dst, int to, const void* src, int from, Count n, int dst_pos, int src_pos, int line) {
  Op o(name, line);
  const Count out = n * widths[to], in = n * widths[from];
  if (!o.count(n, widths[from]).reads(src, in).writes(dst, out)) return;
  if (dst != src || out > in) o.apart(dst, out, src, in);
  o.travel(dst, widths[to], src, widths[from], nullptr, 0, n);
  tally(count_convert, n);
  const bool up = widths[to] > widths[from];
  for (Count k = 0; k < n; ++k) {
    const Count i = up ? n - 1 - k : k;
    save(to, dst, i, whole(ldexp(load(from, src, i), src_pos - dst_pos), mode_rd), mode_tz);
  }
}

float rounded_half(double v, Mode mode) { return value(f16{half_bits(v, mode)}); }
float rounded_bfloat(double v, Mode mode) { return value(bf16{brain_bits(v, mode)}); }
int rounded_int(double v, Mode mode) { return (int)clamped(whole(v, mode), t_i32); }
}  // namespace xp_bang
