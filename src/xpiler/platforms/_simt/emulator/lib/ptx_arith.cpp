// Inline PTX that computes: arithmetic, comparison, conversion, bits, moves.
#include "ptx.h"
#ifndef XP_HIP

namespace xp_simt {
namespace {
double saturate01(double v) { return v > 0 ? (v < 1 ? v : 1) : 0; }
bool floating(PtxType t) { return t.kind == 'f' || t.kind == 'h' || t.kind == 't'; }
u64 low(u64 v, int bits_kept) { return bits_kept >= 64 ? v : v & ((1ull << bits_kept) - 1); }

// A number written in the text, in the representation of the instruction's type.
u64 literal(const PtxArgument& a, PtxType t) {
  if (a.kind != is_number || !floating(t)) return a.value;
  if (a.number_kind == 'd') return t.bits == 64 ? a.value : from_double(t, bits<double>(a.value));
  return a.number_kind == 'f' ? a.value : from_double(t, (double)(long long)a.value);
}
u64 value(const Frame& f, const PtxInstruction& i, int n, PtxType t) {
  const PtxArgument& a = *i.arguments[n];
  return a.kind == is_number ? literal(a, t) : f.get(a);
}

// f(x, y, z) on each part of a floating type; single precision is computed in single precision.
template <class F> void floats(Frame& f, const PtxInstruction& i, F operation) {
  const PtxType t = i.type();
  u64 result = 0;
  for (int p = 0; p < t.parts; ++p) {
    double v[3] = {};
    for (int n = 1; n < i.arguments_count && n <= 3; ++n) v[n - 1] = to_double(t, value(f, i, n, t) >> (p * t.bits));
    double r = t.bits == 64 ? operation(v[0], v[1], v[2]) : (double)(float)operation((float)v[0], (float)v[1], (float)v[2]);
    if (i.has("sat")) r = saturate01(r);
    if (i.has("relu") && !(r > 0)) r = 0;
    result |= low(from_double(t, r), t.bits) << (p * t.bits);
  }
  f.set(i, 0, result);
}
template <class F> void integers(Frame& f, const PtxInstruction& i, F operation) {
  const PtxType t = i.type();
  long long v[3] = {};
  for (int n = 1; n < i.arguments_count && n <= 3; ++n) v[n - 1] = to_signed(t, f.get(i, n));
  f.set(i, 0, (u64)operation(v[0], v[1], v[2]));
}
unsigned long long U(long long v) { return (unsigned long long)v; }

#define XP_BOTH(name, expression, integer)                                                             \
  void do_##name(Frame& f, const PtxInstruction& i) {                                                  \
    if (floating(i.type())) floats(f, i, [](auto a, auto b, auto c) { (void)a; (void)b; (void)c; return expression; }); \
    else integers(f, i, [](long long a, long long b, long long c) { (void)a; (void)b; (void)c; return (long long)(integer); }); \
  }
XP_BOTH(add, a + b, U(a) + U(b))
XP_BOTH(sub, a - b, U(a) - U(b))
XP_BOTH(neg, -a, -U(a))
XP_BOTH(abs, __builtin_fabs((double)a), a < 0 ? -U(a) : U(a))
XP_BOTH(minimum, a != a ? b : b < a ? b : a, b < a ? b : a)
XP_BOTH(maximum, a != a ? b : a < b ? b : a, a < b ? b : a)
#undef XP_BOTH
#define XP_BITWISE(name, expression)                                                        \
  void do_##name(Frame& f, const PtxInstruction& i) {                                       \
    const u64 a = f.get(i, 1), b = i.arguments_count > 2 ? f.get(i, 2) : 0;                 \
    (void)b;                                                                                \
    f.set(i, 0, expression);                                                                \
  }
XP_BITWISE(and_, a & b)
XP_BITWISE(or_, a | b)
XP_BITWISE(xor_, a ^ b)
XP_BITWISE(not_, i.type().kind == 'p' ? a ^ 1 : ~a)
#undef XP_BITWISE

