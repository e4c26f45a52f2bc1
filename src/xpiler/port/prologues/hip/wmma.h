// needs: syncwarp
// nvcuda::wmma on AMD's matrix cores. A warp of 32 lanes is half a wave of 64, so the products are made of 4 x 4 blocks:
// V_MFMA_*_4X4X4_16B multiplies sixteen independent blocks at once, eight for each half, and no half needs the other.
// In a half, slot b = lane / 4 has block column b % G and block rows b / G + h * 8 / G, where G = N / 4.
#if defined(__gfx908__) || defined(__gfx90a__) || defined(__gfx940__) || defined(__gfx941__) || defined(__gfx942__) || defined(__gfx950__)
#define XP_HAS_MFMA 1
#else
#define XP_HAS_MFMA 0
#endif
namespace nvcuda {
namespace wmma {
struct matrix_a {};
struct matrix_b {};
struct accumulator {};
struct row_major {};
struct col_major {};
enum layout_t { mem_row_major, mem_col_major };
namespace precision { struct tf32 {}; }
typedef _Float16 xp_half4 __attribute__((ext_vector_type(4)));
typedef short xp_short4 __attribute__((ext_vector_type(4)));
typedef float xp_float4 __attribute__((ext_vector_type(4)));
typedef int xp_int4 __attribute__((ext_vector_type(4)));

// How elements of type T are stored and multiplied: `depth` of k an instruction, `native` where there is one.
template <class T> struct xp_element { typedef T type; typedef float sum; enum { depth = 4, native = 0 }; };
template <> struct xp_element<__half> {
  typedef __half type; typedef float sum; enum { depth = 4, native = XP_HAS_MFMA };
#if XP_HAS_MFMA
  typedef xp_half4 operand; typedef xp_float4 result;
  template <int Size, int Block> static __device__ inline result step(operand a, operand b, result c) {
    return __builtin_amdgcn_mfma_f32_4x4x4f16(a, b, c, Size, Block, 0);
  }
#endif
};
#ifdef XP_WMMA_BF16
template <> struct xp_element<__hip_bfloat16> {
  typedef __hip_bfloat16 type; typedef float sum;
#if XP_HAS_MFMA && !defined(__gfx908__)
  enum { depth = 4, native = 1 };
  typedef xp_short4 operand; typedef xp_float4 result;
  template <int Size, int Block> static __device__ inline result step(operand a, operand b, result c) {
    return __builtin_amdgcn_mfma_f32_4x4x4bf16_1k(a, b, c, Size, Block, 0);
  }
#else
  enum { depth = 4, native = 0 };
#endif
};
#endif
template <> struct xp_element<precision::tf32> {
  typedef float type; typedef float sum; enum { depth = 1, native = XP_HAS_MFMA };
#if XP_HAS_MFMA
  typedef float operand; typedef xp_float4 result;
  template <int Size, int Block> static __device__ inline result step(operand a, operand b, result c) {
    return __builtin_amdgcn_mfma_f32_4x4x1f32(a, b, c, Size, Block, 0);
  }
#endif
};
template <> struct xp_element<signed char> {
  typedef signed char type; typedef int sum; enum { depth = 4, native = XP_HAS_MFMA };
#if XP_HAS_MFMA
  typedef int operand; typedef xp_int4 result;
  template <int Size, int Block> static __device__ inline result step(operand a, operand b, result c) {
    return __builtin_amdgcn_mfma_i32_4x4x4i8(a, b, c, Size, Block, 0);
  }
#endif
};
template <> struct xp_element<unsigned char> { typedef unsigned char type; typedef int sum; enum { depth = 4, native = 0 }; };
template <> struct xp_element<double> { typedef double type; typedef double sum; enum { depth = 4, native = 0 }; };

template <int M, int N, int K, int Depth> struct xp_shape {
  enum { group = N / 4 < 8 ? N / 4 : 8, groups = 8 / group, heights = (M / 4 + groups - 1) / groups, steps = K / Depth,
         held = (steps + group - 1) / group };
};
template <class Use, int M, int N, int K, class T> struct xp_count;
template <int M, int N, int K, class T> struct xp_count<matrix_a, M, N, K, T> {
  typedef xp_shape<M, N, K, xp_element<T>::depth> shape;
  enum { value = shape::heights * shape::held * xp_element<T>::depth };
};
template <int M, int N, int K, class T> struct xp_count<matrix_b, M, N, K, T> { enum { value = K }; };
template <int M, int N, int K, class T> struct xp_count<accumulator, M, N, K, T> {
  enum { value = xp_shape<M, N, K, 4>::heights * 4 };
};
template <class Use, int M, int N, int K, class T, class Layout = void> struct fragment {
  typedef typename xp_element<T>::type element_type;
  typedef element_type storage_element_type;
  static constexpr int num_elements = xp_count<Use, M, N, K, T>::value;
  static constexpr int num_storage_elements = num_elements;
  element_type x[num_elements];
};

// Row and column of element i of the running lane; false where the lane holds none.
__device__ inline int xp_warp_lane() { return (int)(__lane_id() & 31u); }
template <int M, int N, int K, class T> __device__ inline bool xp_cell(matrix_a, int i, int& row, int& column) {
  typedef xp_shape<M, N, K, xp_element<T>::depth> shape;
  const int depth = xp_element<T>::depth, lane = xp_warp_lane(), slot = lane / 4;
  const int step = i / depth % shape::held * shape::group + slot % shape::group;
  row = 4 * (slot / shape::group + i / depth / shape::held * shape::groups) + lane % 4;
  column = step * depth + i % depth;
  return step < shape::steps && row < M;
}
template <int M, int N, int K, class T> __device__ inline bool xp_cell(matrix_b, int i, int& row, int& column) {
  const int lane = xp_warp_lane();
  row = i;
  column = 4 * (lane / 4 % xp_shape<M, N, K, 4>::group) + lane % 4;
  return true;
}
template <int M, int N, int K, class T> __device__ inline bool xp_cell(accumulator, int i, int& row, int& column) {
  typedef xp_shape<M, N, K, 4> shape;
  const int lane = xp_warp_lane(), slot = lane / 4;
  row = 4 * (slot / shape::group + i / 4 * shape::groups) + i % 4;
  column = 4 * (slot % shape::group) + lane % 4;
  return row < M;
}
template <class E, class V> __device__ inline void xp_fill(E* x, int n, V value) {
  for (int i = 0; i < n; ++i) x[i] = (E)value;
}
template <class Use, int M, int N, int K, class T, class L, class V>
__device__ inline void fill_fragment(fragment<Use, M, N, K, T, L>& f, const V& value) {
  xp_fill(f.x, f.num_elements, value);
}
template <class Use, int M, int N, int K, class T, class L, class E>
__device__ inline void xp_load(fragment<Use, M, N, K, T, L>& f, const E* p, unsigned stride, bool by_column) {
  xp_sync_warp();
  for (int i = 0; i < f.num_elements; ++i) {
    int row, column;
    if (xp_cell<M, N, K, T>(Use(), i, row, column)) f.x[i] = p[by_column ? column * stride + row : row * stride + column];
    else f.x[i] = E();
  }
}
template <class Use, int M, int N, int K, class T>
__device__ inline void load_matrix_sync(fragment<Use, M, N, K, T, row_major>& f, const typename xp_element<T>::type* p, unsigned stride) {
  xp_load(f, p, stride, false);
}
template <class Use, int M, int N, int K, class T>
__device__ inline void load_matrix_sync(fragment<Use, M, N, K, T, col_major>& f, const typename xp_element<T>::type* p, unsigned stride) {
  xp_load(f, p, stride, true);
}
template <int M, int N, int K, class T>
__device__ inline void load_matrix_sync(fragment<accumulator, M, N, K, T>& f, const T* p, unsigned stride, layout_t layout) {
  xp_load(f, p, stride, layout == mem_col_major);
}
template <int M, int N, int K, class T>
__device__ inline void store_matrix_sync(T* p, const fragment<accumulator, M, N, K, T>& f, unsigned stride, layout_t layout) {
  for (int i = 0; i < f.num_elements; ++i) {
    int row, column;
    if (xp_cell<M, N, K, T>(accumulator(), i, row, column))
      p[layout == mem_col_major ? column * stride + row : row * stride + column] = f.x[i];
  }
  xp_sync_warp();
}

// Whether every lane that the wave has is here: a matrix instruction pays no heed to lanes that are switched off.
__device__ inline bool xp_whole_wave() {
  const unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  const unsigned left = blockDim.x * blockDim.y * blockDim.z - (thread & ~63u);
  return __ballot(1) == (left < 64 ? (1ull << left) - 1 : ~0ull);
}
#if XP_HAS_MFMA
template <class T, int Group, int Steps, int Step> struct xp_steps {
  template <class A, class B, class R> static __device__ inline void run(const A* a, const B* b, R& sum) {
    typedef xp_element<T> element;
    typename element::operand left, right;
    __builtin_memcpy(&left, a + Step / Group * element::depth, sizeof left);
    __builtin_memcpy(&right, b + Step * element::depth, sizeof right);
    constexpr int size = Group == 8 ? 3 : Group == 4 ? 2 : 1;      // the block of A that all of a group multiply by
    sum = element::template step<size, Step % Group>(left, right, sum);
    xp_steps<T, Group, Steps, Step + 1>::run(a, b, sum);
  }
};
template <class T, int Group, int Steps> struct xp_steps<T, Group, Steps, Steps> {
  template <class A, class B, class R> static __device__ inline void run(const A*, const B*, R&) {}
};
#endif
template <bool Native> struct xp_product {       // by shuffles within the half
  template <class T, int M, int N, int K, class A, class B, class S> static __device__ inline void run(const A& a, const B& b, S* sum) {
    typedef xp_shape<M, N, K, xp_element<T>::depth> shape;
    const int depth = xp_element<T>::depth, slot = xp_warp_lane() / 4;
    for (int k = 0; k < K; ++k)
      for (int i = 0; i < shape::heights * 4; ++i) {
        const int step = k / depth, from = 4 * (slot / shape::group * shape::group + step % shape::group) + i % 4;
        const auto left = a.x[(i / 4 * shape::held + step / shape::group) * depth + k % depth];
        sum[i] += (S)__shfl((S)left, from, 32) * (S)b.x[k];
      }
  }
};
#if XP_HAS_MFMA
template <> struct xp_product<true> {
  template <class T, int M, int N, int K, class A, class B, class S> static __device__ inline void run(const A& a, const B& b, S* sum) {
    typedef xp_shape<M, N, K, xp_element<T>::depth> shape;
    if (!xp_whole_wave()) return xp_product<false>::run<T, M, N, K>(a, b, sum);
    for (int h = 0; h < shape::heights; ++h) {
      typename xp_element<T>::result part;
      __builtin_memcpy(&part, sum + 4 * h, sizeof part);
      xp_steps<T, shape::group, shape::steps, 0>::run(a.x + h * shape::held * xp_element<T>::depth, b.x, part);
      __builtin_memcpy(sum + 4 * h, &part, sizeof part);
    }
  }
};
#endif
template <int M, int N, int K, class D, class T, class LA, class LB, class C>
__device__ inline void mma_sync(fragment<accumulator, M, N, K, D>& d, const fragment<matrix_a, M, N, K, T, LA>& a,
                                const fragment<matrix_b, M, N, K, T, LB>& b, const fragment<accumulator, M, N, K, C>& c) {
  typename xp_element<T>::sum sum[d.num_elements];
  for (int i = 0; i < d.num_elements; ++i) sum[i] = (typename xp_element<T>::sum)c.x[i];
  xp_product<xp_element<T>::native != 0>::template run<T, M, N, K>(a, b, sum);
  for (int i = 0; i < d.num_elements; ++i) d.x[i] = (D)sum[i];
}
__device__ inline float __float_to_tf32(float value) {
  return __uint_as_float((__float_as_uint(value) + 0x1000u) & 0xffffe000u);
}
}  // namespace wmma
}  // namespace nvcuda
