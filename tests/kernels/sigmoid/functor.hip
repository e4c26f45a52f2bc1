#include <hip/hip_runtime.h>

namespace act {
struct Sigmoid {
    __device__ float operator()(float x) const { return 1.0f / (1.0f + expf(-x)); }
};

struct Silu {
    __device__ float operator()(float x) const { return x / (1.0f + expf(-x)); }
};

template <class Op, int kItems>
__global__ void map(const float* src, float* dst, int n, Op op)
{
    const int start = (blockIdx.x * blockDim.x) * kItems + threadIdx.x;
#pragma unroll
    for (int k = 0; k < kItems; ++k) {
        const int i = start + k * blockDim.x;
        if (i < n) dst[i] = op(src[i]);
    }
}
}  // namespace act

extern "C" void sigmoid_and_silu(const float* x, float* sig, float* silu, int n)
{
    float *dx, *ds, *dl;
    hipMalloc(&dx, n * sizeof(float));
    hipMalloc(&ds, n * sizeof(float));
    hipMalloc(&dl, n * sizeof(float));
    hipMemcpy(dx, x, n * sizeof(float), hipMemcpyHostToDevice);

    constexpr int kItems = 3;
    constexpr int kBlock = 64;
    const int grid = (n + kItems * kBlock - 1) / (kItems * kBlock);
    act::map<act::Sigmoid, kItems><<<grid, kBlock>>>(dx, ds, n, act::Sigmoid());
    act::map<act::Silu, kItems><<<grid, kBlock>>>(dx, dl, n, act::Silu());

    hipMemcpy(sig, ds, n * sizeof(float), hipMemcpyDeviceToHost);
    hipMemcpy(silu, dl, n * sizeof(float), hipMemcpyDeviceToHost);
    hipFree(dx);
    hipFree(ds);
    hipFree(dl);
}
