// Matrix fragments of a warp. The type is opaque to the front end; only `x` can be seen.
#pragma once
#pragma clang force_cuda_host_device begin
#ifdef __HIP__
#define XP_WMMA_BEGIN namespace rocwmma {
#define XP_WMMA_END }
#else
#define XP_WMMA_BEGIN namespace nvcuda { namespace wmma {
#define XP_WMMA_END } }
#endif
XP_WMMA_BEGIN
struct matrix_a; struct matrix_b; struct accumulator; struct row_major; struct col_major;
enum layout_t { mem_row_major, mem_col_major };
namespace precision { struct tf32; }
template <class T> struct xp_storage { typedef T type; };
template <> struct xp_storage<precision::tf32> { typedef float type; };
template <class U, int m, int n, int k> struct xp_count { static constexpr int value = m * n; };
template <int m, int n, int k> struct xp_count<matrix_a, m, n, k> { static constexpr int value = m * k; };
template <int m, int n, int k> struct xp_count<matrix_b, m, n, k> { static constexpr int value = k * n; };
template <class U, int m, int n, int k, class T, class L = void> struct fragment {
  typedef typename xp_storage<T>::type element_type;
  typedef element_type storage_element_type;
  static constexpr int num_elements = xp_count<U, m, n, k>::value / XP_WAVE;
  static constexpr int num_storage_elements = num_elements;
  element_type x[num_elements];
};
template <class U, int m, int n, int k, class T, class L>
void fill_fragment(fragment<U, m, n, k, T, L>&, typename xp_storage<T>::type);
template <class U, int m, int n, int k, class T, class L>
void load_matrix_sync(fragment<U, m, n, k, T, L>&, const typename xp_storage<T>::type*, unsigned);
template <class U, int m, int n, int k, class T, class L>
void load_matrix_sync(fragment<U, m, n, k, T, L>&, const typename xp_storage<T>::type*, unsigned, layout_t);
template <int m, int n, int k, class T, class L>
void store_matrix_sync(typename xp_storage<T>::type*, const fragment<accumulator, m, n, k, T, L>&, unsigned, layout_t);
template <int m, int n, int k, class A, class B, class C, class D, class La, class Lb>
void mma_sync(fragment<accumulator, m, n, k, D>&, const fragment<matrix_a, m, n, k, A, La>&,
              const fragment<matrix_b, m, n, k, B, Lb>&, const fragment<accumulator, m, n, k, C>&,
              bool = false);
inline float __float_to_tf32(float v) { return __xp_tf32(v); }
inline void synchronize_workgroup() { __syncthreads(); }
XP_WMMA_END
#pragma clang force_cuda_host_device end
