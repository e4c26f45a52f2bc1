// Instructions that move, pick, count or search elements.
#ifndef XP_BANG_SPECIAL_H
#define XP_BANG_SPECIAL_H
#include "xp_bang_memory.h"
#include "xp_bang_types.h"

namespace xp_bang {
enum Turn { turn_transpose, turn_90, turn_180, turn_270, turn_mirror };
void turn(Turn how, const char* name, unsigned width, void* dst, const void* src, Count H, Count W, int line);
void pad(const char* name, unsigned width, void* dst, const void* src, Count C, Count H, Count W, Count top, Count bottom, Count left,
         Count right, const void* value, int line);
void reshape_filter(unsigned width, void* dst, const void* src, Count N, Count H, Count W, Count C, int line);
void reduce_sum(int type, void* dst, const void* src, Count n, int line);
float sum(int type, const void* src, Count n, int line);
float extreme(bool greatest, int type, const void* src, Count n, int line);
void arg(bool greatest, const char* name, int type, void* dst, const void* src, Count n, const char* instead, int line);
unsigned count_set(int type, const void* src, Count n, int line);
unsigned find_set(bool last, int type, const void* src, Count n, int line);
unsigned filter(const char* name, int type, void* dst, const void* src, const void* mask, bool bitmask, Count n, int line);
void select(int type, void* dst, const void* src, const void* mask, Count n, int line);
void maskmove(void* dst, const void* src, const void* bitmask, Count bytes, int line);
void lut(unsigned width, void* dst, const void* index, const void* table, Count n, Count length, int line);
void gather(const char* name, bool scatter, void* dst, const void* src, const void* offset, unsigned offset_width, const void* mask, Count bytes,
            int direction, Count stride, Count count, int line);
void random_numbers(void* dst, Count n, int line);
void sequence(int type, void* dst, Count n, int line);
}  // namespace xp_bang

