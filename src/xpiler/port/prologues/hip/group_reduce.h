// reduce() of cooperative groups, which HIP's headers lack: by steps of halves over the tile.
template <class T> struct xp_plus { __device__ T operator()(T a, T b) const { return a + b; } };
template <class T> struct xp_less { __device__ T operator()(T a, T b) const { return b < a ? b : a; } };
template <class T> struct xp_greater { __device__ T operator()(T a, T b) const { return a < b ? b : a; } };
template <class G, class T, class F> __device__ inline T xp_group_reduce(const G& group, T value, F combine) {
  for (unsigned step = group.size() / 2; step; step /= 2) value = combine(value, group.shfl_xor(value, step));
  return value;
}
