// What each instruction of BANG C means, as plain C++. The front end reads these bodies in place of
// the calls; whoever maps loops to instructions matches loops against them; a generated test holds
// each against the emulator, which shares nothing with this file.
//
// n counts elements and `bytes` bytes; a segment number counts one less than there are segments.
// Asynchronous forms have the effect of the others: a missing wait is the emulator's to find.
#pragma once
#ifdef __BANG__
#pragma clang force_cuda_host_device begin
#endif

// -- helpers ----------------------------------------------------------------------------------

// The element in which bytes are copied: what either side says, when it says more than "bytes".
template <class D, class S> struct xp_unit { typedef D type; };
template <class S> struct xp_unit<void, S> { typedef S type; };
template <class S> struct xp_unit<char, S> { typedef S type; };
template <class S> struct xp_unit<signed char, S> { typedef S type; };
template <class S> struct xp_unit<unsigned char, S> { typedef S type; };
template <> struct xp_unit<void, void> { typedef unsigned char type; };
template <> struct xp_unit<char, void> { typedef char type; };
template <> struct xp_unit<signed char, void> { typedef signed char type; };
template <> struct xp_unit<unsigned char, void> { typedef unsigned char type; };
template <class T> struct xp_plain { typedef T type; };
template <class T> struct xp_plain<const T> { typedef T type; };
template <class T> struct xp_count { static constexpr int group = 128 / sizeof(T); };
template <class T> struct xp_index { typedef unsigned type; };
template <> struct xp_index<half> { typedef unsigned short type; };
template <> struct xp_index<bfloat16_t> { typedef unsigned short type; };

// `size` bytes from src to dst, in elements and a rest of bytes.
template <class E> inline void xp_copy_bytes(E* dst, const E* src, int size) {
  for (int i = 0; i < size / (int)sizeof(E); i++) dst[i] = src[i];
  if (size % (int)sizeof(E) != 0) {
    for (int i = size / (int)sizeof(E) * (int)sizeof(E); i < size; i++)
      ((char*)dst)[i] = ((const char*)src)[i];
  }
}

// The place `bytes` behind p.
template <class E, class P> inline E* xp_at(P* p, int bytes) { return (E*)((char*)p + bytes); }
template <class E, class P> inline const E* xp_at(const P* p, int bytes) {
  return (const E*)((const char*)p + bytes);
}

// -- copies -----------------------------------------------------------------------------------

template <class D, class S>
inline void __memcpy(D* dst, const S* src, int bytes, mluMemcpyDirection_t dir) {
  typedef typename xp_unit<D, S>::type E;
  xp_copy_bytes<E>((E*)dst, (const E*)src, bytes);
}
template <class D, class S>
inline void __memcpy(D* dst, const S* src, int bytes, mluMemcpyDirection_t dir, int dst_stride,
                     int src_stride, int segments) {
  typedef typename xp_unit<D, S>::type E;
  for (int s = 0; s <= segments; s++)
    xp_copy_bytes<E>(xp_at<E>(dst, s * dst_stride), xp_at<E>(src, s * src_stride), bytes);
}
template <class D, class S>
inline void __memcpy(D* dst, const S* src, int bytes, mluMemcpyDirection_t dir, int dst_stride0,
                     int dst_segments1, int dst_stride1, int dst_segments2, int src_stride0,
                     int src_segments1, int src_stride1, int src_segments2) {
  typedef typename xp_unit<D, S>::type E;
  for (int s = 0; s < (dst_segments1 + 1) * (dst_segments2 + 1); s++)
    xp_copy_bytes<E>(xp_at<E>(dst, s % (dst_segments1 + 1) * dst_stride0 +
                                       s / (dst_segments1 + 1) * dst_stride1),
                     xp_at<E>(src, s % (src_segments1 + 1) * src_stride0 +
                                       s / (src_segments1 + 1) * src_stride1),
                     bytes);
}
template <class D, class S>
inline void __memcpy_async(D* dst, const S* src, int bytes, mluMemcpyDirection_t dir) {
  __memcpy(dst, src, bytes, dir);
}
template <class D, class S>
inline void __memcpy_async(D* dst, const S* src, int bytes, mluMemcpyDirection_t dir,
                           int dst_stride, int src_stride, int segments) {
  __memcpy(dst, src, bytes, dir, dst_stride, src_stride, segments);
}
template <class D, class S>
inline void __memcpy_async(D* dst, const S* src, int bytes, mluMemcpyDirection_t dir,
                           int dst_stride0, int dst_segments1, int dst_stride1, int dst_segments2,
                           int src_stride0, int src_segments1, int src_stride1,
                           int src_segments2) {
  __memcpy(dst, src, bytes, dir, dst_stride0, dst_segments1, dst_stride1, dst_segments2,
           src_stride0, src_segments1, src_stride1, src_segments2);
}
template <class D, class S> inline void __bang_move(D* dst, const S* src, int bytes) {
  __memcpy(dst, src, bytes, NRAM2NRAM);
}
template <class D, class S>
inline void __bang_move(D* dst, const S* src, int bytes, int dst_stride, int src_stride,
                        int segments) {
  __memcpy(dst, src, bytes, NRAM2NRAM, dst_stride, src_stride, segments);
}