#define XP_TURN(name, how)                                                                                         \
  template <class T> inline void name(T* dst, const T* src, xp_bang::Count H, xp_bang::Count W, XP_LINE) {         \
    static_assert(sizeof(T) <= 4, "elements of 8, 16 or 32 bits");                                                \
    xp_bang::turn(xp_bang::how, #name, sizeof(T), dst, src, H, W, xp_line);                                        \
  }
XP_TURN(__bang_transpose, turn_transpose) XP_TURN(__bang_rotate90, turn_90) XP_TURN(__bang_rotate180, turn_180)
XP_TURN(__bang_rotate270, turn_270) XP_TURN(__bang_mirror, turn_mirror)
#undef XP_TURN
template <class T>
inline void __bang_pad(T* dst, const T* src, xp_bang::Count C, xp_bang::Count H, xp_bang::Count W, xp_bang::Count top, xp_bang::Count bottom,
                       xp_bang::Count left, xp_bang::Count right, XP_LINE) {
  T zero;
  __builtin_memset(&zero, 0, sizeof zero);
  xp_bang::pad("__bang_pad", sizeof(T), dst, src, C, H, W, top, bottom, left, right, &zero, xp_line);
}
template <class T>
inline void __bang_pad(T* dst, const T* src, xp_bang::Count C, xp_bang::Count H, xp_bang::Count W, xp_bang::Count top, xp_bang::Count bottom,
                       xp_bang::Count left, xp_bang::Count right, xp_bang::Value<T> value, XP_LINE) {
  xp_bang::pad("__bang_pad", sizeof(T), dst, src, C, H, W, top, bottom, left, right, &value, xp_line);
}
template <class T>
inline void __bang_reshape_filter(T* dst, const T* src, xp_bang::Count N, xp_bang::Count H, xp_bang::Count W, xp_bang::Count C, XP_LINE) {
  xp_bang::reshape_filter(sizeof(T), dst, src, N, H, W, C, xp_line);
}

#define XP_TYPED template <class T, class = xp_bang::Only<T, xp_bang::fhb>> inline
XP_TYPED void __bang_reduce_sum(T* dst, const T* src, xp_bang::Count n, XP_LINE) {
  xp_bang::reduce_sum(xp_bang::TypeOf<T>::value, dst, src, n, xp_line);
}
XP_TYPED T __bang_sum(const T* src, xp_bang::Count n, XP_LINE) { return (T)xp_bang::sum(xp_bang::TypeOf<T>::value, src, n, xp_line); }
XP_TYPED T __bang_max(const T* src, xp_bang::Count n, XP_LINE) { return (T)xp_bang::extreme(true, xp_bang::TypeOf<T>::value, src, n, xp_line); }
XP_TYPED T __bang_min(const T* src, xp_bang::Count n, XP_LINE) { return (T)xp_bang::extreme(false, xp_bang::TypeOf<T>::value, src, n, xp_line); }
XP_TYPED void __bang_argmax(T* dst, const T* src, xp_bang::Count n, XP_LINE) {
  xp_bang::arg(true, "__bang_argmax", xp_bang::TypeOf<T>::value, dst, src, n, nullptr, xp_line);
}
XP_TYPED void __bang_argmin(T* dst, const T* src, xp_bang::Count n, XP_LINE) {
  xp_bang::arg(false, "__bang_argmin", xp_bang::TypeOf<T>::value, dst, src, n, nullptr, xp_line);
}
XP_TYPED void __bang_max(T* dst, const T* src, xp_bang::Count n, XP_LINE) {
  xp_bang::arg(true, "__bang_max", xp_bang::TypeOf<T>::value, dst, src, n, "__bang_argmax", xp_line);
}
XP_TYPED void __bang_min(T* dst, const T* src, xp_bang::Count n, XP_LINE) {
  xp_bang::arg(false, "__bang_min", xp_bang::TypeOf<T>::value, dst, src, n, "__bang_argmin", xp_line);
}
XP_TYPED unsigned __bang_count(const T* src, xp_bang::Count n, XP_LINE) { return xp_bang::count_set(xp_bang::TypeOf<T>::value, src, n, xp_line); }
XP_TYPED unsigned __bang_findfirst1(const T* src, xp_bang::Count n, XP_LINE) {
  return xp_bang::find_set(false, xp_bang::TypeOf<T>::value, src, n, xp_line);
}
XP_TYPED unsigned __bang_findlast1(const T* src, xp_bang::Count n, XP_LINE) {
  return xp_bang::find_set(true, xp_bang::TypeOf<T>::value, src, n, xp_line);
}
XP_TYPED unsigned __bang_filter(T* dst, const T* src, const T* mask, xp_bang::Count n, XP_LINE) {
  return xp_bang::filter("__bang_filter", xp_bang::TypeOf<T>::value, dst, src, mask, false, n, xp_line);
}
XP_TYPED unsigned __bang_filter_bitindex(T* dst, const T* src, const void* bitmask, xp_bang::Count n, XP_LINE) {
  return xp_bang::filter("__bang_filter_bitindex", xp_bang::TypeOf<T>::value, dst, src, bitmask, true, n, xp_line);
}
XP_TYPED void __bang_collect(T* dst, const T* src, const T* mask, xp_bang::Count n, XP_LINE) {
  xp_bang::filter("__bang_collect", xp_bang::TypeOf<T>::value, dst, src, mask, false, n, xp_line);
}
XP_TYPED void __bang_select(T* dst, const T* src, const T* mask, xp_bang::Count n, XP_LINE) {
  xp_bang::select(xp_bang::TypeOf<T>::value, dst, src, mask, n, xp_line);
}
#undef XP_TYPED
inline void __bang_maskmove(void* dst, const void* src, const void* bitmask, xp_bang::Count bytes, XP_LINE) {
  xp_bang::maskmove(dst, src, bitmask, bytes, xp_line);
}
inline void __bang_lut(int16_t* dst, const uint16_t* index, const int16_t* table, xp_bang::Count n, xp_bang::Count table_len, XP_LINE) {
  xp_bang::lut(2, dst, index, table, n, table_len, xp_line);
}
inline void __bang_lut(int32_t* dst, const uint32_t* index, const int32_t* table, xp_bang::Count n, xp_bang::Count table_len, XP_LINE) {
  xp_bang::lut(4, dst, index, table, n, table_len, xp_line);
}
template <class O>
inline void __gather(void* dst, const void* src, const O* offset, xp_bang::Count bytes, mluMemcpyDirection_t dir, xp_bang::Count dst_stride,
                     xp_bang::Count count, XP_LINE) {
  xp_bang::gather("__gather", false, dst, src, offset, sizeof(O), nullptr, bytes, dir, dst_stride, count, xp_line);
}
template <class O>
inline void __gather(void* dst, const void* src, const O* offset, const void* mask, xp_bang::Count bytes, mluMemcpyDirection_t dir,
                     xp_bang::Count dst_stride, xp_bang::Count count, XP_LINE) {
  xp_bang::gather("__gather", false, dst, src, offset, sizeof(O), mask, bytes, dir, dst_stride, count, xp_line);
}
template <class O>
inline void __scatter(void* dst, const void* src, const O* offset, xp_bang::Count bytes, mluMemcpyDirection_t dir, xp_bang::Count src_stride,
                      xp_bang::Count count, XP_LINE) {
  xp_bang::gather("__scatter", true, dst, src, offset, sizeof(O), nullptr, bytes, dir, src_stride, count, xp_line);
}
template <class O>
inline void __scatter(void* dst, const void* src, const O* offset, const void* mask, xp_bang::Count bytes, mluMemcpyDirection_t dir,
                      xp_bang::Count src_stride, xp_bang::Count count, XP_LINE) {
  xp_bang::gather("__scatter", true, dst, src, offset, sizeof(O), mask, bytes, dir, src_stride, count, xp_line);
}
inline void __bang_rand(int16_t* dst, xp_bang::Count n, XP_LINE) { xp_bang::random_numbers(dst, n, xp_line); }
template <class T, class = xp_bang::Only<T, xp_bang::f_ | 1 << xp_bang::t_i32>>
inline void __bang_incseq(T* dst, xp_bang::Count n, XP_LINE) { xp_bang::sequence(xp_bang::TypeOf<T>::value, dst, n, xp_line); }
#endif
