// Roundings of the 16-bit formats that are rare enough for a call.
#include "xp_simt.h"
#include "xp_float16.h"

namespace xp_simt {
float to_odd(double d) {
  const float f = (float)d;
  if (f != f || (double)f == d || __builtin_isinf(f)) return f;
  const u32 u = bits<u32>(f);
  if (u & 1) return f;                                  // already odd, and inexact: stays
  const bool away = __builtin_fabs((double)f) < __builtin_fabs(d);
  return bits<float>(away ? u + 1 : u - 1);
}

namespace {
// The neighbours of a 16-bit number in magnitude are the neighbouring integers.
template <class Format> u16 directed(float f, int direction) {
  const u16 near = Format::narrow(f);
  const float value = Format::widen(near);
  if (f != f || value == f) return near;
  const bool negative = near & 0x8000, too_big = __builtin_fabsf(value) > __builtin_fabsf(f);
  const bool want_bigger = direction != 0 && (direction > 0) != negative;
  if (too_big && !want_bigger) return (u16)(near - 1);
  return !too_big && want_bigger ? (u16)(near + 1) : near;
}
}  // namespace
u16 half_directed(float f, int direction) { return directed<HalfFormat>(f, direction); }
u16 bfloat_directed(float f, int direction) { return directed<BFloatFormat>(f, direction); }
}  // namespace xp_simt
