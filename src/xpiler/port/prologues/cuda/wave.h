// A wave of 64 lanes as two warps: they meet at a barrier of their own and exchange values through shared memory.
constexpr int xp_wave_size = 64;
__device__ inline unsigned xp_wave_thread() {
  return threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
}
__device__ inline unsigned xp_wave_lane() { return xp_wave_thread() & 63u; }
__device__ inline void xp_wave_meet() {
  const unsigned wave = xp_wave_thread() / 64, left = blockDim.x * blockDim.y * blockDim.z - 64 * wave;
  const unsigned threads = left < 64 ? (left + 31) / 32 * 32 : 64;
  if (wave > 14) __trap();  // there are sixteen barriers, and __syncthreads() has the first
  asm volatile("bar.sync %0, %1;" ::"r"(wave + 1), "r"(threads) : "memory");
}
__device__ inline unsigned long long* xp_wave_slots() {
  __shared__ unsigned long long slots[15 * 64];
  return slots + xp_wave_thread() / 64 * 64;
}
// The value that lane `from` of the wave passes.
template <class T> __device__ inline T xp_wave_take(T value, int from) {
  unsigned long long word = 0;
  memcpy(&word, &value, sizeof value);
  unsigned long long* slots = xp_wave_slots();
  slots[xp_wave_lane()] = word;
  xp_wave_meet();
  word = slots[from & 63];
  xp_wave_meet();
  memcpy(&value, &word, sizeof value);
  return value;
}
