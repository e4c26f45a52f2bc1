// The two 16-bit floating formats as bits: IEEE binary16 ("half") and bfloat16. All roundings to nearest even.
#ifndef XP_FLOAT16_H
#define XP_FLOAT16_H
namespace xp_simt {
typedef unsigned short u16;

inline float half_to_float(u16 h) {
  const u32 magnitude = (u32)(h & 0x7fff) << 13, sign = (u32)(h & 0x8000) << 16;
  const float scaled = bits<float>(magnitude) * 0x1p112f;            // moves the exponent; subnormals come out right
  return bits<float>((magnitude >= 0x0f800000u ? magnitude | 0x7f800000u : bits<u32>(scaled)) | sign);
}
inline u16 float_to_half(float f) {
  u32 u = bits<u32>(f);
  const u16 sign = (u16)(u >> 16 & 0x8000);
  u &= 0x7fffffffu;
  if (u > 0x7f800000u) return 0x7fff;                                // the device's NaN
  if (u >= 0x477ff000u) return sign | 0x7c00;                        // 65520 and above round to infinity
  if (u < 0x38800000u)                                               // below 2^-14: let an addition do the rounding
    return (u16)(sign | (bits<u32>(bits<float>(u) + 0.5f) - 0x3f000000u));
  return (u16)(sign | ((u - 0x38000000u + 0xfff + (u >> 13 & 1)) >> 13));
}
inline float bfloat_to_float(u16 b) { return bits<float>((u32)b << 16); }
inline u16 float_to_bfloat(float f) {
  const u32 u = bits<u32>(f);
  return (u & 0x7fffffffu) > 0x7f800000u ? (u16)0x7fff : (u16)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}
// Rounded to odd: a further rounding to a much narrower format is then as if from the double itself.
float to_odd(double d);

struct HalfFormat {
  static float widen(u16 b) { return half_to_float(b); }
  static u16 narrow(float f) { return float_to_half(f); }
};
struct BFloatFormat {
  static float widen(u16 b) { return bfloat_to_float(b); }
  static u16 narrow(float f) { return float_to_bfloat(f); }
};
u16 half_directed(float f, int direction);
u16 bfloat_directed(float f, int direction);
}  // namespace xp_simt
#endif
