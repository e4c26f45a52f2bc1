// Arithmetic, comparisons, logic and bits, element by element.
#pragma once

// -- arithmetic: vector and vector, vector and scalar, vector and a cycling segment -------------

#define XP_BINARY(name, expr)                                                        \
  template <class T> inline void name(T* dst, const T* x, const T* y, int n) {       \
    for (int i = 0; i < n; i++) {                                                    \
      T a = x[i], b = y[i];                                                          \
      dst[i] = (T)(expr);                                                            \
    }                                                                                \
  }
#define XP_SCALAR(name, expr)                                                        \
  template <class T, class V> inline void name(T* dst, const T* x, V value, int n) { \
    for (int i = 0; i < n; i++) {                                                    \
      T a = x[i], b = (T)value;                                                      \
      dst[i] = (T)(expr);                                                            \
    }                                                                                \
  }
#define XP_CYCLE(name, expr)                                                                 \
  template <class T>                                                                         \
  inline void name(T* dst, const T* x, const T* seg, int n, int period) {                    \
    for (int r = 0; r < n / period; r++)                                                     \
      for (int c = 0; c < period; c++) {                                                     \
        T a = x[r * period + c], b = seg[c];                                                 \
        dst[r * period + c] = (T)(expr);                                                     \
      }                                                                                      \
  }
