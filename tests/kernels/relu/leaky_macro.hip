#include <hip/hip_runtime.h>

#define HIP_KERNEL_LOOP(i, n) \
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < (n); i += blockDim.x * gridDim.x)
#define NUM_THREADS 64
#define GET_BLOCKS(n) (((n) + NUM_THREADS - 1) / NUM_THREADS)

template <typename Dtype>
__global__ void ReLUForward(const int n, const Dtype* in, Dtype* out, Dtype negative_slope) {
  HIP_KERNEL_LOOP(index, n) {
    out[index] = in[index] > 0 ? in[index] : in[index] * negative_slope;
  }
}

extern "C" void leaky_relu(const float* bottom, float* top, int count, float negative_slope) {
  float* bottom_data;
  float* top_data;
  hipMalloc((void**)&bottom_data, sizeof(float) * count);
  hipMalloc((void**)&top_data, sizeof(float) * count);
  hipMemcpy(bottom_data, bottom, sizeof(float) * count, hipMemcpyHostToDevice);
  ReLUForward<float><<<GET_BLOCKS(count), NUM_THREADS>>>(count, bottom_data, top_data,
                                                         negative_slope);
  hipMemcpy(top, top_data, sizeof(float) * count, hipMemcpyDeviceToHost);
  hipFree(bottom_data);
  hipFree(top_data);
}
