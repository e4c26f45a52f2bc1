// Cooperative groups, written in terms of the built-in collectives; read in place of their calls.
#pragma once
#pragma clang force_cuda_host_device begin
namespace cooperative_groups {

template <class T> struct plus { T operator()(T a, T b) const { return a + b; } };
template <class T> struct less { T operator()(T a, T b) const { return a < b ? a : b; } };
template <class T> struct greater { T operator()(T a, T b) const { return a > b ? a : b; } };
template <class T> struct bit_and { T operator()(T a, T b) const { return a & b; } };
template <class T> struct bit_or { T operator()(T a, T b) const { return a | b; } };
template <class T> struct bit_xor { T operator()(T a, T b) const { return a ^ b; } };

struct thread_block {
  static unsigned thread_rank() {
    return (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  }
  static unsigned size() { return blockDim.x * blockDim.y * blockDim.z; }
  static unsigned num_threads() { return blockDim.x * blockDim.y * blockDim.z; }
  static dim3 thread_index() { return dim3(threadIdx.x, threadIdx.y, threadIdx.z); }
  static dim3 group_index() { return dim3(blockIdx.x, blockIdx.y, blockIdx.z); }
  static dim3 group_dim() { return dim3(blockDim.x, blockDim.y, blockDim.z); }
  static dim3 dim_threads() { return dim3(blockDim.x, blockDim.y, blockDim.z); }
  static void sync() { __syncthreads(); }
};
inline thread_block this_thread_block() { return thread_block(); }

struct grid_group {
  static unsigned long long thread_rank() {
    return (unsigned long long)((blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x) *
               (blockDim.x * blockDim.y * blockDim.z) +
           ((threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x);
  }
  static unsigned long long size() {
    return (unsigned long long)(gridDim.x * gridDim.y * gridDim.z) *
           (blockDim.x * blockDim.y * blockDim.z);
  }
  static unsigned long long num_threads() { return size(); }
  static unsigned long long block_rank() {
    return (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  }
  static unsigned long long num_blocks() { return gridDim.x * gridDim.y * gridDim.z; }
  static dim3 block_index() { return dim3(blockIdx.x, blockIdx.y, blockIdx.z); }
  static dim3 group_dim() { return dim3(gridDim.x, gridDim.y, gridDim.z); }
  static dim3 dim_blocks() { return dim3(gridDim.x, gridDim.y, gridDim.z); }
  static bool is_valid() { return true; }
  static void sync() { __xp_grid_sync(); }
};
inline grid_group this_grid() { return grid_group(); }

template <unsigned N> struct xp_tile {
  static unsigned thread_rank() { return __xp_lane() % N; }
  static constexpr unsigned size() { return N; }
  static constexpr unsigned num_threads() { return N; }
  static unsigned meta_group_rank() {
    return ((threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x) / N;
  }
  static unsigned meta_group_size() { return (blockDim.x * blockDim.y * blockDim.z + N - 1) / N; }
  static void sync() { __syncwarp(); }
  template <class T> static T shfl(T v, int lane) { return __shfl_sync(XP_ALL, v, lane, N); }
  template <class T> static T shfl_up(T v, unsigned d) { return __shfl_up_sync(XP_ALL, v, d, N); }
  template <class T> static T shfl_down(T v, unsigned d) { return __shfl_down_sync(XP_ALL, v, d, N); }
  template <class T> static T shfl_xor(T v, int m) { return __shfl_xor_sync(XP_ALL, v, m, N); }
  static XP_MASK ballot(int p) {
    if constexpr (N == XP_WAVE) return __ballot_sync(XP_ALL, p);
    else return (__ballot_sync(XP_ALL, p) >> (__xp_lane() / N * N)) & ((XP_MASK(1) << N) - 1);
  }
  static int any(int p) {
    if constexpr (N == XP_WAVE) return __any_sync(XP_ALL, p);
    else return ballot(p) != 0;
  }
  static int all(int p) {
    if constexpr (N == XP_WAVE) return __all_sync(XP_ALL, p);
    else return ballot(p) == (XP_MASK(1) << N) - 1;
  }
  template <class T> static XP_MASK match_any(T v) { return __match_any_sync(XP_ALL, v); }
};
template <unsigned N, class Parent = void> using thread_block_tile = xp_tile<N>;
template <unsigned N, class G> inline xp_tile<N> tiled_partition(const G& g) {
  return xp_tile<N>();
}

struct coalesced_group {
  XP_MASK xp_mask;
  unsigned thread_rank() const { return __xp_rank(xp_mask); }
  unsigned size() const { return __xp_count(xp_mask); }
  unsigned num_threads() const { return __xp_count(xp_mask); }
  void sync() const { __syncwarp(); }
  int any(int p) const { return __any_sync(xp_mask, p); }
  int all(int p) const { return __all_sync(xp_mask, p); }
};
inline coalesced_group coalesced_threads() { return coalesced_group{__activemask()}; }

// A group whose size is only known at run time.
struct thread_group {
  unsigned xp_size, xp_rank;
  bool xp_block;
  thread_group(thread_block b) : xp_size(thread_block::size()), xp_rank(thread_block::thread_rank()), xp_block(true) {}
  template <unsigned N>
  thread_group(xp_tile<N> t) : xp_size(N), xp_rank(__xp_lane() % N), xp_block(false) {}
  unsigned size() const { return xp_size; }
  unsigned thread_rank() const { return xp_rank; }
  void sync() const { if (xp_block) __syncthreads(); else __syncwarp(); }
};

template <class G> inline void sync(const G& g) { g.sync(); }
template <class G> inline unsigned thread_rank(const G& g) { return g.thread_rank(); }
template <class G> inline unsigned group_size(const G& g) { return g.size(); }

template <unsigned N, class T, class F>
inline T reduce(const xp_tile<N>& g, T v, F op) {
  T r = v;
  for (int m = N / 2; m > 0; m /= 2) r = op(r, __shfl_xor_sync(XP_ALL, r, m, N));
  return r;
}
template <class T>
inline T reduce(const xp_tile<XP_WAVE>& g, T v, plus<T> op) { return __xp_reduce_add(XP_ALL, v); }
template <class T>
inline T reduce(const xp_tile<XP_WAVE>& g, T v, less<T> op) { return __xp_reduce_min(XP_ALL, v); }
template <class T>
inline T reduce(const xp_tile<XP_WAVE>& g, T v, greater<T> op) { return __xp_reduce_max(XP_ALL, v); }

template <unsigned N, class T>
inline T inclusive_scan(const xp_tile<N>& g, T v) {
  T r = v;
  for (unsigned d = 1; d < N; d *= 2) {
    T before = __shfl_up_sync(XP_ALL, r, d, N);
    if (__xp_lane() % N >= d) r = r + before;
  }
  return r;
}
template <unsigned N, class T>
inline T exclusive_scan(const xp_tile<N>& g, T v) {
  T whole = inclusive_scan(g, v);
  T before = __shfl_up_sync(XP_ALL, whole, 1, N);
  T r = __xp_lane() % N == 0 ? T(0) : before;
  return r;
}

template <class G, class T>
inline void memcpy_async(const G& g, T* dst, const T* src, size_t bytes) {
  for (size_t i = g.thread_rank(); i < bytes / sizeof(T); i += g.size()) dst[i] = src[i];
}
template <class G> inline void wait(const G& g) { g.sync(); }
template <unsigned K, class G> inline void wait_prior(const G& g) { g.sync(); }

}  // namespace cooperative_groups
#pragma clang force_cuda_host_device end