// segment k: `bytes` bytes from src + offset[k] to dst + k * dst_stride
template <class D, class S, class O>
inline void __gather(D* dst, const S* src, const O* offset, int bytes, mluMemcpyDirection_t dir,
                     int dst_stride, int count) {
  typedef typename xp_unit<D, S>::type E;
  for (int k = 0; k < count; k++)
    xp_copy_bytes<E>(xp_at<E>(dst, k * dst_stride), xp_at<E>(src, offset[k]), bytes);
}
template <class D, class S, class O>
inline void __scatter(D* dst, const S* src, const O* offset, int bytes, mluMemcpyDirection_t dir,
                      int src_stride, int count) {
  typedef typename xp_unit<D, S>::type E;
  for (int k = 0; k < count; k++)
    xp_copy_bytes<E>(xp_at<E>(dst, offset[k]), xp_at<E>(src, k * src_stride), bytes);
}

template <class T> inline T __load_nram(const T* p) { return *p; }
template <class T> inline T __load_gdram(const T* p) { return *p; }
template <class T> inline T __load_sram(const T* p) { return *p; }
template <class T> inline void __store_nram(T* p, T value) { *p = value; }
template <class T> inline void __store_gdram(T* p, T value) { *p = value; }
template <class T> inline void __store_sram(T* p, T value) { *p = value; }

// -- fills ------------------------------------------------------------------------------------

#define XP_FILL(name)                                                     \
  template <class T, class V> inline void name(T* dst, int n, V value) {  \
    for (int i = 0; i < n; i++) dst[i] = (T)value;                        \
  }
XP_FILL(__memset_nram)
XP_FILL(__nramset)
XP_FILL(__sramset)
XP_FILL(__gdramset)
XP_FILL(__ldramset)
XP_FILL(__bang_write_value)
template <class T> inline void __bang_write_zero(T* dst, int n) {
  for (int i = 0; i < n; i++) dst[i] = (T)0;
}
#define XP_FILL_STRIDED(name)                                                           \
  template <class T, class V>                                                           \
  inline void name(T* dst, int n, V value, int stride, int segments) {                  \
    for (int s = 0; s <= segments; s++)                                                 \
      for (int i = 0; i < n; i++) ((T*)((char*)dst + s * stride))[i] = (T)value;        \
  }
XP_FILL_STRIDED(__nramset_async)
XP_FILL_STRIDED(__gdramset)
template <class T> inline void __bang_incseq(T* dst, int n) {
  for (int i = 0; i < n; i++) dst[i] = (T)i;
}

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
XP_SCALAR(__bang_div, a / b)
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
XP_UNARY(__bang_relu, x > 0 ? x : 0)
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
XP_UNARY(__bang_active_gelu, 0.5f * (float)x * (1.0f + erff((float)x * 0.70710678f)))
XP_UNARY(__bang_active_gelup, 0.5f * (float)x * (1.0f + erff((float)x * 0.70710678f)))
XP_UNARY(__bang_active_sin, sinf((float)x))
XP_UNARY(__bang_active_cos, cosf((float)x))
XP_UNARY(__bang_active_relu, x > 0 ? x : 0)
XP_UNARY(__bang_active_abs, x < 0 ? -x : x)
XP_UNARY(__bang_active_sign, x >= 0 ? 1 : -1)

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

