// The vector unit, element by element. Each operation on 16-bit floats is computed in float and rounded once.
#include "core.h"
#include "../xp_bang_vector.h"

extern "C" {
int snprintf(char*, size_t, const char*, ...);
double exp2(double), log2(double), log(double), sin(double), cos(double), exp(double), tanh(double), erfc(double);
float floorf(float), ceilf(float), roundf(float), truncf(float);
}

namespace xp_bang {
Counter vector_class(Count type) {
  return type == t_f32 ? count_vector_f32 : type == t_f16 || type == t_bf16 ? count_vector_f16 : count_vector_int;
}

namespace {
template <class V> struct Floating { static constexpr bool value = false; };
template <> struct Floating<float> { static constexpr bool value = true; };

// The next float towards zero where `near` is past the exact value.
float towards_zero(double exact) {
  float f = (float)exact;
  if (__builtin_fabs((double)f) > __builtin_fabs(exact)) f = bits<float>(bits<u32>(f) - 1);
  return f;
}
bool nan_of(float v) { return v != v; }
template <class V> bool nan_of(V) { return false; }

template <int op, class T> struct Apply {
  static auto run(T ta, T tb) {
    const auto a = value(ta), b = value(tb);
    typedef decltype(a + b) V;
    const bool unordered = nan_of(a) || nan_of(b);
    if constexpr (op == op_add) return (V)(a + b);
    else if constexpr (op == op_sub) return (V)(a - b);
    else if constexpr (op == op_mul) return (V)(a * b);
    else if constexpr (op == op_maxequal) return (V)(a < b ? b : a);
    else if constexpr (op == op_minequal) return (V)(b < a ? b : a);
    else if constexpr (op == op_maximum) return (V)(nan_of(a) ? b : a < b ? b : a);
    else if constexpr (op == op_minimum) return (V)(nan_of(a) ? b : b < a ? b : a);
    else if constexpr (op == op_nan_maximum) return (V)(unordered ? (nan_of(a) ? a : b) : a < b ? b : a);
    else if constexpr (op == op_nan_minimum) return (V)(unordered ? (nan_of(a) ? a : b) : b < a ? b : a);
    else if constexpr (op == op_eq) return (V)(a == b);
    else if constexpr (op == op_ne) return (V)(!unordered && a != b);
    else if constexpr (op == op_lt) return (V)(a < b);
    else if constexpr (op == op_le) return (V)(a <= b);
    else if constexpr (op == op_gt) return (V)(a > b);
    else if constexpr (op == op_ge) return (V)(a >= b);
    else if constexpr (op == op_equ) return (V)(unordered || a == b);
    else if constexpr (op == op_neu) return (V)(unordered || a != b);
    else if constexpr (op == op_ltu) return (V)(unordered || a < b);
    else if constexpr (op == op_leu) return (V)(unordered || a <= b);
    else if constexpr (op == op_gtu) return (V)(unordered || a > b);
    else if constexpr (op == op_geu) return (V)(unordered || a >= b);
    else if constexpr (op == op_and) return (V)(a != 0 && b != 0);
    else if constexpr (op == op_or) return (V)(a != 0 || b != 0);
    else if constexpr (op == op_xor) return (V)((a != 0) != (b != 0));
    else if constexpr (op == op_div) {
      if constexpr (Floating<V>::value) return (V)(a / b);
      else return (V)(b == 0 || (b == (V)-1 && (V)-1 < 0 && a == (V)(1u << 31)) ? 0 : a / b);
    } else if constexpr (op == op_rem && !Floating<V>::value) return (V)(b == 0 || b == (V)-1 ? 0 : a % b);
    else if constexpr (op == op_add_tz && Floating<V>::value) return towards_zero((double)a + b);
    else if constexpr (op == op_sub_tz && Floating<V>::value) return towards_zero((double)a - b);
    else if constexpr (op == op_mul_tz && Floating<V>::value) return towards_zero((double)a * b);
    else return (V)a;
  }
};

// Operations on the bits: any type as an unsigned number of its width.
template <int op, class T> T on_bits(T a, T b) {
  constexpr unsigned width = sizeof(T) * 8;
  if constexpr (op == op_band) return a & b;
  else if constexpr (op == op_bor) return a | b;
  else if constexpr (op == op_bxor) return a ^ b;
  else if constexpr (op == op_sll) return b >= width ? 0 : (T)(a << b);
  else if constexpr (op == op_srl) return b >= width ? 0 : (T)(a >> b);
  else {
    const long long wide = (long long)((u64)a << (64 - width)) >> (64 - width);
    return (T)(wide >> (b >= width ? width - 1 : b));
  }
}
template <int op, class T> struct OnBits {
  static void go(T* d, const T* a, const T* b, Count n, Count step) {
    for (Count i = 0; i < n; ++i) d[i] = on_bits<op, T>(a[i], b[i * step]);
  }
};

template <int op, class T> void go(T* d, const T* a, const T* b, Count n, Count step) {
  if (step)
    for (Count i = 0; i < n; ++i) put(d[i], Apply<op, T>::run(a[i], b[i]));
  else
    for (Count i = 0; i < n; ++i) put(d[i], Apply<op, T>::run(a[i], *b));
}

typedef void (*Go)(void*, const void*, const void*, Count, Count);
template <int op, class T> void go_any(void* d, const void* a, const void* b, Count n, Count step) {
  go<op, T>(static_cast<T*>(d), static_cast<const T*>(a), static_cast<const T*>(b), n, step);
}
template <int op, class T> void go_bits(void* d, const void* a, const void* b, Count n, Count step) {
  OnBits<op, T>::go(static_cast<T*>(d), static_cast<const T*>(a), static_cast<const T*>(b), n, step);
}

template <int op> Go by_type(int type) {
  constexpr bool on_raw = op == op_band || op == op_bor || op == op_bxor || op == op_sll || op == op_srl || op == op_sra;
  constexpr bool floats_only = op == op_add_tz || op == op_sub_tz || op == op_mul_tz;
  if constexpr (on_raw) {
    switch (type) {
      case t_i8: case t_u8: return go_bits<op, u8>;
      case t_f16: case t_bf16: case t_i16: case t_u16: return go_bits<op, u16>;
      default: return go_bits<op, u32>;
    }
  } else {
    switch (type) {
      case t_f32: return go_any<op, float>;
      case t_f16: return go_any<op, f16>;
      case t_bf16: return go_any<op, bf16>;
      default: break;
    }
    if constexpr (!floats_only) switch (type) {
      case t_i8: return go_any<op, signed char>;
      case t_u8: return go_any<op, u8>;
      case t_i16: return go_any<op, short>;
      case t_u16: return go_any<op, u16>;
      case t_i32: return go_any<op, int>;
      case t_u32: return go_any<op, u32>;
    }
    return nullptr;
  }
}

template <int... I> struct Ops {};
template <int n, int... I> struct Upto : Upto<n - 1, n - 1, I...> {};
template <int... I> struct Upto<0, I...> { typedef Ops<I...> type; };
typedef Go (*ByType)(int);
template <int... I> const ByType* table(Ops<I...>) {
  static const ByType all[] = {by_type<I>...};
  return all;
}
Go find(Binary op, int type) { return table(Upto<binaries>::type())[op](type); }

const Count widths[types] = {4, 2, 2, 1, 1, 2, 2, 4, 4, 8, 8};

// Integers below 32 bits came with architecture 3xx, bfloat16 with 5xx.
void type_exists(Op& o, int type) {
  if (type == t_bf16) o.needs_arch(500);
  else if (type > t_bf16 && o.ok && type != t_u8) o.needs_arch(300);
}
}  // namespace

static bool on_bits(Binary op) { return op == op_band || op == op_bor || op == op_bxor; }

void binary(Binary op, int type, const char* name, void* dst, const void* a, const void* b, Count n, int line) {
  const Count w = widths[type], bytes = n * w;
  Op o(name, line);
  o.count(n, w);
  if (type != t_u8) type_exists(o, type);
  if (!o.reads(a, bytes).reads(b, bytes).writes(dst, bytes).in_step(dst, a, bytes).in_step(dst, b, bytes)) return;
  tally(type == t_u8 && on_bits(op) ? count_vector_bytes : vector_class(type), n);  // chosen, not computed
  o.travel(dst, w, a, w, b, w, n);
  find(op, type)(dst, a, b, n, 1);
}

void scalar(Binary op, int type, const char* name, void* dst, const void* a, const void* v, Count n, int line) {
  const Count w = widths[type], bytes = n * w;
  Op o(name, line);
  o.count(n, w);
  if (!o.reads(a, bytes).writes(dst, bytes).in_step(dst, a, bytes)) return;
  tally(vector_class(type), n);
  o.travel(dst, w, a, w, nullptr, 0, n);
  find(op, type)(dst, a, v, n, 0);
}

void cycle(Binary op, int type, const char* name, void* dst, const void* a, const void* seg, Count n, Count n_seg, int line) {
  const Count w = widths[type], bytes = n * w;
  Op o(name, line);
  o.count(n, w).count(n_seg, w);
  if (!o) return;
  o.multiple(n, n_seg, "the length of the source");
  if (!o.reads(a, bytes).reads(seg, n_seg * w).writes(dst, bytes).in_step(dst, a, bytes).apart(dst, bytes, seg, n_seg * w)) return;
  tally(vector_class(type), n);
  const Go f = find(op, type);
  for (Count i = 0; i < n; i += n_seg) {
    char* d = static_cast<char*>(dst) + i * w;
    const char* s = static_cast<const char*>(a) + i * w;
    const Count m = n - i < n_seg ? n - i : n_seg;
    o.travel(d, w, s, w, seg, w, m);
    f(d, s, seg, m, 1);
  }
}

void bitindex(Binary op, int type, const char* name, void* dst, const void* a, const void* b, Count n, int line) {
  const Count w = widths[type], bytes = n * w;
  Op o(name, line);
  o.count(n, w);
  if (!o) return;
  o.multiple(n, old_arch ? 512 : 8, "the number of elements");
  if (!o.reads(a, bytes).reads(b, bytes).writes(dst, (n + 7) / 8)) return;
  tally(vector_class(type), n);
  const Go f = find(op, type);
  u8* d = static_cast<u8*>(dst);
  const char *x = static_cast<const char*>(a), *y = static_cast<const char*>(b);
  for (Count i = 0; i < n; ++i) {
    alignas(8) char one[8] = {};
    f(one, x + i * w, y + i * w, 1, 1);
    bool set = false;
    for (Count k = 0; k < w; ++k) set |= one[k] != 0;
    d[i / 8] = (u8)(set ? d[i / 8] | 1u << i % 8 : d[i / 8] & ~(1u << i % 8));
  }
  o.travel(d, 1, x, 8 * w, y, 8 * w, n / 8);
}

// ---- one operand -------------------------------------------------------------------------------------------
namespace {

float function(Unary op, float x) {
  switch (op) {
    case op_abs: return __builtin_fabsf(x);
    case op_neg: return -x;
    case op_not: return x == 0 ? 1.0f : 0.0f;
    case op_square: return x * x;
    case op_recip: return 1.0f / x;
    case op_sqrt: return __builtin_sqrtf(x);
    case op_rsqrt: return (float)(1.0 / __builtin_sqrt((double)x));
    case op_sin: return (float)sin(x);
    case op_cos: return (float)cos(x);
    case op_log2: return (float)log2(x);
    case op_pow2: return (float)exp2(x);
    case op_floor: return floorf(x);
    case op_ceil: return ceilf(x);
    case op_round: return roundf(x);
    case op_trunc: return truncf(x);
    case op_relu: return x != x ? x : x > 0 ? x : 0.0f;
    case op_sign: return x >= 0 ? 1.0f : x != x ? x : -1.0f;
    case op_exp: return (float)exp(x);
    case op_sigmoid: return 1.0f / (1.0f + (float)exp(-x));  // flat beyond the range of floats
    case op_tanh: return (float)tanh(x);
    case op_gelu: return 0.5f * x * __builtin_erfcf(x * -0.70710678f);
    case op_log: return (float)log(x);
    default: return x;
  }
}
template <class V> V integer_function(Unary op, V x) {
  switch (op) {
    case op_abs: return x < 0 ? (V)(0 - (u32)x) : x;
    case op_neg: return (V)(0 - (u32)x);
    case op_not: return x == 0;
    case op_bnot: return ~x;
    case op_relu: return x > 0 ? x : 0;
    default: return x;
  }
}
template <class T> void floats(Unary op, void* dst, const void* src, Count n) {
  T* d = static_cast<T*>(dst);
  const T* s = static_cast<const T*>(src);
  for (Count i = 0; i < n; ++i) put(d[i], function(op, value(s[i])));
}
template <class T> void integers(Unary op, void* dst, const void* src, Count n) {
  T* d = static_cast<T*>(dst);
  const T* s = static_cast<const T*>(src);
  for (Count i = 0; i < n; ++i) d[i] = (T)integer_function(op, (int)s[i]);
}
void compute(Unary op, int type, void* dst, const void* src, Count n) {
  switch (type) {
    case t_f32: return floats<float>(op, dst, src, n);
    case t_f16: return floats<f16>(op, dst, src, n);
    case t_bf16: return floats<bf16>(op, dst, src, n);
    case t_i8: return integers<signed char>(op, dst, src, n);
    case t_u8: return integers<u8>(op, dst, src, n);
    case t_i16: return integers<short>(op, dst, src, n);
    default: return integers<int>(op, dst, src, n);
  }
}
bool unary_ok(Op& o, void* dst, const void* src, Count n, Count w) {
  o.count(n, w);
  return bool(o.reads(src, n * w).writes(dst, n * w).in_step(dst, src, n * w));
}
}  // namespace

void unary(Unary op, int type, const char* name, void* dst, const void* src, Count n, int line) {
  const Count w = widths[type];
  Op o(name, line);
  const bool later = op == op_abs || op == op_recip || (op >= op_sqrt && op <= op_relu);
  if (later && !(name[7] == 'a' && name[8] == 'c')) o.needs_arch(300);
  if (!unary_ok(o, dst, src, n, w)) return;
  tally(op == op_bnot ? count_vector_bytes : vector_class(type), n);
  o.travel(dst, w, src, w, nullptr, 0, n);
  compute(op, type, dst, src, n);
}

void active(Unary op, int type, const char* name, void* dst, const void* src, Count n, float least, float most, int line) {
  const Count w = widths[type];
  Op o(name, line);
  if (!unary_ok(o, dst, src, n, w)) return;
  tally(vector_class(type), n), tally(count_active, n);
  here->tables |= 1u << op;
  for (Count i = 0; i < n; ++i) {
    const float x = type == t_f32 ? static_cast<const float*>(src)[i] : value(static_cast<const f16*>(src)[i]);
    if (x >= least && x <= most) continue;
    if (!all_written(static_cast<const char*>(src) + i * w, w)) continue;
    char text[160];
    snprintf(text, sizeof text, "%s is documented for arguments from %g to %g; one is %g", name, (double)least, (double)most, (double)x);
    remark("domain", text, line);
    break;
  }
  o.travel(dst, w, src, w, nullptr, 0, n);
  compute(op, type, dst, src, n);
}

void relun(int type, const char* name, void* dst, const void* src, Count n, const void* cap, int line) {
  unary(op_relu, type, name, dst, src, n, line);
  scalar(op_minequal, type, name, dst, dst, cap, n, line);
}

void old_name(const char* name, const char* instead, int line) { Op(name, line).deprecated(instead); }

void old_divide(int type, void* dst, const void* a, const void* b, void* scratch, Count n, int line) {
  const Count bytes = n * widths[type];
  Op o("__bang_div", line);
  o.deprecated("the form with four arguments").count(n, widths[type]);
  o.multiple(bytes, 128, "the length in bytes").writes(scratch, bytes).apart(dst, bytes, a, bytes).apart(dst, bytes, b, bytes).apart(dst, bytes, scratch, bytes);
  if (o) binary(op_div, type, "__bang_div", dst, a, b, n, line);
}

// ---- three operands ----------------------------------------------------------------------------------------
namespace {
template <class V> V product(V a, V b, V c) { return a * b + c; }
template <> float product(float a, float b, float c) { return (float)((double)a * b + c); }       // rounded once
template <class V> V fused(int op, V a, V b, V c) {
  switch (op) {
    case FUSION_FMA: return product(a, b, c);
    case FUSION_FMS: return product(a, b, (V)-c);
    case FUSION_FAM: return (a + b) * c;
    case FUSION_FSM: return (a - b) * c;
    case FUSION_FAA: return a + b + c;
    case FUSION_FAS: return a + b - c;
    case FUSION_FSS: return a - b - c;
    default: return a - b + c;
  }
}
template <class T> void fuse(int op, void* dst, const void* pa, const void* pb, const void* pc, Count n, Count n_seg, int steps) {
  T* d = static_cast<T*>(dst);
  const T *a = static_cast<const T*>(pa), *b = static_cast<const T*>(pb), *c = static_cast<const T*>(pc);
  for (Count i = 0; i < n; ++i) put(d[i], fused(op, value(a[i]), value(b[steps & 1 ? i % n_seg : 0]), value(c[steps & 2 ? i % n_seg : 0])));
}
}  // namespace

void fusion(int op, int type, void* dst, const void* a, const void* b, const void* c, Count n, Count n_seg, int steps, int line) {
  const Count w = widths[type];
  if (n_seg < 0) n_seg = n;
  Op o("__bang_fusion", line);
  o.needs_arch(300).count(n, w).count(n_seg, w);
  if (!o) return;
  o.multiple(n, n_seg, "the length of the source");
  if (steps & 1) o.reads(b, n_seg * w);
  if (steps & 2) o.reads(c, n_seg * w);
  if (!o.reads(a, n * w).writes(dst, n * w).in_step(dst, a, n * w)) return;
  tally(vector_class(type), 2 * n);
  for (Count i = 0; i < n; i += n_seg) {
    char* d = static_cast<char*>(dst) + i * w;
    o.travel(d, w, static_cast<const char*>(a) + i * w, w, steps & 1 ? b : nullptr, w, n_seg);
    if (steps & 2) o.travel(d, w, d, w, c, w, n_seg);
  }
  if (type == t_f32) fuse<float>(op, dst, a, b, c, n, n_seg, steps);
  else if (type == t_f16) fuse<f16>(op, dst, a, b, c, n, n_seg, steps);
  else if (type == t_bf16) fuse<bf16>(op, dst, a, b, c, n, n_seg, steps);
  else if (w == 1) fuse<u8>(op, dst, a, b, c, n, n_seg, steps);      // wrapping: the sign is no matter
  else if (w == 2) fuse<u16>(op, dst, a, b, c, n, n_seg, steps);
  else fuse<u32>(op, dst, a, b, c, n, n_seg, steps);
}

void width_remark(const char* name, unsigned value, unsigned element, int line) {
  if (element == 1 || here->memory) return;                               // a place carved out of bytes
  char text[160];
  snprintf(text, sizeof text, "%s: the value's type picks the width: %u bytes; the destination's elements have %u", name, value, element);
  remark("operand", text, line);
}

void write_value(const char* name, void* dst, Count n, const void* v, unsigned width, int line) {
  Op o(name, line);
  o.count(n, old_arch ? 2 * width : width);
  if (!o.writes(dst, n * width)) return;
  tally(count_vector_bytes, n * width);
  char* d = static_cast<char*>(dst);
  for (Count i = 0; i < n; ++i) __builtin_memcpy(d + i * width, v, width);
}
}  // namespace xp_bang
