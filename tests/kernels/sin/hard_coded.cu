// sin over a fixed 6 x 70 array
__global__ void sin_kernel(float* A, float* T_sin) {
  if (((((int)blockIdx.x) * 64) + ((int)threadIdx.x)) < 420) {
    T_sin[((((int)blockIdx.x) * 64) + ((int)threadIdx.x))] =
        sinf(A[((((int)blockIdx.x) * 64) + ((int)threadIdx.x))]);
  }
}

extern "C" void sin_op(float* A, float* B, int rows, int cols) {
  float *dA, *dB;
  cudaMalloc(&dA, rows * cols * sizeof(float));
  cudaMalloc(&dB, rows * cols * sizeof(float));
  cudaMemcpy(dA, A, rows * cols * sizeof(float), cudaMemcpyHostToDevice);
  sin_kernel<<<dim3(7), dim3(64)>>>(dA, dB);
  cudaMemcpy(B, dB, rows * cols * sizeof(float), cudaMemcpyDeviceToHost);
  cudaFree(dA);
  cudaFree(dB);
}
