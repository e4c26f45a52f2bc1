// Conversions between types, with their ways of rounding.
#pragma once

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
// What of x lies below the 24 bits that a float keeps, and half of the last bit kept.
inline int xp_last_bit(int x) {
  return x > 1073741823 || x < -1073741823 ? 128
         : x > 536870911 || x < -536870911 ? 64
         : x > 268435455 || x < -268435455 ? 32
         : x > 134217727 || x < -134217727 ? 16
         : x > 67108863 || x < -67108863   ? 8
         : x > 33554431 || x < -33554431   ? 4
         : x > 16777215 || x < -16777215   ? 2
                                           : 1;
}
inline float xp_from_tz(int x) { return (float)(x - x % xp_last_bit(x)); }
inline float xp_from_rn(int x) { return (float)x; }
inline float xp_from_rd(int x) {
  int last = xp_last_bit(x), rest = x % last;
  float kept = (float)(x - rest);
  return 2 * rest >= last ? kept + (float)last : -2 * rest >= last ? kept - (float)last : kept;
}
inline float xp_from_rd(short x) { return (float)x; }
inline float xp_from_tz(short x) { return (float)x; }
inline float xp_from_rn(short x) { return (float)x; }
inline float xp_from_rd(signed char x) { return (float)x; }
inline float xp_from_tz(signed char x) { return (float)x; }
inline float xp_from_rn(signed char x) { return (float)x; }
#define XP_FROM_INT(S, from, D, to, mode, kept, narrowed)                               \
  inline void __bang_##from##2##to##mode(D* dst, const S* src, int n, int pos = 0) {    \
    for (int i = 0; i < n; i++) {                                                       \
      float x = xp_scaled(kept(src[i]), pos);                                           \
      dst[i] = (D)narrowed(x, (D)x);                                                    \
    }                                                                                   \
  }
template <class T> inline T xp_kept(float x, T y) { return y; }
// a half holds every int8; wider integers round
#define XP_FROM_INTS(S, from, D, to, tz, rn, rd)         \
  XP_FROM_INT(S, from, D, to, , xp_from_tz, tz)          \
  XP_FROM_INT(S, from, D, to, _tz, xp_from_tz, tz)       \
  XP_FROM_INT(S, from, D, to, _rn, xp_from_rn, rn)       \
  XP_FROM_INT(S, from, D, to, _rd, xp_from_rd, rd)
XP_FROM_INTS(int, int32, float, float, xp_kept, xp_kept, xp_kept)
XP_FROM_INTS(short, int16, float, float, xp_kept, xp_kept, xp_kept)
XP_FROM_INTS(signed char, int8, float, float, xp_kept, xp_kept, xp_kept)
XP_FROM_INTS(int, int32, half, half, xp_narrow_tz, xp_kept, xp_narrow_rd)
XP_FROM_INTS(short, int16, half, half, xp_narrow_tz, xp_kept, xp_narrow_rd)
XP_FROM_INTS(signed char, int8, half, half, xp_kept, xp_kept, xp_kept)
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
