#include <cuda_runtime.h>

__global__ void sign_i32(const int *in, int *out, int n)
{
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n)
    out[i] = (in[i] > 0) - (in[i] < 0);
}

extern "C" void sign_int(const int *in, int *out, int n)
{
  int *d_in = 0, *d_out = 0;
  cudaMalloc((void **)&d_in, sizeof(int) * n);
  cudaMalloc((void **)&d_out, sizeof(int) * n);
  cudaMemcpy(d_in, in, sizeof(int) * n, cudaMemcpyHostToDevice);
  cudaEvent_t start, stop;
  float ms = 0;
  cudaEventCreate(&start);
  cudaEventCreate(&stop);
  cudaEventRecord(start, 0);
  sign_i32<<<(n - 1) / 32 + 1, 32>>>(d_in, d_out, n);
  cudaEventRecord(stop, 0);
  cudaEventSynchronize(stop);
  cudaEventElapsedTime(&ms, start, stop);
  cudaEventDestroy(start);
  cudaEventDestroy(stop);
  cudaMemcpy(out, d_out, sizeof(int) * n, cudaMemcpyDeviceToHost);
  cudaFree(d_in);
  cudaFree(d_out);
}
