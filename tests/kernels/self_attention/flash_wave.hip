#include <hip/hip_runtime.h>
#include <cfloat>

// Online-softmax attention, a 64-lane wave per query: lanes share the head dimension (64) for
// the output and the keys of a chunk of 64 for the scores. Kernel only.
__global__ void __launch_bounds__(64)
flash_wave(const float* __restrict__ q, const float* __restrict__ k, const float* __restrict__ v,
           float* __restrict__ o, int keys)
{
    constexpr int D = 64;
    __shared__ float qs[D];
    __shared__ float ps[64];
    const int lane = threadIdx.x;
    const int query = blockIdx.x;

    qs[lane] = q[query * D + lane] * 0.125f;
    __syncthreads();

    float running_max = -FLT_MAX, running_sum = 0.f, out = 0.f;
    for (int start = 0; start < keys; start += 64) {
        const int key = start + lane;
        float s = -FLT_MAX;
        if (key < keys) {
            s = 0.f;
            for (int d = 0; d < D; ++d) s += qs[d] * k[key * D + d];
        }
        float chunk_max = s;
        for (int m = 32; m; m >>= 1) chunk_max = fmaxf(chunk_max, __shfl_xor(chunk_max, m));
        const float new_max = fmaxf(running_max, chunk_max);
        const float p = key < keys ? expf(s - new_max) : 0.f;
        float chunk_sum = p;
        for (int m = 32; m; m >>= 1) chunk_sum += __shfl_xor(chunk_sum, m);

        const float correction = expf(running_max - new_max);
        running_sum = running_sum * correction + chunk_sum;
        running_max = new_max;

        ps[lane] = p;
        __syncthreads();
        const int len = min(64, keys - start);
        out *= correction;
        for (int j = 0; j < len; ++j) out += ps[j] * v[(start + j) * D + lane];
        __syncthreads();
    }
    o[query * D + lane] = out / running_sum;
}
