// Conversions of vectors and of single numbers, with their ways of rounding.
#ifndef XP_BANG_CONVERT_H
#define XP_BANG_CONVERT_H
#include "xp_bang_types.h"

namespace xp_bang {
// tz toward zero, oz away from zero, up and dn to either infinity, rn to nearest even, rd to nearest with ties away from zero, rm with
// ties upwards, sr by chance.
enum Mode { mode_tz, mode_oz, mode_up, mode_dn, mode_rn, mode_rd, mode_rm, mode_sr };
// Between integers and floats 2^pos is what the integer's last bit stands for; what does not fit becomes the nearest that does.
void convert(const char* name, void* dst, int to, const void* src, int from, Mode mode, Count n, int pos, int line);
void convert_strided(const char* name, void* dst, int to, const void* src, int from, Mode mode, Count n, Count dst_stride, Count src_stride,
                     Count segnum, int line);
void narrow_integers(const char* name, void* dst, int to, const void* src, int from, Count n, int dst_pos, int src_pos, int line);
float rounded_half(double v, Mode mode);
float rounded_bfloat(double v, Mode mode);
int rounded_int(double v, Mode mode);
}  // namespace xp_bang

#define XP_CONVERT(name, S, D, mode)                                                                                        \
  inline void name(D* dst, const S* src, xp_bang::Count n, int pos = 0, XP_LINE) {                                          \
    xp_bang::convert(#name, dst, xp_bang::TypeOf<D>::value, src, xp_bang::TypeOf<S>::value, xp_bang::mode, n, pos, xp_line); \
  }
#define XP_FLOATS(name, S, D, mode)                                                                                         \
  inline void name(D* dst, const S* src, xp_bang::Count n, XP_LINE) {                                                       \
    xp_bang::convert(#name, dst, xp_bang::TypeOf<D>::value, src, xp_bang::TypeOf<S>::value, xp_bang::mode, n, 0, xp_line);   \
  }                                                                                                                         \
  inline void name(D* dst, const S* src, xp_bang::Count n, xp_bang::Count dst_stride, xp_bang::Count src_stride,            \
                   xp_bang::Count segnum, XP_LINE) {                                                                        \
    xp_bang::convert_strided(#name, dst, xp_bang::TypeOf<D>::value, src, xp_bang::TypeOf<S>::value, xp_bang::mode, n,       \
                             dst_stride, src_stride, segnum, xp_line);                                                      \
  }
#define XP_MODES(X, name, S, D)                                                                                             \
  X(name##_tz, S, D, mode_tz) X(name##_oz, S, D, mode_oz) X(name##_up, S, D, mode_up) X(name##_dn, S, D, mode_dn)           \
  X(name##_rn, S, D, mode_rn) X(name##_rd, S, D, mode_rd) X(name##_rm, S, D, mode_rm) X(name##_sr, S, D, mode_sr)
#define XP_ALL(X, name, S, D) X(name, S, D, mode_tz) XP_MODES(X, name, S, D)
XP_FLOATS(__bang_half2float, half, float, mode_rn) XP_FLOATS(__bang_bfloat162float, bfloat16_t, float, mode_rn)
XP_ALL(XP_FLOATS, __bang_float2half, float, half) XP_ALL(XP_FLOATS, __bang_float2bfloat16, float, bfloat16_t)
#define XP_TO_INTEGERS(from, S)                      \
  XP_ALL(XP_CONVERT, __bang_##from##2int8, S, int8_t) XP_ALL(XP_CONVERT, __bang_##from##2int16, S, int16_t)                 \
  XP_ALL(XP_CONVERT, __bang_##from##2int32, S, int32_t) XP_ALL(XP_CONVERT, __bang_##from##2uint8, S, uint8_t)               \
  XP_ALL(XP_CONVERT, __bang_##from##2uint16, S, uint16_t) XP_ALL(XP_CONVERT, __bang_##from##2uint32, S, uint32_t)
XP_TO_INTEGERS(float, float) XP_TO_INTEGERS(half, half) XP_TO_INTEGERS(bfloat16, bfloat16_t)
#define XP_FROM_INTEGER(from, S)                     \
  XP_ALL(XP_CONVERT, __bang_##from##2float, S, float) XP_ALL(XP_CONVERT, __bang_##from##2half, S, half)                     \
  XP_ALL(XP_CONVERT, __bang_##from##2bfloat16, S, bfloat16_t)
XP_FROM_INTEGER(int8, int8_t) XP_FROM_INTEGER(int16, int16_t) XP_FROM_INTEGER(int32, int32_t)
XP_FROM_INTEGER(uint8, uint8_t) XP_FROM_INTEGER(uint16, uint16_t) XP_FROM_INTEGER(uint32, uint32_t)
#define XP_INTEGERS(name, S, D)                                                                                             \
  inline void name(D* dst, const S* src, xp_bang::Count n, int dst_pos = 0, int src_pos = 0, XP_LINE) {                     \
    xp_bang::narrow_integers(#name, dst, xp_bang::TypeOf<D>::value, src, xp_bang::TypeOf<S>::value, n, dst_pos, src_pos, xp_line); \
  }
XP_INTEGERS(__bang_int82int16, int8_t, int16_t) XP_INTEGERS(__bang_int82int32, int8_t, int32_t)
XP_INTEGERS(__bang_int162int8, int16_t, int8_t) XP_INTEGERS(__bang_int162int32, int16_t, int32_t)
XP_INTEGERS(__bang_int322int8, int32_t, int8_t) XP_INTEGERS(__bang_int322int16, int32_t, int16_t)
#undef XP_INTEGERS
#undef XP_FROM_INTEGER
#undef XP_TO_INTEGERS
#undef XP_ALL
#undef XP_MODES
#undef XP_FLOATS
#undef XP_CONVERT

// ---- one number --------------------------------------------------------------------------------------------
inline float __half2float(half x) { return (float)x; }
inline float __bfloat162float(bfloat16_t x) { return (float)x; }
#define XP_ONE(suffix, mode)                                                                                           \
  inline half __float2half##suffix(float x) { return (half)xp_bang::rounded_half(x, xp_bang::mode); }                  \
  inline bfloat16_t __float2bfloat16##suffix(float x) { return (bfloat16_t)xp_bang::rounded_bfloat(x, xp_bang::mode); } \
  inline int __float2int32##suffix(float x) { return xp_bang::rounded_int(x, xp_bang::mode); }                         \
  inline int __float2int##suffix(float x) { return xp_bang::rounded_int(x, xp_bang::mode); }                           \
  inline int __half2int32##suffix(half x) { return xp_bang::rounded_int((float)x, xp_bang::mode); }                    \
  inline int __half2int##suffix(half x) { return xp_bang::rounded_int((float)x, xp_bang::mode); }                      \
  inline half __int322half##suffix(int x) { return (half)xp_bang::rounded_half(x, xp_bang::mode); }
XP_ONE(_tz, mode_tz) XP_ONE(_oz, mode_oz) XP_ONE(_up, mode_up) XP_ONE(_dn, mode_dn) XP_ONE(_rn, mode_rn) XP_ONE(_rd, mode_rd)
XP_ONE(_rm, mode_rm)
#undef XP_ONE
inline half __float2half(float x) { return __float2half_rn(x); }
inline bfloat16_t __float2bfloat16(float x) { return __float2bfloat16_rn(x); }
inline int __float2int32(float x) { return __float2int32_tz(x); }
inline int __float2int(float x) { return __float2int32_tz(x); }
inline int __half2int32(half x) { return __half2int32_tz(x); }
inline int __half2int(half x) { return __half2int32_tz(x); }
inline float __int322float(int x) { return (float)x; }
inline float __int322float_rn(int x) { return (float)x; }
#endif
