// Instructions of the vector unit that work element by element.
#ifndef XP_BANG_VECTOR_H
#define XP_BANG_VECTOR_H
#include "xp_bang_types.h"

namespace xp_bang {
enum Binary {
  op_add, op_sub, op_mul, op_div, op_rem, op_maxequal, op_minequal, op_maximum, op_minimum, op_nan_maximum, op_nan_minimum,
  op_eq, op_ne, op_lt, op_le, op_gt, op_ge, op_equ, op_neu, op_ltu, op_leu, op_gtu, op_geu,
  op_and, op_or, op_xor, op_band, op_bor, op_bxor, op_sll, op_srl, op_sra, op_add_tz, op_sub_tz, op_mul_tz, op_sub_abs, binaries
};
enum Unary {
  op_abs, op_neg, op_not, op_bnot, op_square, op_recip, op_sqrt, op_rsqrt, op_sin, op_cos, op_log2, op_pow2, op_floor, op_ceil, op_round,
  op_trunc, op_relu, op_sign, op_exp, op_sigmoid, op_tanh, op_gelu, op_log, unaries
};
void binary(Binary op, int type, const char* name, void* dst, const void* a, const void* b, Count n, int line);
void scalar(Binary op, int type, const char* name, void* dst, const void* a, const void* value, Count n, int line);
void cycle(Binary op, int type, const char* name, void* dst, const void* a, const void* seg, Count n, Count n_seg, int line);
void bitindex(Binary op, int type, const char* name, void* dst, const void* a, const void* b, Count n, int line);
void unary(Unary op, int type, const char* name, void* dst, const void* src, Count n, int line);
void active(Unary op, int type, const char* name, void* dst, const void* src, Count n, float least, float most, int line);
void relun(int type, const char* name, void* dst, const void* src, Count n, const void* cap, int line);
void old_divide(int type, void* dst, const void* a, const void* b, void* scratch, Count n, int line);
// `steps`: bit 0: b is a vector, bit 1: c is a vector.
void fusion(int op, int type, void* dst, const void* a, const void* b, const void* c, Count n, Count n_seg, int steps, int line);
void old_name(const char* name, const char* instead, int line);
}  // namespace xp_bang

