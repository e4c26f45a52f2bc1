// Element types as numbers, and which of them an instruction takes.
#ifndef XP_BANG_TYPES_H
#define XP_BANG_TYPES_H
#include "xp_bang_core.h"
namespace xp_bang {
enum Type : int { t_f32, t_f16, t_bf16, t_i8, t_u8, t_i16, t_u16, t_i32, t_u32, t_i64, t_u64, types };
template <class T> struct TypeOf { static constexpr int value = -1; };
#define XP_X(T, t) template <> struct TypeOf<T> { static constexpr int value = t; };
XP_X(float, t_f32) XP_X(half, t_f16) XP_X(bfloat16_t, t_bf16) XP_X(signed char, t_i8) XP_X(char, t_i8) XP_X(unsigned char, t_u8)
XP_X(short, t_i16) XP_X(unsigned short, t_u16) XP_X(int, t_i32) XP_X(unsigned, t_u32) XP_X(long, t_i64) XP_X(unsigned long, t_u64)
XP_X(long long, t_i64) XP_X(unsigned long long, t_u64)
#undef XP_X
// Sets of types, by bit.
enum Set : int {
  f_ = 1 << t_f32, h_ = 1 << t_f16, b_ = 1 << t_bf16, fh = f_ | h_, fb = f_ | b_, fhb = fh | b_,
  ints = 1 << t_i8 | 1 << t_i16 | 1 << t_i32, uints = 1 << t_u8 | 1 << t_u16 | 1 << t_u32, fhbi = fhb | ints, fhbiu = fhbi | uints,
  wide = 1 << t_i16 | 1 << t_i32 | 1 << t_u16 | 1 << t_u32, shifts = uints | ints, any_width = fhbiu,
  atomics = fhb | wide
};
template <class T, int set> struct Takes { static constexpr bool value = TypeOf<T>::value >= 0 && (set >> (TypeOf<T>::value >= 0 ? TypeOf<T>::value : 31) & 1); };
template <class T, int set> using Only = typename If<Takes<T, set>::value, T>::type;
template <class T> using Byte = typename If<sizeof(T) == 1 && TypeOf<T>::value >= 0, T>::type;
template <class T> struct Sized { typedef T type; };
template <> struct Sized<void> { typedef char type; };
template <class V> struct Stored { typedef V type; };
template <> struct Stored<double> { typedef float type; };              // the device has no double
// A scalar operand: converts to the vector's type.
template <class T> using Value = typename Same<T>::type;
}  // namespace xp_bang
#endif
