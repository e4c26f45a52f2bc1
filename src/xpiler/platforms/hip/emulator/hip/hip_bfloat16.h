#ifndef XP_HIP_BFLOAT16_H
#define XP_HIP_BFLOAT16_H
#include "hip/hip_runtime.h"
#define XP_BFLOAT __hip_bfloat16
#define XP_BFLOAT2 __hip_bfloat162
#define XP_BFLOAT_RAW __hip_bfloat16_raw
#define XP_BFLOAT2_RAW __hip_bfloat162_raw
#include "xp_bfloat16.h"
#include "xp_smallfloat.h"

// The older class: its bits are public as `data`.
struct hip_bfloat16 {
  unsigned short data;
  hip_bfloat16() = default;
  hip_bfloat16(float v) : data(xp_simt::float_to_bfloat(v)) {}
  operator float() const { return xp_simt::bfloat_to_float(data); }
  static hip_bfloat16 round_to_bfloat16(float v) { return hip_bfloat16(v); }
};
#define XP_OPERATOR(op)                                                                                        \
  inline hip_bfloat16 operator op(hip_bfloat16 a, hip_bfloat16 b) { return hip_bfloat16((float)a op(float) b); } \
  inline hip_bfloat16& operator op##=(hip_bfloat16& a, hip_bfloat16 b) { return a = a op b; }
XP_OPERATOR(+) XP_OPERATOR(-) XP_OPERATOR(*) XP_OPERATOR(/)
#undef XP_OPERATOR
#endif