// -- conversions ----------------------------------------------------------------------------------
// tz toward zero, oz away from zero, up and dn to either infinity, rn to nearest even, rd to nearest
// with halves away from zero, rm halves upwards. Between integers and floats 2^pos is the weight of
// the integer's last bit, and what does not fit becomes the nearest integer that does.

inline float xp_next(half y, int step) { return (float)__xp_half((unsigned short)(__xp_bits(y) + step)); }
inline float xp_next(bfloat16_t y, int step) { return (float)__xp_bfloat((unsigned short)(__xp_bits(y) + step)); }
template <class T> inline float xp_narrow_rn(float x, T y) { return (float)y; }
template <class T> inline float xp_narrow_tz(float x, T y) {
  return fabsf((float)y) > fabsf(x) ? xp_next(y, -1) : (float)y;
}
template <class T> inline float xp_narrow_oz(float x, T y) {
  return fabsf((float)y) < fabsf(x) ? xp_next(y, 1) : (float)y;
}
template <class T> inline float xp_narrow_up(float x, T y) {
  return (float)y < x ? xp_next(y, x < 0 ? -1 : 1) : (float)y;
}
template <class T> inline float xp_narrow_dn(float x, T y) {
  return (float)y > x ? xp_next(y, x < 0 ? 1 : -1) : (float)y;
}
template <class T> inline float xp_narrow_rd(float x, T y) {
  return fabsf(x) > fabsf((float)y) && fabsf(x - (float)y) == fabsf(xp_next(y, 1) - x)
             ? xp_next(y, 1)
             : (float)y;
}
#define XP_NARROW(name, D, mode)                                                    \
  inline void name##mode(D* dst, const float* src, int n) {                         \
    for (int i = 0; i < n; i++) {                                                   \
      float x = src[i];                                                             \
      dst[i] = (D)xp_narrow##mode(x, (D)x);                                         \
    }                                                                               \
  }
#define XP_NARROWS(name, D) \
  XP_NARROW(name, D, _rn) XP_NARROW(name, D, _tz) XP_NARROW(name, D, _oz) \
  XP_NARROW(name, D, _up) XP_NARROW(name, D, _dn) XP_NARROW(name, D, _rd)
XP_NARROWS(__bang_float2half, half)
XP_NARROWS(__bang_float2bfloat16, bfloat16_t)
inline void __bang_float2half(half* dst, const float* src, int n) { __bang_float2half_tz(dst, src, n); }
#define XP_WIDEN(name, S)                                                                       \
  inline void name(float* dst, const S* src, int n) {                                           \
    for (int i = 0; i < n; i++) dst[i] = (float)src[i];                                         \
  }                                                                                             \
  inline void name(float* dst, const S* src, int n, int dst_stride, int src_stride, int segments) { \
    for (int s = 0; s <= segments; s++)                                                         \
      for (int i = 0; i < n; i++)                                                               \
        *(float*)((char*)dst + s * dst_stride + i * (int)sizeof(float)) =                       \
            (float)*(const S*)((const char*)src + s * src_stride + i * (int)sizeof(S));         \
  }
XP_WIDEN(__bang_half2float, half)
XP_WIDEN(__bang_bfloat162float, bfloat16_t)

