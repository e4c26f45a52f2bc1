// Matrix products on weights in WRAM, convolution, pooling.
#ifndef XP_BANG_MATRIX_H
#define XP_BANG_MATRIX_H
#include "xp_bang_types.h"

namespace xp_bang {
struct Operand { const void* p; int type; };
template <class T> inline Operand operand(const T* p) { return {p, TypeOf<T>::value}; }
inline Operand none() { return {nullptr, -1}; }
struct Window { Count Ci, H, W, KH, KW, SW, SH, Co, dilation_w, dilation_h; };
// `extra`: accumulator, bias or partial sums; `pos`: of the integer forms.
void matmul(Operand dst, Operand a, Operand w, Operand extra, Count M, Count K, Count N, int pos, int line);
void mlp(Operand dst, Operand x, Operand bias, Operand w, Count height, Count width, int pos, int line);
void conv(const char* name, Operand dst, Operand src, Operand w, Operand bias, Operand partial, const Window& window, int pos, int line);

enum Pool { pool_max, pool_min, pool_avg, pool_sum, pool_nan_max, pool_nan_min };
struct Frame { Count C, H, W, KH, KW, SW, SH, in_dh, in_dw; };
void pool(Pool kind, const char* name, int type, void* dst, const void* src, const Frame& frame, bool short_form, int line);
// Where the largest (smallest) stood in its window; `values` too, then the indices lie vi_stride bytes on.
void pool_index(bool greatest, const char* name, int type, void* dst, const void* src, const Frame& frame, Count vi_stride, bool values, int line);
void pool_back(bool maximum, const char* name, int type, void* dst, const void* src, const void* mask, const Frame& frame, bool cover, int line);
}  // namespace xp_bang

// Which types go together: floating sources with a weight of the same type give float; integers give half, float or int16.
namespace xp_bang {
template <class D, class A, class B> struct Multiplies {
  static constexpr int d = TypeOf<D>::value, a = TypeOf<A>::value, b = TypeOf<B>::value;
  static constexpr bool whole_a = a == t_i8 || a == t_i16, whole_b = b == t_i8 || b == t_i16;
  static constexpr bool floats = (a == t_f32 || a == t_f16 || a == t_bf16) && a == b && (d == t_f32 || (XP_BANG_FLAT_WEIGHTS && d == a));
  static constexpr bool integers = whole_a && whole_b && (d == t_f16 || d == t_f32 || d == t_i16);
  static constexpr bool value = floats || integers;
};
template <class D, class A, class B> using Multiplied = typename If<Multiplies<D, A, B>::value>::type;
}  // namespace xp_bang