// ---- two operands ------------------------------------------------------------------------------------------
#define XP_VECTOR(name, op, set)                                                                                       \
  template <class T, class = xp_bang::Only<T, xp_bang::set>>                                                          \
  inline void name(T* dst, const T* a, const T* b, xp_bang::Count n, XP_LINE) {                                       \
    xp_bang::binary(xp_bang::op, xp_bang::TypeOf<T>::value, #name, dst, a, b, n, xp_line);                            \
  }
#define XP_SCALAR(name, op, set)                                                                                       \
  template <class T, class = xp_bang::Only<T, xp_bang::set>>                                                          \
  inline void name(T* dst, const T* src, xp_bang::Value<T> value, xp_bang::Count n, XP_LINE) {                        \
    xp_bang::scalar(xp_bang::op, xp_bang::TypeOf<T>::value, #name, dst, src, &value, n, xp_line);                     \
  }
#define XP_CYCLE(name, op, set)                                                                                        \
  template <class T, class = xp_bang::Only<T, xp_bang::set>>                                                          \
  inline void name(T* dst, const T* src, const T* seg, xp_bang::Count n_src, xp_bang::Count n_seg, XP_LINE) {         \
    xp_bang::cycle(xp_bang::op, xp_bang::TypeOf<T>::value, #name, dst, src, seg, n_src, n_seg, xp_line);              \
  }
#define XP_FORMS(name, set)                          \
  XP_VECTOR(__bang_##name, op_##name, set)           \
  XP_SCALAR(__bang_##name##_scalar, op_##name, set)  \
  XP_CYCLE(__bang_cycle_##name, op_##name, set)
#define XP_COMPARE(name, set)                                                                                          \
  XP_FORMS(name, set)                                                                                                  \
  template <class T, class = xp_bang::Only<T, xp_bang::fhb>>                                                          \
  inline void __bang_##name##_bitindex(void* dst, const T* a, const T* b, xp_bang::Count n, XP_LINE) {                \
    xp_bang::bitindex(xp_bang::op_##name, xp_bang::TypeOf<T>::value, "__bang_" #name "_bitindex", dst, a, b, n, xp_line); \
  }
XP_FORMS(add, fhbiu) XP_FORMS(sub, fhbiu) XP_FORMS(mul, fhbiu) XP_FORMS(rem, wide)
XP_FORMS(add_tz, fhb) XP_FORMS(sub_tz, fhb) XP_FORMS(mul_tz, fhb)
XP_FORMS(and, fhbi) XP_FORMS(or, fhbi) XP_FORMS(xor, fhbi)
XP_COMPARE(eq, fhbi) XP_COMPARE(ne, fhbi) XP_COMPARE(lt, fhbi) XP_COMPARE(le, fhbi) XP_COMPARE(gt, fhbi) XP_COMPARE(ge, fhbi)
XP_COMPARE(equ, fhb) XP_COMPARE(neu, fhb) XP_COMPARE(ltu, fhb) XP_COMPARE(leu, fhb) XP_COMPARE(gtu, fhb) XP_COMPARE(geu, fhb)
XP_FORMS(maxequal, fhbiu) XP_FORMS(minequal, fhbiu)
XP_SCALAR(__bang_maxeq_scalar, op_maxequal, fhbiu) XP_SCALAR(__bang_mineq_scalar, op_minequal, fhbiu)
XP_FORMS(maximum, fhb) XP_FORMS(minimum, fhb) XP_FORMS(nan_maximum, fhb) XP_FORMS(nan_minimum, fhb)
XP_SCALAR(__bang_band_scalar, op_band, fhbiu) XP_SCALAR(__bang_bor_scalar, op_bor, fhbiu) XP_SCALAR(__bang_bxor_scalar, op_bxor, fhbiu)
XP_SCALAR(__bang_srl, op_srl, uints) XP_SCALAR(__bang_sll, op_sll, shifts) XP_SCALAR(__bang_sra, op_sra, ints)
XP_VECTOR(__bang_div, op_div, any_width) XP_SCALAR(__bang_div, op_div, any_width) XP_CYCLE(__bang_cycle_div, op_div, fhb)
#undef XP_COMPARE
#undef XP_FORMS
// On bytes.
#define XP_BYTES(name)                                                                                                      \
  template <class T, class = xp_bang::Byte<T>>                                                                              \
  inline void __bang_##name(T* dst, const T* a, const T* b, xp_bang::Count n, XP_LINE) {                                    \
    xp_bang::binary(xp_bang::op_##name, xp_bang::t_u8, "__bang_" #name, dst, a, b, n, xp_line);                             \
  }                                                                                                                         \
  template <class T, class = xp_bang::Byte<T>>                                                                              \
  inline void __bang_cycle_##name(T* dst, const T* src, const T* seg, xp_bang::Count n_src, xp_bang::Count n_seg, XP_LINE) { \
    xp_bang::cycle(xp_bang::op_##name, xp_bang::t_u8, "__bang_cycle_" #name, dst, src, seg, n_src, n_seg, xp_line);         \
  }
XP_BYTES(band) XP_BYTES(bor) XP_BYTES(bxor)
#undef XP_BYTES
template <class T, class = xp_bang::Byte<T>>
inline void __bang_bnot(T* dst, const T* src, xp_bang::Count n, XP_LINE) {
  xp_bang::unary(xp_bang::op_bnot, xp_bang::t_u8, "__bang_bnot", dst, src, n, xp_line);
}

// Older spellings.
#define XP_OLD(name, op, instead)                                                                                      \
  template <class T, class = xp_bang::Only<T, xp_bang::fh>>                                                           \
  inline void name(T* dst, const T* src, xp_bang::Value<T> value, xp_bang::Count n, XP_LINE) {                        \
    xp_bang::old_name(#name, #instead, xp_line);                                                                      \
    xp_bang::scalar(xp_bang::op, xp_bang::TypeOf<T>::value, #name, dst, src, &value, n, xp_line);                     \
  }
XP_OLD(__bang_mul_const, op_mul, __bang_mul_scalar)
XP_OLD(__bang_add_const, op_add, __bang_add_scalar)
XP_OLD(__bang_sub_const, op_sub, __bang_sub_scalar)
#undef XP_OLD
template <class T, class = xp_bang::Only<T, xp_bang::fh>>
inline void __bang_div(T* dst, const T* a, const T* b, T* scratch, xp_bang::Count n, XP_LINE) {
  xp_bang::old_divide(xp_bang::TypeOf<T>::value, dst, a, b, scratch, n, xp_line);
}

// ---- one operand -------------------------------------------------------------------------------------------
#define XP_UNARY(name, op, set)                                                                                        \
  template <class T, class = xp_bang::Only<T, xp_bang::set>>                                                          \
  inline void name(T* dst, const T* src, xp_bang::Count n, XP_LINE) {                                                 \
    xp_bang::unary(xp_bang::op, xp_bang::TypeOf<T>::value, #name, dst, src, n, xp_line);                              \
  }
XP_UNARY(__bang_abs, op_abs, fhbi) XP_UNARY(__bang_neg, op_neg, fhbi) XP_UNARY(__bang_not, op_not, fhbi)
XP_UNARY(__bang_square, op_square, fhb) XP_UNARY(__bang_relu, op_relu, fhbi)
XP_UNARY(__bang_recip, op_recip, fb) XP_UNARY(__bang_sqrt, op_sqrt, fb) XP_UNARY(__bang_rsqrt, op_rsqrt, fb)
XP_UNARY(__bang_sin, op_sin, fb) XP_UNARY(__bang_cos, op_cos, fb) XP_UNARY(__bang_log, op_log2, fb) XP_UNARY(__bang_log2, op_log2, fb)
XP_UNARY(__bang_pow2, op_pow2, fb) XP_UNARY(__bang_floor, op_floor, fhb) XP_UNARY(__bang_ceil, op_ceil, fhb)
XP_UNARY(__bang_round, op_round, fhb) XP_UNARY(__bang_trunc, op_trunc, fhb)
XP_UNARY(__bang_active_relu, op_relu, fh) XP_UNARY(__bang_active_abs, op_abs, fh) XP_UNARY(__bang_active_sign, op_sign, fh)
#if XP_BANG_FLAT_WEIGHTS
XP_UNARY(__bang_sigmoid, op_sigmoid, fh)            // what some published kernels assume that there is
#endif
#undef XP_UNARY
template <class T, class = xp_bang::Only<T, xp_bang::fhbi>>
inline void __bang_relun(T* dst, const T* src, xp_bang::Count n, xp_bang::Value<T> cap, XP_LINE) {
  xp_bang::relun(xp_bang::TypeOf<T>::value, "__bang_relun", dst, src, n, &cap, xp_line);
}
// Functions by table look-up: computed exactly here; outside of the documented domain they are anybody's guess.
#define XP_ACTIVE(name, op, least, most)                                                                               \
  template <class T, class = xp_bang::Only<T, xp_bang::fh>>                                                           \
  inline void __bang_active_##name(T* dst, const T* src, xp_bang::Count n, XP_LINE) {                                 \
    xp_bang::active(xp_bang::op, xp_bang::TypeOf<T>::value, "__bang_active_" #name, dst, src, n, least, most, xp_line); \
  }
#define XP_ANY (-__builtin_inff())
#define XP_END (__builtin_inff())
XP_ACTIVE(exp, op_exp, XP_ANY, 11.0f) XP_ACTIVE(exphp, op_exp, XP_ANY, 16.0f)
XP_ACTIVE(sigmoid, op_sigmoid, XP_ANY, XP_END) XP_ACTIVE(tanh, op_tanh, XP_ANY, XP_END)
XP_ACTIVE(gelu, op_gelu, XP_ANY, XP_END) XP_ACTIVE(gelup, op_gelu, XP_ANY, XP_END)
XP_ACTIVE(sin, op_sin, -6.2831855f, 6.2831855f) XP_ACTIVE(cos, op_cos, -6.2831855f, 6.2831855f)
XP_ACTIVE(log, op_log, 6.1e-5f, 63484.0f) XP_ACTIVE(loghp, op_log, 6.1e-5f, 63484.0f)
XP_ACTIVE(sqrt, op_sqrt, 0.0f, 63487.0f) XP_ACTIVE(sqrthp, op_sqrt, 0.0f, 677268.0f)
XP_ACTIVE(rsqrt, op_rsqrt, 0.005f, 63487.0f) XP_ACTIVE(rsqrthp, op_rsqrt, 0.005f, 63487.0f)
XP_ACTIVE(recip, op_recip, 0.0078f, 65472.0f) XP_ACTIVE(reciphp, op_recip, 2.2e-16f, 2e6f)
XP_ACTIVE(pow2, op_pow2, XP_ANY, XP_END)
#undef XP_ACTIVE
#undef XP_ANY
#undef XP_END

// ---- three operands ----------------------------------------------------------------------------------------
enum mluFusionOp { FUSION_FMA, FUSION_FMS, FUSION_FAM, FUSION_FSM, FUSION_FAA, FUSION_FAS, FUSION_FSS, FUSION_FSA };
#undef XP_VECTOR
#undef XP_SCALAR
#undef XP_CYCLE
template <class T, class = xp_bang::Only<T, xp_bang::fhbiu>>
inline void __bang_fusion(mluFusionOp op, T* dst, const T* a, const T* b, const T* c, xp_bang::Count n, xp_bang::Count n_seg = -1, XP_LINE) {
  xp_bang::fusion(op, xp_bang::TypeOf<T>::value, dst, a, b, c, n, n_seg, 3, xp_line);
}
template <class T, class = xp_bang::Only<T, xp_bang::fhbiu>>
inline void __bang_fusion(mluFusionOp op, T* dst, const T* a, xp_bang::Value<T> b, const T* c, xp_bang::Count n, xp_bang::Count n_seg = -1, XP_LINE) {
  xp_bang::fusion(op, xp_bang::TypeOf<T>::value, dst, a, &b, c, n, n_seg, 2, xp_line);
}
template <class T, class = xp_bang::Only<T, xp_bang::fhbiu>>
inline void __bang_fusion(mluFusionOp op, T* dst, const T* a, const T* b, xp_bang::Value<T> c, xp_bang::Count n, xp_bang::Count n_seg = -1, XP_LINE) {
  xp_bang::fusion(op, xp_bang::TypeOf<T>::value, dst, a, b, &c, n, n_seg, 1, xp_line);
}
template <class T, class = xp_bang::Only<T, xp_bang::fhbiu>>
inline void __bang_fusion(mluFusionOp op, T* dst, const T* a, xp_bang::Value<T> b, xp_bang::Value<T> c, xp_bang::Count n, xp_bang::Count n_seg = -1, XP_LINE) {
  xp_bang::fusion(op, xp_bang::TypeOf<T>::value, dst, a, &b, &c, n, n_seg, 0, xp_line);
}

// ---- fills on the compute pipe -----------------------------------------------------------------------------
namespace xp_bang {
void write_value(const char* name, void* dst, Count n, const void* value, unsigned width, int line);
void width_remark(const char* name, unsigned value, unsigned element, int line);
}
template <class T, class = xp_bang::Only<T, xp_bang::any_width>>
inline void __bang_write_zero(T* dst, xp_bang::Count n, XP_LINE) {
  T zero;
  __builtin_memset(&zero, 0, sizeof zero);
  xp_bang::write_value("__bang_write_zero", dst, n, &zero, sizeof zero, xp_line);
}
// The value's type picks the width, and what n counts.
template <class T, class V>
inline void __bang_write_value(T* dst, xp_bang::Count n, V value, XP_LINE) {
  typedef typename xp_bang::Stored<V>::type S;
  const S stored = (S)value;
  if (!xp_bang::Equal<T, void>::value && sizeof(typename xp_bang::Sized<T>::type) != sizeof(S))
    xp_bang::width_remark("__bang_write_value", sizeof(S), sizeof(typename xp_bang::Sized<T>::type), xp_line);
  xp_bang::write_value("__bang_write_value", dst, n, &stored, sizeof stored, xp_line);
}
#endif
