// needs: wave
template <class T> __device__ inline T xp_wave_shfl(T value, int lane, int width = 64) {
  return xp_wave_take(value, ((int)xp_wave_lane() & -width) + (lane & (width - 1)));
}
template <class T> __device__ inline T xp_wave_shfl_up(T value, unsigned by, int width = 64) {
  const int lane = (int)xp_wave_lane(), from = lane - (int)by;
  return xp_wave_take(value, from < (lane & -width) ? lane : from);
}
template <class T> __device__ inline T xp_wave_shfl_down(T value, unsigned by, int width = 64) {
  const int lane = (int)xp_wave_lane(), from = lane + (int)by;
  return xp_wave_take(value, from >= (lane & -width) + width ? lane : from);
}
template <class T> __device__ inline T xp_wave_shfl_xor(T value, int bits, int width = 64) {
  const int lane = (int)xp_wave_lane(), from = lane ^ bits;
  return xp_wave_take(value, from >= (lane & -width) + width ? lane : from);
}