#define XP_MATRIX template <class D, class A, class B, class = xp_bang::Multiplied<D, A, B>> inline void
#define XP_MATRIX_EXTRA template <class D, class A, class B, class E, class = xp_bang::Multiplied<D, A, B>> inline void
#define XP_N xp_bang::Count
XP_MATRIX __bang_matmul(D* dst, const A* a, const B* w, XP_N M, XP_N K, XP_N N, int pos = 0, XP_LINE) {
  xp_bang::matmul(xp_bang::operand(dst), xp_bang::operand(a), xp_bang::operand(w), xp_bang::none(), M, K, N, pos, xp_line);
}
XP_MATRIX_EXTRA __bang_matmul(D* dst, const A* a, const B* w, const E* acc, XP_N M, XP_N K, XP_N N, int pos = 0, XP_LINE) {
  xp_bang::matmul(xp_bang::operand(dst), xp_bang::operand(a), xp_bang::operand(w), xp_bang::operand(acc), M, K, N, pos, xp_line);
}
XP_MATRIX __bang_mlp(D* dst, const A* x, const B* w, XP_N height, XP_N width, int pos = 0, XP_LINE) {
  xp_bang::mlp(xp_bang::operand(dst), xp_bang::operand(x), xp_bang::none(), xp_bang::operand(w), height, width, pos, xp_line);
}
XP_MATRIX_EXTRA __bang_mlp(D* dst, const A* x, const E* bias, const B* w, XP_N height, XP_N width, int pos = 0, XP_LINE) {
  xp_bang::mlp(xp_bang::operand(dst), xp_bang::operand(x), xp_bang::operand(bias), xp_bang::operand(w), height, width, pos, xp_line);
}
#define XP_WINDOW XP_N Ci, XP_N H, XP_N W, XP_N KH, XP_N KW, XP_N SW, XP_N SH, XP_N Co
#define XP_CONVOLUTION(name, ARGS, BIAS, PARTIAL, HEAD)                                                                         \
  HEAD name(ARGS, XP_WINDOW, XP_LINE) {                                                                                         \
    xp_bang::conv(#name, xp_bang::operand(dst), xp_bang::operand(src), xp_bang::operand(w), BIAS, PARTIAL, {Ci, H, W, KH, KW, SW, SH, Co, 1, 1}, 0, xp_line); \
  }                                                                                                                             \
  HEAD name(ARGS, XP_WINDOW, int pos, XP_LINE) {                                                                                \
    xp_bang::conv(#name, xp_bang::operand(dst), xp_bang::operand(src), xp_bang::operand(w), BIAS, PARTIAL, {Ci, H, W, KH, KW, SW, SH, Co, 1, 1}, pos, xp_line); \
  }                                                                                                                             \
  HEAD name(ARGS, XP_WINDOW, XP_N dilation_w, XP_N dilation_h, XP_LINE) {                                                       \
    xp_bang::conv(#name, xp_bang::operand(dst), xp_bang::operand(src), xp_bang::operand(w), BIAS, PARTIAL,                      \
                  {Ci, H, W, KH, KW, SW, SH, Co, dilation_w, dilation_h}, 0, xp_line);                                          \
  }                                                                                                                             \
  HEAD name(ARGS, XP_WINDOW, int pos, XP_N dilation_w, XP_N dilation_h, XP_LINE) {                                              \
    xp_bang::conv(#name, xp_bang::operand(dst), xp_bang::operand(src), xp_bang::operand(w), BIAS, PARTIAL,                      \
                  {Ci, H, W, KH, KW, SW, SH, Co, dilation_w, dilation_h}, pos, xp_line);                                        \
  }
#define XP_COMMA ,
XP_CONVOLUTION(__bang_conv, D* dst XP_COMMA const A* src XP_COMMA const B* w, xp_bang::none(), xp_bang::none(), XP_MATRIX)
XP_CONVOLUTION(__bang_conv, D* dst XP_COMMA const A* src XP_COMMA const B* w XP_COMMA const E* bias, xp_bang::operand(bias), xp_bang::none(), XP_MATRIX_EXTRA)
XP_CONVOLUTION(__bang_conv_partial, D* dst XP_COMMA const A* src XP_COMMA const B* w XP_COMMA const E* partial, xp_bang::none(), xp_bang::operand(partial),
               XP_MATRIX_EXTRA)
#undef XP_CONVOLUTION
#undef XP_COMMA
#undef XP_WINDOW
#undef XP_MATRIX
#undef XP_MATRIX_EXTRA

// ---- pooling: src [H][W][C], dst [Ho][Wo][C]; the stride is width first ------------------------------------
#define XP_SHAPE XP_N C, XP_N H, XP_N W, XP_N KH, XP_N KW
#define XP_POOL(name, kind)                                                                                                        \
  template <class T, class = xp_bang::Only<T, xp_bang::h_ | (XP_BANG_FLAT_WEIGHTS ? xp_bang::f_ : 0)>>                             \
  inline void name(T* dst, const T* src, XP_SHAPE, XP_LINE) {                                                                      \
    xp_bang::pool(xp_bang::kind, #name, xp_bang::TypeOf<T>::value, dst, src, {C, H, W, KH, KW, KW, KH, 1, 1}, true, xp_line);      \
  }                                                                                                                                \
  template <class T, class = xp_bang::Only<T, xp_bang::fhb>>                                                                       \
  inline void name(T* dst, const T* src, XP_SHAPE, XP_N SW, XP_N SH, XP_LINE) {                                                    \
    xp_bang::pool(xp_bang::kind, #name, xp_bang::TypeOf<T>::value, dst, src, {C, H, W, KH, KW, SW, SH, 1, 1}, false, xp_line);     \
  }                                                                                                                                \
  template <class T, class = xp_bang::Only<T, xp_bang::fhb>>                                                                       \
  inline void name(T* dst, const T* src, XP_SHAPE, XP_N SW, XP_N SH, XP_N in_dh, XP_N in_dw, XP_N, XP_N, XP_LINE) {                \
    xp_bang::pool(xp_bang::kind, #name, xp_bang::TypeOf<T>::value, dst, src, {C, H, W, KH, KW, SW, SH, in_dh, in_dw}, false, xp_line); \
  }
XP_POOL(__bang_maxpool, pool_max) XP_POOL(__bang_minpool, pool_min) XP_POOL(__bang_avgpool, pool_avg) XP_POOL(__bang_sumpool, pool_sum)
XP_POOL(__bang_nan_maxpool, pool_nan_max) XP_POOL(__bang_nan_minpool, pool_nan_min)
#undef XP_POOL
#define XP_POOL_INDEX(which, greatest)                                                                                             \
  template <class I, class T, class = xp_bang::Only<T, xp_bang::fhb>>                                                              \
  inline void __bang_##which##pool_index(I* dst, const T* src, XP_SHAPE, XP_N SW, XP_N SH, XP_LINE) {                              \
    static_assert(sizeof(I) == sizeof(T), "indices are as wide as the values");                                                   \
    xp_bang::pool_index(greatest, "__bang_" #which "pool_index", xp_bang::TypeOf<T>::value, dst, src, {C, H, W, KH, KW, SW, SH, 1, 1}, 0, false, xp_line); \
  }                                                                                                                                \
  template <class T, class = xp_bang::Only<T, xp_bang::fhb>>                                                                       \
  inline void __bang_##which##pool_value_index(T* dst, const T* src, XP_SHAPE, XP_N SW, XP_N SH, XP_N vi_stride, XP_LINE) {        \
    xp_bang::pool_index(greatest, "__bang_" #which "pool_value_index", xp_bang::TypeOf<T>::value, dst, src, {C, H, W, KH, KW, SW, SH, 1, 1}, vi_stride, true, xp_line); \
  }
XP_POOL_INDEX(max, true) XP_POOL_INDEX(min, false)
#undef XP_POOL_INDEX
enum mluPoolBpOp { OVERLAP_ACC, OVERLAP_COVER };
template <class T, class I, class = xp_bang::Only<T, xp_bang::fhb>>
inline void __bang_maxpool_bp(T* dst, const T* src, const I* mask, XP_SHAPE, XP_N SW, XP_N SH, mluPoolBpOp op = OVERLAP_ACC, XP_LINE) {
  static_assert(sizeof(I) == sizeof(T), "indices are as wide as the values");
  xp_bang::pool_back(true, "__bang_maxpool_bp", xp_bang::TypeOf<T>::value, dst, src, mask, {C, H, W, KH, KW, SW, SH, 1, 1}, op == OVERLAP_COVER, xp_line);
}
template <class T, class = xp_bang::Only<T, xp_bang::fhb>>
inline void __bang_avgpool_bp(T* dst, const T* src, XP_SHAPE, XP_N SW, XP_N SH, XP_LINE) {
  xp_bang::pool_back(false, "__bang_avgpool_bp", xp_bang::TypeOf<T>::value, dst, src, nullptr, {C, H, W, KH, KW, SW, SH, 1, 1}, false, xp_line);
}
#undef XP_SHAPE
#undef XP_N
#endif