inline float xp_whole_tz(float x) { return truncf(x); }
inline float xp_whole_oz(float x) { return x < 0 ? floorf(x) : ceilf(x); }
inline float xp_whole_up(float x) { return ceilf(x); }
inline float xp_whole_dn(float x) { return floorf(x); }
inline float xp_whole_rn(float x) { return rintf(x); }
inline float xp_whole_rd(float x) { return roundf(x); }
inline float xp_whole_rm(float x) { return floorf(x + 0.5f); }
inline float xp_scaled(float x, int pos) { return pos == 0 ? x : ldexpf(x, pos); }
inline signed char xp_clamp_int8(float x) {
  return x >= 127.0f ? 127 : x <= -128.0f ? -128 : (signed char)x;
}
inline short xp_clamp_int16(float x) {
  return x >= 32767.0f ? 32767 : x <= -32768.0f ? -32768 : (short)x;
}
inline int xp_clamp_int32(float x) {
  return x >= 2147483648.0f ? 2147483647 : x <= -2147483648.0f ? -2147483647 - 1 : (int)x;
}
#define XP_TO_INT(S, from, D, to, mode, whole)                                          \
  inline void __bang_##from##2##to##mode(D* dst, const S* src, int n, int pos = 0) {    \
    for (int i = 0; i < n; i++) dst[i] = xp_clamp_##to(whole(xp_scaled((float)src[i], -pos))); \
  }
#define XP_TO_INTS(S, from, D, to)                     \
  XP_TO_INT(S, from, D, to, , xp_whole_tz)             \
  XP_TO_INT(S, from, D, to, _tz, xp_whole_tz)          \
  XP_TO_INT(S, from, D, to, _oz, xp_whole_oz)          \
  XP_TO_INT(S, from, D, to, _up, xp_whole_up)          \
  XP_TO_INT(S, from, D, to, _dn, xp_whole_dn)          \
  XP_TO_INT(S, from, D, to, _rn, xp_whole_rn)          \
  XP_TO_INT(S, from, D, to, _rd, xp_whole_rd)          \
  XP_TO_INT(S, from, D, to, _rm, xp_whole_rm)
XP_TO_INTS(float, float, int, int32)
XP_TO_INTS(float, float, short, int16)
XP_TO_INTS(float, float, signed char, int8)
XP_TO_INTS(half, half, int, int32)
XP_TO_INTS(half, half, short, int16)
XP_TO_INTS(half, half, signed char, int8)
#define XP_FROM_INT(S, from, D, to, mode)                                               \
  inline void __bang_##from##2##to##mode(D* dst, const S* src, int n, int pos = 0) {    \
    for (int i = 0; i < n; i++) dst[i] = (D)xp_scaled((float)src[i], pos);              \
  }
#define XP_FROM_INTS(S, from, D, to)     \
  XP_FROM_INT(S, from, D, to, )          \
  XP_FROM_INT(S, from, D, to, _tz)       \
  XP_FROM_INT(S, from, D, to, _rn)       \
  XP_FROM_INT(S, from, D, to, _rd)
XP_FROM_INTS(int, int32, float, float)
XP_FROM_INTS(short, int16, float, float)
XP_FROM_INTS(signed char, int8, float, float)
XP_FROM_INTS(int, int32, half, half)
XP_FROM_INTS(short, int16, half, half)
XP_FROM_INTS(signed char, int8, half, half)
inline void __bang_int322int16(short* dst, const int* src, int n, int dst_pos = 0, int src_pos = 0) {
  for (int i = 0; i < n; i++)
    dst[i] = src[i] > 32767 ? (short)32767 : src[i] < -32768 ? (short)-32768 : (short)src[i];
}

// one number
inline half __float2half_rn(float x) { return (half)x; }
inline half __float2half(float x) { return (half)x; }
inline half __float2half_rd(float x) { return (half)xp_narrow_rd(x, (half)x); }
inline half __float2half_tz(float x) { return (half)xp_narrow_tz(x, (half)x); }
inline float __half2float(half x) { return (float)x; }
inline bfloat16_t __float2bfloat16_rn(float x) { return (bfloat16_t)x; }
inline bfloat16_t __float2bfloat16(float x) { return (bfloat16_t)x; }
inline float __bfloat162float(bfloat16_t x) { return (float)x; }
#define XP_TO_ONE(mode, whole)                                                          \
  inline int __float2int32##mode(float x) { return xp_clamp_int32(whole(x)); }          \
  inline int __float2int##mode(float x) { return xp_clamp_int32(whole(x)); }            \
  inline int __half2int32##mode(half x) { return xp_clamp_int32(whole((float)x)); }     \
  inline int __half2int##mode(half x) { return xp_clamp_int32(whole((float)x)); }
