// needs: wave_shfl
template <class T> __device__ inline T xp_wave_first(T value) { return xp_wave_shfl(value, 0); }
__device__ inline int xp_wave_bpermute(int address, int value) { return xp_wave_shfl(value, address >> 2 & 63); }
__device__ inline unsigned xp_mbcnt_lo(unsigned mask, unsigned base) {
  const unsigned lane = xp_wave_lane();
  return base + __popc(lane >= 32 ? mask : mask & ((1u << lane) - 1));
}
__device__ inline unsigned xp_mbcnt_hi(unsigned mask, unsigned base) {
  const unsigned lane = xp_wave_lane();
  return base + (lane <= 32 ? 0 : __popc(mask & ((1u << (lane - 32)) - 1)));
}
