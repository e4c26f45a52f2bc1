#include <hip/hip_runtime.h>

__global__ void __launch_bounds__(256) relu(float* __restrict__ x, float* __restrict__ y) {
  if (blockIdx.x * 256 + threadIdx.x < 1000) {
    y[blockIdx.x * 256 + threadIdx.x] = max(x[blockIdx.x * 256 + threadIdx.x], 0.0f);
  }
}

extern "C" void relu_kernel(float* x, float* y, int n, int c) {
  float *dx, *dy;
  hipMalloc(&dx, n * c * sizeof(float));
  hipMalloc(&dy, n * c * sizeof(float));
  hipMemcpy(dx, x, n * c * sizeof(float), hipMemcpyHostToDevice);
  dim3 blockSize(256);
  dim3 numBlocks((n * c + 255) / 256);
  relu<<<numBlocks, blockSize>>>(dx, dy);
  hipMemcpy(y, dy, n * c * sizeof(float), hipMemcpyDeviceToHost);
  hipFree(dx);
  hipFree(dy);
}