XP_TO_ONE(, xp_whole_tz) XP_TO_ONE(_tz, xp_whole_tz) XP_TO_ONE(_up, xp_whole_up)
XP_TO_ONE(_dn, xp_whole_dn) XP_TO_ONE(_rn, xp_whole_rn) XP_TO_ONE(_rd, xp_whole_rd)
inline float __int322float(int x) { return (float)x; }
inline float __int322float_rn(int x) { return (float)x; }
inline half __int322half_rn(int x) { return (half)x; }

// -- reductions -----------------------------------------------------------------------------------

// each group of 128 bytes: its sum in its first element, the others unchanged
template <class T> inline void __bang_reduce_sum(T* dst, const T* src, int n) {
  for (int g = 0; g < n / xp_count<T>::group; g++) {
    float sum = 0;
    for (int i = 0; i < xp_count<T>::group; i++) sum += (float)src[g * xp_count<T>::group + i];
    dst[g * xp_count<T>::group] = (T)sum;
  }
}
template <class T> inline T __bang_sum(const T* src, int n) {
  float sum = 0;
  for (int i = 0; i < n; i++) sum += (float)src[i];
  return (T)sum;
}
template <class T> inline T __bang_max(const T* src, int n) {
  T best = src[0];
  for (int i = 1; i < n; i++)
    if (best < src[i]) best = src[i];
  return best;
}
template <class T> inline T __bang_min(const T* src, int n) {
  T best = src[0];
  for (int i = 1; i < n; i++)
    if (src[i] < best) best = src[i];
  return best;
}
#define XP_ARG(name, op)                                                   \
  template <class T> inline void name(T* dst, const T* src, int n) {       \
    T best = src[0];                                                       \
    unsigned at = 0;                                                       \
    for (int i = 1; i < n; i++)                                            \
      if (src[i] op best) {                                                \
        best = src[i];                                                     \
        at = i;                                                            \
      }                                                                    \
    dst[0] = best;                                                         \
    ((unsigned*)dst)[1] = at;                                              \
  }
XP_ARG(__bang_argmax, >)
XP_ARG(__bang_argmin, <)
XP_ARG(__bang_max, >)
XP_ARG(__bang_min, <)
template <class T> inline unsigned __bang_count(const T* src, int n) {
  unsigned count = 0;
  for (int i = 0; i < n; i++)
    if (src[i] != 0) count++;
  return count;
}
template <class T> inline unsigned __bang_findfirst1(const T* src, int n) {
  unsigned at = 0xffffffffu;
  for (int i = 0; i < n; i++)
    if (src[i] != 0 && at == 0xffffffffu) at = i;
  return at;
}
template <class T> inline unsigned __bang_findlast1(const T* src, int n) {
  unsigned at = 0xffffffffu;
  for (int i = 0; i < n; i++)
    if (src[i] != 0) at = i;
  return at;
}

// -- choosing elements ----------------------------------------------------------------------------

template <class T> inline unsigned __bang_filter(T* dst, const T* src, const T* mask, int n) {
  unsigned count = 0;
  for (int i = 0; i < n; i++)
    if (mask[i] != 0) {
      dst[count] = src[i];
      count++;
    }
  return count;
}
template <class T, class M>
inline unsigned __bang_filter_bitindex(T* dst, const T* src, const M* mask, int n) {
  unsigned count = 0;
  for (int i = 0; i < n; i++)
    if ((((const unsigned char*)mask)[i / 8] >> i % 8 & 1) != 0) {
      dst[count] = src[i];
      count++;
    }
  return count;
}
template <class T> inline void __bang_collect(T* dst, const T* src, const T* mask, int n) {
  __bang_filter(dst, src, mask, n);
}
// the count in the first 4 bytes, 124 bytes of zeros, then the chosen elements
template <class T> inline void __bang_select(T* dst, const T* src, const T* mask, int n) {
  unsigned count = 0;
  for (int i = 0; i < n; i++)
    if (mask[i] != 0) {
      dst[xp_count<T>::group + count] = src[i];
      count++;
    }
  ((unsigned*)dst)[0] = count;
  for (int i = 1; i < 32; i++) ((unsigned*)dst)[i] = 0;
}
template <class T, class M>
inline void __bang_maskmove(T* dst, const T* src, const M* mask, int bytes) {
  for (int i = 0; i < bytes; i++)
    if ((((const unsigned char*)mask)[i / 8] >> i % 8 & 1) != 0)
      ((char*)dst)[i] = ((const char*)src)[i];
}
template <class T, class I>
inline void __bang_lut(T* dst, const I* index, const T* table, int n, int length) {
  for (int i = 0; i < n; i++)
    if (index[i] < length) dst[i] = table[index[i]];
}

