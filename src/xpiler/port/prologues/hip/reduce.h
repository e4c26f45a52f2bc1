// Reductions over the lanes in `mask` of the 32 that were a warp.
template <class T, class F> __device__ inline T xp_reduce_lanes(unsigned mask, T value, F combine) {
  T total = value;
  bool first = true;
  for (int lane = 0; lane < 32; ++lane) {
    const T other = __shfl(value, lane, 32);
    if (!(mask >> lane & 1)) continue;
    total = first ? other : combine(total, other);
    first = false;
  }
  return total;
}
template <class T> __device__ inline T xp_reduce_add_sync(unsigned mask, T value) {
  return xp_reduce_lanes(mask, value, [](T a, T b) { return (T)(a + b); });
}
template <class T> __device__ inline T xp_reduce_min_sync(unsigned mask, T value) {
  return xp_reduce_lanes(mask, value, [](T a, T b) { return b < a ? b : a; });
}
template <class T> __device__ inline T xp_reduce_max_sync(unsigned mask, T value) {
  return xp_reduce_lanes(mask, value, [](T a, T b) { return a < b ? b : a; });
}
template <class T> __device__ inline T xp_reduce_and_sync(unsigned mask, T value) {
  return xp_reduce_lanes(mask, value, [](T a, T b) { return (T)(a & b); });
}
template <class T> __device__ inline T xp_reduce_or_sync(unsigned mask, T value) {
  return xp_reduce_lanes(mask, value, [](T a, T b) { return (T)(a | b); });
}
template <class T> __device__ inline T xp_reduce_xor_sync(unsigned mask, T value) {
  return xp_reduce_lanes(mask, value, [](T a, T b) { return (T)(a ^ b); });
}
