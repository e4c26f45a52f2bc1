#include <hip/hip_runtime.h>

// Row sums with a 256-thread block: wavefronts first, then across wavefronts.
template <typename Acc>
__device__ Acc wave_reduce(Acc v) {
    for (int offset = warpSize >> 1; offset > 0; offset >>= 1)
        v += __shfl_down(v, offset);
    return v;
}

extern "C" __global__ void row_sum_f64(const float* in, double* out, int len) {
    __shared__ double per_wave[16];
    double acc = 0.0;
    for (int j = threadIdx.x; j < len; j += blockDim.x)
        acc += (double)in[blockIdx.x * (size_t)len + j];
    acc = wave_reduce(acc);
    const int wave = threadIdx.x / warpSize;
    if (threadIdx.x % warpSize == 0) per_wave[wave] = acc;
    __syncthreads();
    if (threadIdx.x == 0) {
        double total = 0.0;
        for (unsigned w = 0; w < (blockDim.x + warpSize - 1) / warpSize; ++w) total += per_wave[w];
        out[blockIdx.x] = total;
    }
}