// -- shapes: H rows of W elements -------------------------------------------------------------------

template <class T> inline void __bang_transpose(T* dst, const T* src, int H, int W) {
  for (int h = 0; h < H; h++)
    for (int w = 0; w < W; w++) dst[w * H + h] = src[h * W + w];
}
template <class T> inline void __bang_rotate90(T* dst, const T* src, int H, int W) {
  for (int h = 0; h < H; h++)
    for (int w = 0; w < W; w++) dst[w * H + (H - 1 - h)] = src[h * W + w];
}
template <class T> inline void __bang_rotate180(T* dst, const T* src, int H, int W) {
  for (int h = 0; h < H; h++)
    for (int w = 0; w < W; w++) dst[(H - 1 - h) * W + (W - 1 - w)] = src[h * W + w];
}
template <class T> inline void __bang_rotate270(T* dst, const T* src, int H, int W) {
  for (int h = 0; h < H; h++)
    for (int w = 0; w < W; w++) dst[(W - 1 - w) * H + h] = src[h * W + w];
}
template <class T> inline void __bang_mirror(T* dst, const T* src, int H, int W) {
  for (int h = 0; h < H; h++)
    for (int w = 0; w < W; w++) dst[h * W + (W - 1 - w)] = src[h * W + w];
}
template <class T>
inline void __bang_pad(T* dst, const T* src, int C, int H, int W, int top, int bottom, int left,
                       int right, T value) {
  for (int y = 0; y < top + H + bottom; y++)
    for (int x = 0; x < left + W + right; x++)
      for (int c = 0; c < C; c++)
        dst[(y * (left + W + right) + x) * C + c] =
            y >= top && y < top + H && x >= left && x < left + W
                ? src[((y - top) * W + (x - left)) * C + c]
                : value;
}
template <class T>
inline void __bang_pad(T* dst, const T* src, int C, int H, int W, int top, int bottom, int left,
                       int right) {
  __bang_pad(dst, src, C, H, W, top, bottom, left, right, (T)0);
}

// -- pooling: src is [H][W][C], dst [Ho][Wo][C]; the stride along W comes first ----------------------

#define XP_POOL_SUM(name, scale)                                                                \
  template <class T>                                                                            \
  inline void name(T* dst, const T* src, int C, int H, int W, int KH, int KW, int SW, int SH) { \
    for (int y = 0; y < (H - KH) / SH + 1; y++)                                                 \
      for (int x = 0; x < (W - KW) / SW + 1; x++)                                               \
        for (int c = 0; c < C; c++) {                                                           \
          float sum = 0;                                                                        \
          for (int ky = 0; ky < KH; ky++)                                                       \
            for (int kx = 0; kx < KW; kx++)                                                     \
              sum += (float)src[((y * SH + ky) * W + (x * SW + kx)) * C + c];                   \
          dst[(y * ((W - KW) / SW + 1) + x) * C + c] = (T)(scale);                              \
        }                                                                                       \
  }                                                                                             \
  template <class T>                                                                            \
  inline void name(T* dst, const T* src, int C, int H, int W, int KH, int KW) {                 \
    name(dst, src, C, H, W, KH, KW, KW, KH);                                                    \
  }
