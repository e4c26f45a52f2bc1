#include <hip/hip_runtime.h>

namespace nn {

__device__ float waveSum(float v)
{
#pragma unroll
  for (int m = 1; m < 64; m *= 2) v += __shfl_xor(v, m, 64);
  return v;
}

// Four waves in a block, each computes one output neuron for one sample.
__global__ void denseKernel(const float* __restrict__ x, const float* __restrict__ w,
                            const float* __restrict__ bias, float* __restrict__ y,
                            size_t features, size_t neurons)
{
  const size_t neuron = blockIdx.x * size_t{4} + threadIdx.y;
  const size_t sample = blockIdx.y;
  if (neuron >= neurons) return;
  float acc = 0.0f;
  for (size_t f = threadIdx.x; f < features; f += 64)
    acc += x[sample * features + f] * w[neuron * features + f];
  acc = waveSum(acc);
  if (threadIdx.x == 0) y[sample * neurons + neuron] = acc + bias[neuron];
}

}  // namespace nn

extern "C" hipError_t denseForward(const float* x, const float* w, const float* bias, float* y,
                                   size_t samples, size_t features, size_t neurons)
{
  float* mem = nullptr;
  const size_t nx = samples * features, nw = neurons * features, ny = samples * neurons;
  hipError_t status = hipMalloc((void**)&mem, (nx + nw + neurons + ny) * sizeof(float));
  if (status != hipSuccess) return status;
  float *dx = mem, *dw = dx + nx, *db = dw + nw, *dy = db + neurons;
  hipMemcpy(dx, x, nx * sizeof(float), hipMemcpyHostToDevice);
  hipMemcpy(dw, w, nw * sizeof(float), hipMemcpyHostToDevice);
  hipMemcpy(db, bias, neurons * sizeof(float), hipMemcpyHostToDevice);
  nn::denseKernel<<<dim3((neurons + 3) / 4, samples), dim3(64, 4)>>>(dx, dw, db, dy, features,
                                                                     neurons);
  status = hipGetLastError();
  hipMemcpy(y, dy, ny * sizeof(float), hipMemcpyDeviceToHost);
  hipFree(mem);
  return status;
}
