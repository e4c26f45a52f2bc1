#include <cuda_runtime.h>

// C = alpha * A * B + beta * C, all row-major, one thread an element of C.
__global__ void sgemm_naive(int M, int N, int K, float alpha, const float *A, const float *B,
                            float beta, float *C) {
  const unsigned int x = blockIdx.x * blockDim.x + threadIdx.x;
  const unsigned int y = blockIdx.y * blockDim.y + threadIdx.y;

  if (x < M && y < N) {
    float tmp = 0.0;
    for (int i = 0; i < K; ++i) {
      tmp += A[x * K + i] * B[i * N + y];
    }
    C[x * N + y] = alpha * tmp + beta * C[x * N + y];
  }
}

extern "C" void sgemm(int M, int N, int K, float alpha, const float *A, const float *B,
                      float beta, float *C) {
  float *dA, *dB, *dC;
  cudaMalloc((void **)&dA, M * K * sizeof(float));
  cudaMalloc((void **)&dB, K * N * sizeof(float));
  cudaMalloc((void **)&dC, M * N * sizeof(float));
  cudaMemcpy(dA, A, M * K * sizeof(float), cudaMemcpyHostToDevice);
  cudaMemcpy(dB, B, K * N * sizeof(float), cudaMemcpyHostToDevice);
  cudaMemcpy(dC, C, M * N * sizeof(float), cudaMemcpyHostToDevice);
  dim3 gridDim((M + 15) / 16, (N + 15) / 16);
  dim3 blockDim(16, 16);
  sgemm_naive<<<gridDim, blockDim>>>(M, N, K, alpha, dA, dB, beta, dC);
  cudaMemcpy(C, dC, M * N * sizeof(float), cudaMemcpyDeviceToHost);
  cudaFree(dA);
  cudaFree(dB);
  cudaFree(dC);
}