XP_POOL_SUM(__bang_sumpool, sum)
XP_POOL_SUM(__bang_avgpool, sum / (float)(KH * KW))
#define XP_POOL_BEST(name, op)                                                                  \
  template <class T>                                                                            \
  inline void name(T* dst, const T* src, int C, int H, int W, int KH, int KW, int SW, int SH) { \
    for (int y = 0; y < (H - KH) / SH + 1; y++)                                                 \
      for (int x = 0; x < (W - KW) / SW + 1; x++)                                               \
        for (int c = 0; c < C; c++) {                                                           \
          T best = src[(y * SH * W + x * SW) * C + c];                                          \
          for (int ky = 0; ky < KH; ky++)                                                       \
            for (int kx = 0; kx < KW; kx++)                                                     \
              if (src[((y * SH + ky) * W + (x * SW + kx)) * C + c] op best)                     \
                best = src[((y * SH + ky) * W + (x * SW + kx)) * C + c];                        \
          dst[(y * ((W - KW) / SW + 1) + x) * C + c] = best;                                    \
        }                                                                                       \
  }                                                                                             \
  template <class T>                                                                            \
  inline void name(T* dst, const T* src, int C, int H, int W, int KH, int KW) {                 \
    name(dst, src, C, H, W, KH, KW, KW, KH);                                                    \
  }
XP_POOL_BEST(__bang_maxpool, >)
XP_POOL_BEST(__bang_minpool, <)
// the place of the first largest element in its window, kh * KW + kw
template <class T, class I>
inline void __bang_maxpool_index(I* dst, const T* src, int C, int H, int W, int KH, int KW, int SW,
                                 int SH) {
  for (int y = 0; y < (H - KH) / SH + 1; y++)
    for (int x = 0; x < (W - KW) / SW + 1; x++)
      for (int c = 0; c < C; c++) {
        T best = src[(y * SH * W + x * SW) * C + c];
        int at = 0;
        for (int k = 0; k < KH * KW; k++)
          if (src[((y * SH + k / KW) * W + (x * SW + k % KW)) * C + c] > best) {
            best = src[((y * SH + k / KW) * W + (x * SW + k % KW)) * C + c];
            at = k;
          }
        ((typename xp_index<T>::type*)dst)[(y * ((W - KW) / SW + 1) + x) * C + c] =
            (typename xp_index<T>::type)at;
      }
}

// -- matrices: weights are [N][K], output rows first ------------------------------------------------

// Where row `row` of `rows` lies in WRAM after a plain copy: 16 banks take 4 rows in turn. Of 64
// rows each is in its place; __bang_reshape_filter brings more than 64 into this order. Texts
// written for a flat [K][N] weight are read with the macro XPILER_WRAM_FLAT defined.
inline int xp_weight_row(int row, int rows) {
  return rows <= 64 ? row : row % 64 / 4 * ((rows + 63) / 64 * 4) + row / 64 * 4 + row % 4;
}
#ifdef XPILER_WRAM_FLAT
#define XP_WEIGHT(w, row, rows, k, depth) w[(k) * (rows) + (row)]
#else
#define XP_WEIGHT(w, row, rows, k, depth) w[xp_weight_row(row, rows) * (depth) + (k)]
#endif
template <class T>
inline void __bang_reshape_filter(T* dst, const T* src, int N, int H, int W, int C) {
  for (int n = 0; n < N; n++)
    for (int i = 0; i < H * W * C; i++)
      dst[xp_weight_row(n, N) * (H * W * C) + i] = src[n * (H * W * C) + i];
}
template <class D, class A, class B>
inline void __bang_matmul(D* dst, const A* a, const B* b, int M, int K, int N, int pos = 0) {
  for (int m = 0; m < M; m++)
    for (int n = 0; n < N; n++) {
      float sum = 0;
      for (int k = 0; k < K; k++) sum += (float)a[m * K + k] * (float)XP_WEIGHT(b, n, N, k, K);
      dst[m * N + n] = (D)xp_scaled(sum, pos);
    }
}
template <class D, class A, class B, class C>
inline void __bang_matmul(D* dst, const A* a, const B* b, const C* acc, int M, int K, int N,
                          int pos = 0) {
  for (int m = 0; m < M; m++)
    for (int n = 0; n < N; n++) {
      float sum = 0;
      for (int k = 0; k < K; k++) sum += (float)a[m * K + k] * (float)XP_WEIGHT(b, n, N, k, K);
      dst[m * N + n] = (D)(xp_scaled(sum, pos) + (float)acc[m * N + n]);
    }
}
template <class D, class A, class B>
inline void __bang_mlp(D* dst, const A* x, const B* w, int height, int width, int pos = 0) {
  for (int h = 0; h < height; h++) {
    float sum = 0;
    for (int k = 0; k < width; k++) sum += (float)x[k] * (float)XP_WEIGHT(w, h, height, k, width);
    dst[h] = (D)xp_scaled(sum, pos);
  }
}
template <class D, class A, class C, class B>
inline void __bang_mlp(D* dst, const A* x, const C* bias, const B* w, int height, int width,
                       int pos = 0) {
  for (int h = 0; h < height; h++) {
    float sum = 0;
    for (int k = 0; k < width; k++) sum += (float)x[k] * (float)XP_WEIGHT(w, h, height, k, width);
    dst[h] = (D)(xp_scaled(sum, pos) + (float)bias[h]);
  }
}
// src [H][W][Ci], weights [Co][KH][KW][Ci], dst [Ho][Wo][Co]; no padding
#define XP_CONV(result)                                                                          \
  for (int y = 0; y < (H - KH) / SH + 1; y++)                                                    \
    for (int x = 0; x < (W - KW) / SW + 1; x++)                                                  \
      for (int o = 0; o < Co; o++) {                                                             \
        float sum = 0;                                                                           \
        for (int ky = 0; ky < KH; ky++)                                                          \
          for (int kx = 0; kx < KW; kx++)                                                        \
            for (int c = 0; c < Ci; c++)                                                         \
              sum += (float)src[((y * SH + ky) * W + (x * SW + kx)) * Ci + c] *                  \
                     (float)weight[xp_weight_row(o, Co) * (KH * KW * Ci) + (ky * KW + kx) * Ci + c]; \
        dst[(y * ((W - KW) / SW + 1) + x) * Co + o] = (D)(result);                               \
      }
