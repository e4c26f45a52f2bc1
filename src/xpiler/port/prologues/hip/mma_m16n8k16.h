// needs: lane
// mma.sync m16n8k16 by the register layout of the PTX manual: lane 4 g + t holds rows g and g + 8 of A and D, and column g of B.
template <class T> __device__ inline float xp_number(unsigned pair, int which) {
  const unsigned short bits = (unsigned short)(pair >> (16 * which));
  T value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return (float)value;
}
template <class T>
__device__ inline void xp_mma_m16n8k16(float& d0, float& d1, float& d2, float& d3, unsigned a0, unsigned a1, unsigned a2,
                                       unsigned a3, unsigned b0, unsigned b1, float c0, float c1, float c2, float c3) {
  const unsigned a[4] = {a0, a1, a2, a3}, b[2] = {b0, b1};
  float d[4] = {c0, c1, c2, c3};
  const int group = (int)xp_lane() / 4, column = 2 * ((int)xp_lane() % 4);
  for (int half = 0; half < 2; ++half)          // k below 8, and the rest
    for (int t = 0; t < 4; ++t) {
      const unsigned upper = __shfl(a[2 * half], 4 * group + t, 32), lower = __shfl(a[2 * half + 1], 4 * group + t, 32);
      const unsigned left = __shfl(b[half], 4 * column + t, 32), right = __shfl(b[half], 4 * column + 4 + t, 32);
      for (int i = 0; i < 2; ++i) {
        d[0] += xp_number<T>(upper, i) * xp_number<T>(left, i);
        d[1] += xp_number<T>(upper, i) * xp_number<T>(right, i);
        d[2] += xp_number<T>(lower, i) * xp_number<T>(left, i);
        d[3] += xp_number<T>(lower, i) * xp_number<T>(right, i);
      }
    }
  d0 = d[0], d1 = d[1], d2 = d[2], d3 = d[3];
}