#define XP_FAMILY(op, expr)         \
  XP_BINARY(__bang_##op, expr)      \
  XP_SCALAR(__bang_##op##_scalar, expr) \
  XP_CYCLE(__bang_cycle_##op, expr)

XP_FAMILY(add, a + b)
XP_FAMILY(sub, a - b)
XP_FAMILY(mul, a* b)
XP_SCALAR(__bang_add_const, a + b)
XP_SCALAR(__bang_sub_const, a - b)
XP_SCALAR(__bang_mul_const, a* b)
XP_BINARY(__bang_add_tz, a + b)
XP_CYCLE(__bang_cycle_add_tz, a + b)
XP_BINARY(__bang_div, a / b)
template <class T>
inline void __bang_div(T* dst, const T* x, typename xp_plain<T>::type value, int n) {
  for (int i = 0; i < n; i++) dst[i] = (T)(x[i] / value);
}
template <class T>
inline void __bang_div(T* dst, const T* x, const T* y, T* scratch, int n) {
  for (int i = 0; i < n; i++) dst[i] = (T)(x[i] / y[i]);
}
XP_BINARY(__bang_rem, a % b)

// max and min: a where either is not a number (_equal), the other one (_imum), not a number (nan_)
XP_BINARY(__bang_maxequal, a < b ? b : a)
XP_BINARY(__bang_minequal, b < a ? b : a)
XP_SCALAR(__bang_maxeq_scalar, a < b ? b : a)
XP_SCALAR(__bang_mineq_scalar, b < a ? b : a)
XP_CYCLE(__bang_cycle_maxequal, a < b ? b : a)
XP_CYCLE(__bang_cycle_minequal, b < a ? b : a)
XP_BINARY(__bang_maximum, a < b || a != a ? b : a)
XP_BINARY(__bang_minimum, b < a || a != a ? b : a)
XP_BINARY(__bang_nan_maximum, a < b || b != b ? b : a)
XP_BINARY(__bang_nan_minimum, b < a || b != b ? b : a)

// -- comparisons and logic: 1 or 0 in the operands' type ----------------------------------------

XP_FAMILY(eq, a == b ? 1 : 0)
XP_FAMILY(ne, a != b ? 1 : 0)
XP_FAMILY(lt, a < b ? 1 : 0)
XP_FAMILY(le, a <= b ? 1 : 0)
XP_FAMILY(gt, a > b ? 1 : 0)
XP_FAMILY(ge, a >= b ? 1 : 0)
XP_BINARY(__bang_equ, a == b || a != a || b != b ? 1 : 0)
XP_BINARY(__bang_neu, a != b ? 1 : 0)
XP_BINARY(__bang_ltu, !(a >= b) ? 1 : 0)
XP_BINARY(__bang_leu, !(a > b) ? 1 : 0)
XP_BINARY(__bang_gtu, !(a <= b) ? 1 : 0)
XP_BINARY(__bang_geu, !(a < b) ? 1 : 0)
XP_BINARY(__bang_and, a != 0 && b != 0 ? 1 : 0)
XP_BINARY(__bang_or, a != 0 || b != 0 ? 1 : 0)
XP_BINARY(__bang_xor, (a != 0) != (b != 0) ? 1 : 0)
XP_CYCLE(__bang_cycle_and, a != 0 && b != 0 ? 1 : 0)
XP_CYCLE(__bang_cycle_or, a != 0 || b != 0 ? 1 : 0)

#define XP_UNARY(name, expr)                                                \
  template <class T> inline void name(T* dst, const T* src, int n) {        \
    for (int i = 0; i < n; i++) {                                           \
      T x = src[i];                                                         \
      dst[i] = (T)(expr);                                                   \
    }                                                                       \
  }
XP_UNARY(__bang_not, x == 0 ? 1 : 0)

// bit i of byte i / 8 of dst; n is a multiple of 8
#define XP_BITINDEX(name, op)                                                            \
  template <class D, class T> inline void name(D* dst, const T* a, const T* b, int n) {  \
    for (int i = 0; i < n / 8; i++) {                                                    \
      int bits = 0;                                                                      \
      for (int j = 0; j < 8; j++) bits |= (a[i * 8 + j] op b[i * 8 + j] ? 1 : 0) << j;   \
      ((unsigned char*)dst)[i] = (unsigned char)bits;                                    \
    }                                                                                    \
  }
XP_BITINDEX(__bang_eq_bitindex, ==)
XP_BITINDEX(__bang_ne_bitindex, !=)
XP_BITINDEX(__bang_lt_bitindex, <)
XP_BITINDEX(__bang_le_bitindex, <=)
XP_BITINDEX(__bang_gt_bitindex, >)
XP_BITINDEX(__bang_ge_bitindex, >=)

// -- bits: n counts bytes -----------------------------------------------------------------------

#define XP_BITS(name, op)                                                                   \
  template <class D, class A, class B> inline void name(D* dst, A* a, B* b, int bytes) {    \
    for (int i = 0; i < bytes; i++)                                                         \
      ((char*)dst)[i] = (char)(((const char*)a)[i] op((const char*)b)[i]);                  \
  }
XP_BITS(__bang_band, &)
XP_BITS(__bang_bor, |)
XP_BITS(__bang_bxor, ^)
template <class D, class S> inline void __bang_bnot(D* dst, S* src, int bytes) {
  for (int i = 0; i < bytes; i++) ((char*)dst)[i] = (char)~((const char*)src)[i];
}
#define XP_CYCLE_BITS(name, op)                                                          \
  template <class D, class A, class B>                                                   \
  inline void name(D* dst, A* x, B* seg, int bytes, int period) {                        \
    for (int r = 0; r < bytes / period; r++)                                             \
      for (int c = 0; c < period; c++)                                                   \
        ((char*)dst)[r * period + c] =                                                   \
            (char)(((const char*)x)[r * period + c] op((const char*)seg)[c]);            \
  }
XP_CYCLE_BITS(__bang_cycle_band, &)
XP_CYCLE_BITS(__bang_cycle_bor, |)
XP_CYCLE_BITS(__bang_cycle_bxor, ^)
#define XP_SHIFT(name, op)                                                           \
  template <class T> inline void name(T* dst, const T* src, int bits, int n) {       \
    for (int i = 0; i < n; i++) dst[i] = (T)(src[i] op bits);                        \
  }
XP_SHIFT(__bang_srl, >>)
XP_SHIFT(__bang_sra, >>)
XP_SHIFT(__bang_sll, <<)

// -- one operand --------------------------------------------------------------------------------

XP_UNARY(__bang_abs, x < 0 ? -x : x)
XP_UNARY(__bang_square, x* x)
// What is no number stays so.
XP_UNARY(__bang_relu, x < 0 ? 0 : x)
XP_SCALAR(__bang_relun_value, (a > 0 ? a : 0) < b ? (a > 0 ? a : 0) : b)
template <class T, class V> inline void __bang_relun(T* dst, const T* src, int n, V cap) {
  __bang_relun_value(dst, src, cap, n);
}
XP_UNARY(__bang_floor, floorf((float)x))
XP_UNARY(__bang_ceil, ceilf((float)x))
XP_UNARY(__bang_round, roundf((float)x))
XP_UNARY(__bang_trunc, truncf((float)x))
XP_UNARY(__bang_sqrt, sqrtf((float)x))
XP_UNARY(__bang_rsqrt, 1.0f / sqrtf((float)x))
XP_UNARY(__bang_recip, 1.0f / (float)x)
XP_UNARY(__bang_sin, sinf((float)x))
XP_UNARY(__bang_cos, cosf((float)x))
XP_UNARY(__bang_log2, log2f((float)x))
XP_UNARY(__bang_log, log2f((float)x))
XP_UNARY(__bang_pow2, exp2f((float)x))

// "active" functions look up a table on the device; here they are what the table stands for.
XP_UNARY(__bang_active_exp, expf((float)x))
XP_UNARY(__bang_active_exphp, expf((float)x))
XP_UNARY(__bang_active_log, logf((float)x))
XP_UNARY(__bang_active_loghp, logf((float)x))
XP_UNARY(__bang_active_sqrt, sqrtf((float)x))
XP_UNARY(__bang_active_sqrthp, sqrtf((float)x))
XP_UNARY(__bang_active_rsqrt, 1.0f / sqrtf((float)x))
XP_UNARY(__bang_active_rsqrthp, 1.0f / sqrtf((float)x))
XP_UNARY(__bang_active_recip, 1.0f / (float)x)
XP_UNARY(__bang_active_reciphp, 1.0f / (float)x)
XP_UNARY(__bang_active_sigmoid, 1.0f / (1.0f + expf(-(float)x)))
XP_UNARY(__bang_sigmoid, 1.0f / (1.0f + expf(-(float)x)))
XP_UNARY(__bang_active_tanh, tanhf((float)x))
XP_UNARY(__bang_active_gelu, 0.5f * (float)x * erfcf((float)x * -0.70710678f))
XP_UNARY(__bang_active_gelup, 0.5f * (float)x * erfcf((float)x * -0.70710678f))
XP_UNARY(__bang_active_sin, sinf((float)x))
XP_UNARY(__bang_active_cos, cosf((float)x))
XP_UNARY(__bang_active_relu, x < 0 ? 0 : x)
XP_UNARY(__bang_active_abs, x < 0 ? -x : x)
XP_UNARY(__bang_active_sign, x >= 0 ? 1 : x < 0 ? -1 : x)

// -- three operands -------------------------------------------------------------------------------

template <class T> struct xp_operand {
  static inline T at(T v, int i) { return v; }
  static inline T at(const T* v, int i) { return v[i]; }
};
#define XP_FUSED(fma, fms, fam, fsm, faa, fas, fss, fsa)                 \
  if (op == FUSION_FMA) dst[i] = (T)(fma);                               \
  if (op == FUSION_FMS) dst[i] = (T)(fms);                               \
  if (op == FUSION_FAM) dst[i] = (T)(fam);                               \
  if (op == FUSION_FSM) dst[i] = (T)(fsm);                               \
  if (op == FUSION_FAA) dst[i] = (T)(faa);                               \
  if (op == FUSION_FAS) dst[i] = (T)(fas);                               \
  if (op == FUSION_FSS) dst[i] = (T)(fss);                               \
  if (op == FUSION_FSA) dst[i] = (T)(fsa);
template <class T, class B, class C>
inline void __bang_fusion(mluFusionOp op, T* dst, const T* x, B y, C z, int n) {
  for (int i = 0; i < n; i++) {
    T a = x[i], b = xp_operand<T>::at(y, i), c = xp_operand<T>::at(z, i);
    XP_FUSED(a* b + c, a* b - c, (a + b) * c, (a - b) * c, a + b + c, a + b - c, a - b - c,
             a - b + c)
  }
}
template <class T, class B, class C>
inline void __bang_fusion(mluFusionOp op, T* dst, const T* x, B y, C z, int n, int period) {
  for (int i = 0; i < n; i++) {
    T a = x[i], b = xp_operand<T>::at(y, i % period), c = xp_operand<T>::at(z, i % period);
    XP_FUSED(a* b + c, a* b - c, (a + b) * c, (a - b) * c, a + b + c, a + b - c, a - b - c,
             a - b + c)
  }
}