template <class D, class A, class B>
inline void __bang_conv(D* dst, const A* src, const B* weight, int Ci, int H, int W, int KH, int KW,
                        int SW, int SH, int Co) {
  XP_CONV(sum)
}
template <class D, class A, class B, class C>
inline void __bang_conv(D* dst, const A* src, const B* weight, const C* bias, int Ci, int H, int W,
                        int KH, int KW, int SW, int SH, int Co) {
  XP_CONV(sum + (float)bias[o])
}
template <class D, class A, class B, class C>
inline void __bang_conv_partial(D* dst, const A* src, const B* weight, const C* partial, int Ci,
                                int H, int W, int KH, int KW, int SW, int SH, int Co) {
  XP_CONV(sum + (float)partial[(y * ((W - KW) / SW + 1) + x) * Co + o])
}

// -- atomics ----------------------------------------------------------------------------------------

#define XP_ATOMIC(op)                                                                           \
  template <class T> inline void __bang_atomic_##op(T* old, T* at, T value) {                   \
    old[0] = __xp_atomic_##op(at, value);                                                       \
  }                                                                                             \
  template <class T> inline void __bang_atomic_##op(T* old, T* at, const T* src, int n) {       \
    for (int i = 0; i < n; i++) old[i] = __xp_atomic_##op(at + i, src[i]);                      \
  }                                                                                             \
  template <class T, class V> inline void __bang_atomic_reduce_##op(T* at, V value) {           \
    __xp_atomic_##op(at, (T)value);                                                             \
  }                                                                                             \
  template <class T> inline void __bang_atomic_reduce_##op(T* at, const T* src, int n) {        \
    for (int i = 0; i < n; i++) __xp_atomic_##op(at + i, src[i]);                               \
  }
XP_ATOMIC(add)
XP_ATOMIC(min)
XP_ATOMIC(max)
XP_ATOMIC(and)
XP_ATOMIC(or)
XP_ATOMIC(xor)
XP_ATOMIC(exch)
XP_ATOMIC(inc)
XP_ATOMIC(dec)
template <class T> inline void __bang_atomic_cas(T* old, T* at, T expected, T value) {
  old[0] = __xp_atomic_cas(at, expected, value);
}

#ifdef __BANG__
#pragma clang force_cuda_host_device end
#endif
