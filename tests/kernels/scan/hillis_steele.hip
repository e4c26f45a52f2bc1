#include <hip/hip_runtime.h>

// Inclusive scan of up to 256 values per row by doubling steps, two buffers in LDS.
__global__ void inclusive_scan(const float* in, float* out, int n)
{
    __shared__ float buf[2][256];
    const int t = threadIdx.x;
    float* cur = buf[0];
    float* nxt = buf[1];
    cur[t] = t < n ? in[blockIdx.x * n + t] : 0.f;
    __syncthreads();
    for (int step = 1; step < n; step <<= 1) {
        nxt[t] = t >= step ? cur[t] + cur[t - step] : cur[t];
        __syncthreads();
        float* swap = cur;
        cur = nxt;
        nxt = swap;
    }
    if (t < n) out[blockIdx.x * n + t] = cur[t];
}

extern "C" int scan_rows(const float* in, float* out, int rows, int n)
{
    if (n > 256) return -1;
    float *a, *b;
    hipMalloc(&a, sizeof(float) * rows * n);
    hipMalloc(&b, sizeof(float) * rows * n);
    hipMemcpy(a, in, sizeof(float) * rows * n, hipMemcpyHostToDevice);
    inclusive_scan<<<rows, 256>>>(a, b, n);
    hipMemcpy(out, b, sizeof(float) * rows * n, hipMemcpyDeviceToHost);
    hipFree(a);
    hipFree(b);
    return 0;
}
