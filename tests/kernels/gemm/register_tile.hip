#include <hip/hip_runtime.h>

// 32 x 32 of C per block of 64 threads, 4 x 4 per thread in registers, slabs of 8 along K.
constexpr int BM = 32, BN = 32, BK = 8, TM = 4, TN = 4;
constexpr int NTHREADS = (BM / TM) * (BN / TN);

__global__ void __launch_bounds__(NTHREADS)
gemm_rt(const float* __restrict__ A, const float* __restrict__ B, float* __restrict__ C,
        int M, int N, int K)
{
  __shared__ float sa[BK][BM];
  __shared__ float sb[BK][BN];

  const int t  = threadIdx.x;
  const int tr = t / (BN / TN);
  const int tc = t % (BN / TN);
  const int m0 = blockIdx.y * BM;
  const int n0 = blockIdx.x * BN;

  float c[TM][TN];
  for (int i = 0; i < TM; ++i)
    for (int j = 0; j < TN; ++j) c[i][j] = 0.f;

  for (int k0 = 0; k0 < K; k0 += BK) {
    for (int e = t; e < BM * BK; e += NTHREADS) {
      const int m = e / BK, k = e % BK;
      sa[k][m] = (m0 + m < M && k0 + k < K) ? A[(m0 + m) * K + k0 + k] : 0.f;
    }
    for (int e = t; e < BK * BN; e += NTHREADS) {
      const int k = e / BN, n = e % BN;
      sb[k][n] = (k0 + k < K && n0 + n < N) ? B[(k0 + k) * N + n0 + n] : 0.f;
    }
    __syncthreads();

#pragma unroll
    for (int k = 0; k < BK; ++k) {
      float ra[TM], rb[TN];
#pragma unroll
      for (int i = 0; i < TM; ++i) ra[i] = sa[k][tr * TM + i];
#pragma unroll
      for (int j = 0; j < TN; ++j) rb[j] = sb[k][tc * TN + j];
#pragma unroll
      for (int i = 0; i < TM; ++i)
#pragma unroll
        for (int j = 0; j < TN; ++j) c[i][j] = fmaf(ra[i], rb[j], c[i][j]);
    }
    __syncthreads();
  }

  for (int i = 0; i < TM; ++i) {
    const int m = m0 + tr * TM + i;
    if (m >= M) break;
    for (int j = 0; j < TN; ++j) {
      const int n = n0 + tc * TN + j;
      if (n < N) C[m * N + n] = c[i][j];
    }
  }
}

extern "C" void gemm(const float* A, const float* B, float* C, int M, int N, int K)
{
  float *a, *b, *c;
  hipMalloc(&a, sizeof(float) * M * K);
  hipMalloc(&b, sizeof(float) * K * N);
  hipMalloc(&c, sizeof(float) * M * N);
  hipMemcpy(a, A, sizeof(float) * M * K, hipMemcpyHostToDevice);
  hipMemcpy(b, B, sizeof(float) * K * N, hipMemcpyHostToDevice);
  gemm_rt<<<dim3((N + BN - 1) / BN, (M + BM - 1) / BM), NTHREADS>>>(a, b, c, M, N, K);
  hipMemcpy(C, c, sizeof(float) * M * N, hipMemcpyDeviceToHost);
  hipFree(a);
  hipFree(b);
  hipFree(c);
}
