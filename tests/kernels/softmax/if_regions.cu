#include <cuda_runtime.h>

#ifndef USE_FAST_EXP
#define USE_FAST_EXP 1
#endif

#if USE_FAST_EXP
#define EXP(x) __expf(x)
#else
#define EXP(x) expf(x)
#endif

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 700
#error "needs independent thread scheduling"
#endif

// Masked softmax of fp32 scores. The dynamic shared memory is a byte buffer that is carved by
// hand: first the scores, then one flag per element, then two floats.
__global__ void masked_softmax(const float* scores, const unsigned char* mask, float* probs, int n)
{
    extern __shared__ unsigned char raw[];
    float* s = reinterpret_cast<float*>(raw);
    float* result = s + n;                                        // maximum, sum
    unsigned char* keep = reinterpret_cast<unsigned char*>(result + 2);

    const int row = blockIdx.x;
    for (int i = threadIdx.x; i < n; i += blockDim.x) {
        s[i] = scores[row * n + i];
        keep[i] = mask[row * n + i] & 1;
    }
    __syncthreads();

    if (threadIdx.x == 0) {
        float m = -1e30f;
        for (int i = 0; i < n; ++i)
            if (keep[i] && s[i] > m) m = s[i];
        float z = 0.f;
        for (int i = 0; i < n; ++i)
            if (keep[i]) z += EXP(s[i] - m);
        result[0] = m;
        result[1] = z;
    }
    __syncthreads();

    const float m = result[0], z = result[1];
    for (int i = threadIdx.x; i < n; i += blockDim.x)
        probs[row * n + i] = (keep[i] && z > 0.f) ? EXP(s[i] - m) / z : 0.f;
}

extern "C" void softmax_masked(const float* scores, const unsigned char* mask, float* probs,
                               int rows, int n)
{
    float *ds, *dp;
    unsigned char* dm;
    cudaMalloc(&ds, sizeof(float) * rows * n);
    cudaMalloc(&dp, sizeof(float) * rows * n);
    cudaMalloc(&dm, rows * n);
    cudaMemcpy(ds, scores, sizeof(float) * rows * n, cudaMemcpyHostToDevice);
    cudaMemcpy(dm, mask, rows * n, cudaMemcpyHostToDevice);
    const size_t bytes = n * sizeof(float) + 2 * sizeof(float) + n;
    masked_softmax<<<rows, 32, bytes>>>(ds, dm, dp, n);
    cudaMemcpy(probs, dp, sizeof(float) * rows * n, cudaMemcpyDeviceToHost);
    cudaFree(ds);
    cudaFree(dp);
    cudaFree(dm);
}
