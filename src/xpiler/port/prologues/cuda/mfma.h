// needs: wave vector
#include <cuda_bf16.h>
#include <cuda_fp16.h>
// V_MFMA on a wave of two warps: the registers of A and B go through shared memory, and each lane computes its elements of
// the result by the layout of the instruction set manual. E says how a register's bits are read.
template <class E> struct xp_operand {
  static __device__ float read(const void* p, int i) { return (float)static_cast<const E*>(p)[i]; }
};
template <> struct xp_operand<signed char> {
  static __device__ int read(const void* p, int i) { return static_cast<const signed char*>(p)[i]; }
};
__device__ inline unsigned long long* xp_wave_second_slots() {
  __shared__ unsigned long long slots[15 * 64];
  return slots + xp_wave_thread() / 64 * 64;
}
template <class E, int M, int N, int K, int Blocks, class A, class C> __device__ inline C xp_mfma(A a, A b, C c) {
  constexpr int held = M * K * Blocks / 64, registers = M * N * Blocks / 64, groups = M == 4 ? 1 : 64 / N;
  unsigned long long *left = xp_wave_slots(), *right = xp_wave_second_slots();
  const int lane = (int)xp_wave_lane();
  memcpy(left + lane, &a, sizeof a);
  memcpy(right + lane, &b, sizeof b);
  xp_wave_meet();
  for (int v = 0; v < registers; ++v) {
    const int block = M == 4 ? lane / 4 % Blocks : v * 64 / (M * N), within = v % (M == 4 ? registers : M * N / 64);
    const int row = M == 4 ? v : within / 4 * 4 * groups + lane / N * 4 + within % 4, column = lane % N;
    auto sum = c[v];
    for (int k = 0; k < K; ++k) {
      const int first = k / held * M * Blocks + block * M;
      sum += xp_operand<E>::read(left + first + row, k % held) * xp_operand<E>::read(right + first + column, k % held);
    }
    c[v] = sum;
  }
  xp_wave_meet();
  return c;
}
