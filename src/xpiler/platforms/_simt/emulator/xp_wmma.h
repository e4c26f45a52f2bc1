// nvcuda::wmma: warp matrix fragments.
//
// A fragment is opaque: which lane holds which element is unspecified. Here it is a permutation that depends on the
// run's seed and on every parameter of the fragment's type, so code that relies on a layout shows it. The work is done in
// lib/wmma.cpp.
#ifndef XP_WMMA_H
#define XP_WMMA_H
#include "xp_simt.h"
#include "xp_float16.h"
#include "cuda_fp16.h"
#include "cuda_bf16.h"

namespace xp_simt {
enum FragmentUse { use_a, use_b, use_accumulator };
enum FragmentType { frag_f16, frag_bf16, frag_tf32, frag_f32, frag_f64, frag_s8, frag_u8, frag_s32 };
// rows x columns elements of `type`; `column_major`: 0, 1, or 2 where the type does not say (accumulators).
struct Fragment { FragmentUse use; FragmentType type; int m, n, k, rows, columns, column_major; };
void load_fragment(const Fragment& f, void* x, const void* p, unsigned stride, bool column_major, int line);
void store_fragment(const Fragment& f, const void* x, void* p, unsigned stride, bool column_major, int line);
void multiply_fragments(const Fragment& fa, const Fragment& fb, const Fragment& fc, const Fragment& fd, const void* a,
                        const void* b, const void* c, void* d, bool saturate, int line);
float to_tf32(float f);
}  // namespace xp_simt

