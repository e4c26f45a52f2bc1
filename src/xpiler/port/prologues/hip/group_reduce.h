// reduce() of cooperative groups, which HIP's headers lack: by steps of halves over the tile.
namespace cooperative_groups {
template <class T> struct plus { __device__ T operator()(T a, T b) const { return a + b; } };
template <class T> struct less { __device__ T operator()(T a, T b) const { return b < a ? b : a; } };
template <class T> struct greater { __device__ T operator()(T a, T b) const { return a < b ? b : a; } };
template <class G, class T, class F> __device__ inline T reduce(const G& group, T value, F combine) {
  for (unsigned step = group.size() / 2; step; step /= 2) value = combine(value, group.shfl_xor(value, step));
  return value;
}
}  // namespace cooperative_groups
