#include <hip/hip_runtime.h>

#define HIP_ASSERT(x)                              \
  if ((x) != hipSuccess) {                         \
    printf("HIP error at line %d\n", __LINE__);    \
    abort();                                       \
  }

namespace {

struct Welford {
  float mean, m2, count;

  __device__ void push(float v) {
    count += 1.f;
    float delta = v - mean;
    mean += delta / count;
    m2 += delta * (v - mean);
  }

  __device__ void join(const Welford& o) {
    if (o.count == 0.f) return;
    float n = count + o.count;
    float delta = o.mean - mean;
    mean += delta * (o.count / n);
    m2 += o.m2 + delta * delta * (count * o.count / n);
    count = n;
  }
};

// Statistics by Welford's update per thread, joined in a shared-memory tree.
__global__ void LayerNormKernel(int n, float epsilon, const float* input, const float* weight,
                                const float* bias, float* output) {
  __shared__ Welford part[256];
  const unsigned tid = threadIdx.x;
  const size_t base = size_t(blockIdx.x) * n;

  Welford w = {0.f, 0.f, 0.f};
  for (int i = tid; i < n; i += blockDim.x) w.push(input[base + i]);
  part[tid] = w;
  __syncthreads();

  for (unsigned width = blockDim.x / 2; width >= 1; width /= 2) {
    if (tid < width) part[tid].join(part[tid + width]);
    __syncthreads();
  }

  const float mu = part[0].mean;
  const float inv = 1.0f / sqrtf(part[0].m2 / n + epsilon);
  for (int i = tid; i < n; i += blockDim.x)
    output[base + i] = (input[base + i] - mu) * inv * weight[i] + bias[i];
}

}  // namespace

// Everything already lives on the device.
extern "C" void LayerNorm(float* output, const float* input, const float* weight,
                          const float* bias, int rows, int n, float epsilon) {
  LayerNormKernel<<<rows, 256>>>(n, epsilon, input, weight, bias, output);
  HIP_ASSERT(hipGetLastError());
  HIP_ASSERT(hipDeviceSynchronize());
}