float fused(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
double fused(double a, double b, double c) { return __builtin_fma(a, b, c); }
void do_fma(Frame& f, const PtxInstruction& i) {
  const PtxType t = i.type();
  if (t.bits != 16) return floats(f, i, [](auto a, auto b, auto c) { return fused(a, b, c); });
  u64 result = 0;                                     // 16 bits: exact in double, then one rounding
  for (int p = 0; p < t.parts; ++p) {
    double v[3];
    for (int n = 0; n < 3; ++n) v[n] = to_double(t, value(f, i, n + 1, t) >> (p * 16));
    double r = v[0] * v[1] + v[2];
    if (i.has("relu") && !(r > 0)) r = 0;
    result |= low(from_double(t, i.has("sat") ? saturate01(r) : r), 16) << (p * 16);
  }
  f.set(i, 0, result);
}
// mul and mad: .lo, .hi, .wide for integers
void do_mul(Frame& f, const PtxInstruction& i) {
  const PtxType t = i.type();
  const bool add = i.arguments_count > 3;
  if (floating(t)) return add ? do_fma(f, i) : floats(f, i, [](auto a, auto b, auto) { return a * b; });
  const __int128 product = t.kind == 's' ? (__int128)to_signed(t, f.get(i, 1)) * to_signed(t, f.get(i, 2))
                                         : (__int128)((unsigned __int128)low(f.get(i, 1), t.bits) * low(f.get(i, 2), t.bits));
  u64 r = (u64)product;
  if (i.has("hi")) r = (u64)(product >> t.bits);
  if (add) r += f.get(i, 3);
  f.set(*i.arguments[0], r, i.has("wide") ? 2 * t.bits / 8 : t.bits / 8);
}
void do_div(Frame& f, const PtxInstruction& i) {
  const PtxType t = i.type();
  if (floating(t)) return floats(f, i, [](auto a, auto b, auto) { return a / b; });
  const bool rem = same(i.part(0), "rem");
  const u64 a = low(f.get(i, 1), t.bits), b = low(f.get(i, 2), t.bits);
  if (!b) xprt::trap("division", "inline PTX divides by zero", f.line);
  const long long sa = to_signed(t, a), sb = to_signed(t, b);
  if (t.kind == 's') f.set(i, 0, (u64)(sb == -1 ? (rem ? 0 : (long long)-U(sa)) : rem ? sa % sb : sa / sb));
  else f.set(i, 0, rem ? a % b : a / b);
}
void do_shift(Frame& f, const PtxInstruction& i) {
  const PtxType t = i.type();
  const u64 n = f.get(i, 2) & 0xffffffff, a = f.get(i, 1);
  const bool left = same(i.part(0), "shl");
  if (left) f.set(i, 0, n >= (u64)t.bits ? 0 : a << n);
  else if (t.kind == 's') f.set(i, 0, (u64)(to_signed(t, a) >> (n >= (u64)t.bits ? t.bits - 1 : (int)n)));
  else f.set(i, 0, n >= (u64)t.bits ? 0 : low(a, t.bits) >> n);
}
void do_funnel(Frame& f, const PtxInstruction& i) {
  const unsigned a = (unsigned)f.get(i, 1), b = (unsigned)f.get(i, 2), n = (unsigned)f.get(i, 3);
  const bool clamp = i.has("clamp");
  if (i.has("l")) f.set(i, 0, clamp ? (n >= 32 ? a : __funnelshift_l(a, b, n)) : __funnelshift_l(a, b, n));
  else f.set(i, 0, clamp ? (n >= 32 ? b : __funnelshift_r(a, b, n)) : __funnelshift_r(a, b, n));
}

#define XP_FUNCTION(name, expression) \
  void do_##name(Frame& f, const PtxInstruction& i) { floats(f, i, [](auto a, auto, auto) { return expression; }); }
XP_FUNCTION(ex2, exp2((double)a))
XP_FUNCTION(lg2, log2((double)a))
XP_FUNCTION(rcp, 1.0 / (double)a)
XP_FUNCTION(rsqrt, 1.0 / sqrt((double)a))
XP_FUNCTION(sqrt, sqrt((double)a))
XP_FUNCTION(sin, sin((double)a))
XP_FUNCTION(cos, cos((double)a))
XP_FUNCTION(tanh, tanh((double)a))
#undef XP_FUNCTION

bool compare(const PtxInstruction& i, PtxType t, u64 a, u64 b) {
  const char* how = i.part(1);
  bool less, equal, unordered = false;
  if (floating(t)) {
    const double x = to_double(t, a), y = to_double(t, b);
    less = x < y; equal = x == y; unordered = x != x || y != y;
  } else if (t.kind == 's') {
    less = to_signed(t, a) < to_signed(t, b); equal = to_signed(t, a) == to_signed(t, b);
  } else {
    less = low(a, t.bits) < low(b, t.bits); equal = low(a, t.bits) == low(b, t.bits);
  }
  if (same(how, "num")) return !unordered;
  if (same(how, "nan")) return unordered;
  const bool or_unordered = how[0] && how[1] && how[2] == 'u';
  if (unordered) return or_unordered;
  if (begins(how, "eq")) return equal;
  if (begins(how, "ne")) return !equal;
  if (begins(how, "lt") || same(how, "lo")) return less;
  if (begins(how, "le") || same(how, "ls")) return less || equal;
  if (begins(how, "gt") || same(how, "hi")) return !less && !equal;
  return !less;                                        // ge, hs
}
void do_setp(Frame& f, const PtxInstruction& i) {
  const PtxType t = i.type();
  const bool c = compare(i, t, value(f, i, 1, t), value(f, i, 2, t));
  bool p = c, q = !c;
  if (i.arguments_count > 3) {
    const bool d = f.predicate(*i.arguments[3]);
    const auto join = [&](bool v) { return i.has("and") ? v && d : i.has("or") ? v || d : v != d; };
    p = join(c);
    q = join(!c);
  }
  f.set(*i.arguments[0], p, 1);
  if (i.arguments[0]->second) f.set(*i.arguments[0]->second, q, 1);
}
void do_set(Frame& f, const PtxInstruction& i) {
  const bool c = compare(i, i.type(1), value(f, i, 1, i.type(1)), value(f, i, 2, i.type(1)));
  f.set(i, 0, !c ? 0 : floating(i.type()) ? from_double(i.type(), 1.0) : ~0ull);
}
void do_selp(Frame& f, const PtxInstruction& i) {
  f.set(i, 0, value(f, i, f.predicate(*i.arguments[3]) ? 1 : 2, i.type()));
}

void do_prmt(Frame& f, const PtxInstruction& i) {
  if (i.parts_count > 2) f.unsupported(i, "only the default mode of prmt is modelled");
  f.set(i, 0, __byte_perm((unsigned)f.get(i, 1), (unsigned)f.get(i, 2), (unsigned)f.get(i, 3)));
}
void do_lop3(Frame& f, const PtxInstruction& i) {
  const u32 a = (u32)f.get(i, 1), b = (u32)f.get(i, 2), c = (u32)f.get(i, 3), table = (u32)f.get(i, 4);
  u32 r = 0;
  for (int n = 0; n < 32; ++n) r |= (table >> ((a >> n & 1) << 2 | (b >> n & 1) << 1 | (c >> n & 1)) & 1u) << n;
  f.set(i, 0, r);
}
void do_bfe(Frame& f, const PtxInstruction& i) {
  const PtxType t = i.type();
  const u64 a = low(f.get(i, 1), t.bits);
  const int at = (int)f.get(i, 2) & 0xff, n = (int)f.get(i, 3) & 0xff;
  if (!n) return f.set(i, 0, 0);
  const u64 field = at >= t.bits ? 0 : low(a >> at, n);
  const int top = at + n - 1 < t.bits ? at + n - 1 : t.bits - 1;
  const bool sign = t.kind == 's' && (a >> top & 1);
  f.set(i, 0, sign && n < 64 ? (field | ~0ull << (n < t.bits - at ? n : t.bits - at < 0 ? 0 : t.bits - at)) : field);
}
void do_bfi(Frame& f, const PtxInstruction& i) {
  const int at = (int)f.get(i, 3) & 0xff, n = (int)f.get(i, 4) & 0xff, width_bits = i.type().bits;
  const u64 ones = at >= width_bits || !n ? 0 : low(~0ull, n) << at;
  f.set(i, 0, (f.get(i, 2) & ~ones) | (at >= width_bits ? 0 : f.get(i, 1) << at & ones));
}
void do_popc(Frame& f, const PtxInstruction& i) { f.set(*i.arguments[0], (u64)__popcll(low(f.get(i, 1), i.type().bits)), 4); }
void do_clz(Frame& f, const PtxInstruction& i) {
  f.set(*i.arguments[0], (u64)(__clzll((long long)low(f.get(i, 1), i.type().bits)) - (64 - i.type().bits)), 4);
}
void do_brev(Frame& f, const PtxInstruction& i) {
  f.set(i, 0, i.type().bits == 64 ? __brevll(f.get(i, 1)) : __brev((unsigned)f.get(i, 1)));
}
void do_dp4a(Frame& f, const PtxInstruction& i) {
  const u32 a = (u32)f.get(i, 1), b = (u32)f.get(i, 2);
  long long sum = i.type(0).kind == 's' || i.type(1).kind == 's' ? (int)f.get(i, 3) : (long long)(u32)f.get(i, 3);
  for (int n = 0; n < 4; ++n) {
    const int x = i.type(0).kind == 's' ? (int)(int8_t)(a >> 8 * n) : (int)(a >> 8 * n & 0xff);
    const int y = i.type(1).kind == 's' ? (int)(int8_t)(b >> 8 * n) : (int)(b >> 8 * n & 0xff);
    sum += x * y;
  }
  f.set(*i.arguments[0], (u64)sum, 4);
}

// mov packs and unpacks: mov.b32 d, {a, b}; mov.b64 {a, b}, d
void do_mov(Frame& f, const PtxInstruction& i) {
  const PtxType t = i.type();
  const PtxArgument &to = *i.arguments[0], &from = *i.arguments[1];
  u64 v = 0;
  if (from.kind == is_list) {
    const int part = t.bits / from.count;
    for (int n = 0; n < from.count; ++n) v |= low(f.get(f.program->lists[from.index + n]), part) << (n * part);
  } else {
    v = value(f, i, 1, t);
  }
  if (to.kind != is_list) return f.set(to, v, t.bytes());
  const int part = t.bits / to.count;
  for (int n = 0; n < to.count; ++n) f.set(f.program->lists[to.index + n], low(v >> (n * part), part), part / 8);
}
void do_cvta(Frame& f, const PtxInstruction& i) {
  const u64 v = f.get(i, 1);
  if (i.has("to")) return f.set(i, 0, i.type().bits == 32 && !i.has("shared") ? v & 0xffffffff : v);
  f.set(i, 0, i.has("shared") || i.has("shared::cta") ? (u64)__cvta_shared_to_generic(v) : v);
}
void do_isspace(Frame& f, const PtxInstruction& i) {
  void* base;
  xprt_size n;
  xprt::Space space;
  const bool known = xprt::region_of(reinterpret_cast<void*>(f.get(i, 1)), &base, &n, &space);
  f.set(*i.arguments[0], i.has("global") ? known && space != xprt::space_host : !known, 1);
}

double rounded(const PtxInstruction& i, double v) {
  if (i.has("rzi")) return trunc(v);
  if (i.has("rmi")) return floor(v);
  if (i.has("rpi")) return ceil(v);
  return i.has("rni") ? rint(v) : v;
}
u64 to_integer(PtxType t, double v) {
  if (v != v) return 0;
  if (t.kind == 's')
    return (u64)(t.bits == 64 ? saturated<long long>(v) : t.bits == 32 ? saturated<int>(v) : t.bits == 16 ? saturated<short>(v) : saturated<signed char>(v));
  return t.bits == 64 ? saturated<unsigned long long>(v) : t.bits == 32 ? saturated<unsigned>(v) : t.bits == 16 ? saturated<unsigned short>(v) : saturated<unsigned char>(v);
}
u64 narrowed(const PtxInstruction& i, PtxType t, double v) {
  if (i.has("sat") && !i.has("satfinite")) v = saturate01(v);
  if (i.has("relu") && !(v > 0)) v = 0;
  if (t.kind == 't') return (bits<u32>((float)v) + (i.has("rna") ? 0x1000u : 0u)) & 0xffffe000u;
  const int direction = i.has("rz") ? 0 : i.has("rm") ? -1 : 1;
  const bool directed = i.has("rz") || i.has("rm") || i.has("rp");
  if (t.bits == 16 && directed) return t.kind == 'h' ? bfloat_directed((float)v, direction) : half_directed((float)v, direction);
  if (t.bits == 32 && directed)
    return bits<u32>(direction == 0 ? __double2float_rz(v) : direction < 0 ? __double2float_rd(v) : __double2float_ru(v));
  return from_double(t, v);
}
// cvt.to.from d, a and cvt.to-x2.f32 d, a, b (a goes to the upper half)
void do_cvt(Frame& f, const PtxInstruction& i) {
  const PtxType to = i.type(0), from = i.type(1);
  if (i.types_count < 2) f.unsupported(i, "this conversion is not modelled");
  if (to.parts == 2) {
    const u64 high = narrowed(i, PtxType{to.kind, 16, 1}, to_double(from, f.get(i, 1)));
    const u64 lower = narrowed(i, PtxType{to.kind, 16, 1}, to_double(from, f.get(i, 2)));
    return f.set(i, 0, high << 16 | low(lower, 16));
  }
  const u64 v = value(f, i, 1, from);
  if (floating(from)) {
    const double x = rounded(i, to_double(from, v));
    return f.set(i, 0, floating(to) ? narrowed(i, to, x) : to_integer(to, i.has("rni") || i.has("rzi") || i.has("rmi") || i.has("rpi") ? x : trunc(x)));
  }
  if (floating(to)) {
    const double x = from.kind == 's' ? (double)to_signed(from, v) : (double)low(v, from.bits);
    const bool exact = to.bits != 32 || from.bits < 64;
    return f.set(i, 0, exact ? narrowed(i, to, x) : bits<u32>(from.kind == 's' ? (float)to_signed(from, v) : (float)v));
  }
  const long long x = from.kind == 's' ? to_signed(from, v) : (long long)low(v, from.bits);
  f.set(i, 0, i.has("sat") ? to_integer(to, (double)x) : (u64)x);
}
struct Named { const char* name; Handler handler; };
}  // namespace