namespace nvcuda {
namespace wmma {
struct matrix_a {};
struct matrix_b {};
struct accumulator {};
struct row_major {};
struct col_major {};
enum layout_t { mem_row_major, mem_col_major };
namespace precision { struct tf32 {}; }

template <class Use, int M, int N, int K> struct xp_extent;
template <int M, int N, int K> struct xp_extent<matrix_a, M, N, K> {
  static constexpr int rows = M, columns = K; static constexpr xp_simt::FragmentUse use = xp_simt::use_a;
};
template <int M, int N, int K> struct xp_extent<matrix_b, M, N, K> {
  static constexpr int rows = K, columns = N; static constexpr xp_simt::FragmentUse use = xp_simt::use_b;
};
template <int M, int N, int K> struct xp_extent<accumulator, M, N, K> {
  static constexpr int rows = M, columns = N; static constexpr xp_simt::FragmentUse use = xp_simt::use_accumulator;
};
template <class Layout> struct xp_order { static constexpr int value = 2; };
template <> struct xp_order<row_major> { static constexpr int value = 0; };
template <> struct xp_order<col_major> { static constexpr int value = 1; };

// Element type -> how it is stored, and the shapes the manual lists for it.
template <class T> struct xp_element;
constexpr bool xp_shape_16(int m, int n, int k) {
  return k == 16 && ((m == 16 && n == 16) || (m == 32 && n == 8) || (m == 8 && n == 32));
}
#define XP_ELEMENT(T, stored, code, shapes)                                                    \
  template <> struct xp_element<T> {                                                           \
    typedef stored type;                                                                       \
    static constexpr xp_simt::FragmentType value = xp_simt::code;                              \
    static constexpr bool takes(int m, int n, int k) { return (void)m, (void)n, (void)k, shapes; } \
  };
XP_ELEMENT(__half, __half, frag_f16, xp_shape_16(m, n, k))
XP_ELEMENT(__nv_bfloat16, __nv_bfloat16, frag_bf16, xp_shape_16(m, n, k))
XP_ELEMENT(precision::tf32, float, frag_tf32, (m == 16 && n == 16 && k == 8))
XP_ELEMENT(float, float, frag_f32, (xp_shape_16(m, n, k) || (m == 16 && n == 16 && k == 8)))
XP_ELEMENT(double, double, frag_f64, (m == 8 && n == 8 && k == 4))
XP_ELEMENT(signed char, signed char, frag_s8, xp_shape_16(m, n, k))
XP_ELEMENT(unsigned char, unsigned char, frag_u8, xp_shape_16(m, n, k))
XP_ELEMENT(int, int, frag_s32, xp_shape_16(m, n, k))
#undef XP_ELEMENT

template <class Use, int M, int N, int K, class T, class Layout = void> struct fragment {
  static_assert(xp_element<T>::takes(M, N, K), "wmma has no fragment of this shape and element type");
  typedef typename xp_element<T>::type element_type;
  typedef typename xp_element<T>::type storage_element_type;
  typedef xp_extent<Use, M, N, K> xp_size;
  static constexpr int num_elements = xp_size::rows * xp_size::columns / 32;
  static constexpr int num_storage_elements = num_elements;
  element_type x[num_elements];
  static constexpr xp_simt::Fragment xp_form() {
    return {xp_size::use, xp_element<T>::value, M, N, K, xp_size::rows, xp_size::columns, xp_order<Layout>::value};
  }
};

template <class Use, int M, int N, int K, class T, class L>
inline void fill_fragment(fragment<Use, M, N, K, T, L>& f,
                          const typename xp_simt::Same<typename xp_element<T>::type>::type& v) {
  for (auto& e : f.x) e = v;
}
template <class Use, int M, int N, int K, class T, class L>
inline void load_matrix_sync(fragment<Use, M, N, K, T, L>& f, const typename xp_simt::Same<typename xp_element<T>::type>::type* p,
                             unsigned ldm, XP_LINE) {
  static_assert(xp_order<L>::value != 2, "an accumulator is loaded with a layout");
  xp_simt::load_fragment(f.xp_form(), f.x, p, ldm, xp_order<L>::value == 1, xp_line);
}
template <int M, int N, int K, class T>
inline void load_matrix_sync(fragment<accumulator, M, N, K, T>& f, const typename xp_simt::Same<T>::type* p, unsigned ldm,
                             layout_t layout, XP_LINE) {
  xp_simt::load_fragment(f.xp_form(), f.x, p, ldm, layout == mem_col_major, xp_line);
}
template <int M, int N, int K, class T>
inline void store_matrix_sync(typename xp_simt::Same<T>::type* p, const fragment<accumulator, M, N, K, T>& f, unsigned ldm,
                              layout_t layout, XP_LINE) {
  xp_simt::store_fragment(f.xp_form(), f.x, p, ldm, layout == mem_col_major, xp_line);
}
template <class A, class D> struct xp_product { static constexpr bool value = false; };
template <> struct xp_product<__half, float> { static constexpr bool value = true; };
template <> struct xp_product<__half, __half> { static constexpr bool value = true; };
template <> struct xp_product<__nv_bfloat16, float> { static constexpr bool value = true; };
template <> struct xp_product<precision::tf32, float> { static constexpr bool value = true; };
template <> struct xp_product<double, double> { static constexpr bool value = true; };
template <> struct xp_product<signed char, int> { static constexpr bool value = true; };
template <> struct xp_product<unsigned char, int> { static constexpr bool value = true; };
template <int M, int N, int K, class D, class T, class LA, class LB, class C>
inline void mma_sync(fragment<accumulator, M, N, K, D>& d, const fragment<matrix_a, M, N, K, T, LA>& a,
                     const fragment<matrix_b, M, N, K, T, LB>& b, const fragment<accumulator, M, N, K, C>& c,
                     bool satf = false, XP_LINE) {
  static_assert(xp_product<T, D>::value && xp_product<T, C>::value, "wmma has no product of these element types");
  xp_simt::multiply_fragments(a.xp_form(), b.xp_form(), c.xp_form(), d.xp_form(), a.x, b.x, c.x, d.x, satf, xp_line);
}
inline float __float_to_tf32(float f) { return xp_simt::to_tf32(f); }
}  // namespace wmma
}  // namespace nvcuda
#endif
