#include <hip/hip_runtime.h>

// Counting without atomics.
__global__ void count(const int* keys, int* bins, int n)
{
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) bins[keys[i]]++;
}

extern "C" void count_keys(const int* keys, int* bins, int n)
{
    int *k, *b;
    hipMalloc(&k, n * sizeof(int));
    hipMalloc(&b, 8 * sizeof(int));
    hipMemset(b, 0, 8 * sizeof(int));
    hipMemcpy(k, keys, n * sizeof(int), hipMemcpyHostToDevice);
    count<<<(n + 63) / 64, 64>>>(k, b, n);
    hipMemcpy(bins, b, 8 * sizeof(int), hipMemcpyDeviceToHost);
    hipFree(k);
    hipFree(b);
}