double to_double(PtxType t, u64 v) {
  if (t.bits == 64) return bits<double>(v);
  if (t.bits == 32) return bits<float>((u32)v);
  return t.kind == 'h' ? bfloat_to_float((u16)v) : half_to_float((u16)v);
}
u64 from_double(PtxType t, double v) {
  if (t.bits == 64) return bits<u64>(v);
  if (t.bits == 32) return bits<u32>((float)v);
  return t.kind == 'h' ? float_to_bfloat(to_odd(v)) : float_to_half(to_odd(v));
}
long long to_signed(PtxType t, u64 v) {
  if (t.bits >= 64) return (long long)v;
  const u64 kept = low(v, t.bits);
  const bool extend = t.kind == 's' && (kept >> (t.bits - 1) & 1);
  return (long long)(extend ? kept | ~0ull << t.bits : kept);
}

Handler find_arithmetic(const char* name) {
  static const Named table[] = {
      {"mov", do_mov}, {"add", do_add}, {"sub", do_sub}, {"mul", do_mul}, {"mad", do_mul}, {"fma", do_fma},
      {"div", do_div}, {"rem", do_div}, {"neg", do_neg}, {"abs", do_abs}, {"min", do_minimum}, {"max", do_maximum},
      {"and", do_and_}, {"or", do_or_}, {"xor", do_xor_}, {"not", do_not_}, {"shl", do_shift}, {"shr", do_shift},
      {"shf", do_funnel}, {"ex2", do_ex2}, {"lg2", do_lg2}, {"rcp", do_rcp}, {"rsqrt", do_rsqrt}, {"sqrt", do_sqrt},
      {"sin", do_sin}, {"cos", do_cos}, {"tanh", do_tanh}, {"setp", do_setp}, {"set", do_set}, {"selp", do_selp},
      {"prmt", do_prmt}, {"lop3", do_lop3}, {"bfe", do_bfe}, {"bfi", do_bfi}, {"popc", do_popc}, {"clz", do_clz},
      {"brev", do_brev}, {"dp4a", do_dp4a}, {"cvta", do_cvta}, {"cvt", do_cvt}, {"isspacep", do_isspace},
  };
  for (const Named& n : table)
    if (same(n.name, name)) return n.handler;
  return nullptr;
}
}  // namespace xp_simt
#endif
