// needs: wave
__device__ inline unsigned long long xp_wave_ballot(int vote) {
  unsigned long long* slots = xp_wave_slots();
  const unsigned half = __ballot_sync(0xffffffffu, vote), lane = xp_wave_lane();
  if (lane % 32 == 0) slots[lane / 32] = half;
  xp_wave_meet();
  const unsigned left = blockDim.x * blockDim.y * blockDim.z - (xp_wave_thread() & ~63u);
  const unsigned long long all = slots[0] | (left > 32 ? slots[1] << 32 : 0);
  xp_wave_meet();
  return all;
}
__device__ inline int xp_wave_any(int vote) { return xp_wave_ballot(vote) != 0; }
__device__ inline int xp_wave_all(int vote) { return xp_wave_ballot(!vote) == 0; }
