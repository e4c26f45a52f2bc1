#include <hip/hip_runtime.h>

// Counts of floats in `bins` equal cells of [lo, hi); what lies outside goes to the end cells.
__global__ void hist(const float* x, int* counts, int n, int bins, float lo, float scale)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int b = (int)floorf((x[i] - lo) * scale);
    b = b < 0 ? 0 : b;
    b = b >= bins ? bins - 1 : b;
    atomicAdd(&counts[b], 1);
}

extern "C" void float_histogram(const float* x, int* counts, int n, int bins)
{
    float* dx;
    int* dc;
    hipMalloc(&dx, n * sizeof(float));
    hipMalloc(&dc, bins * sizeof(int));
    hipMemcpy(dx, x, n * sizeof(float), hipMemcpyHostToDevice);
    hipMemset(dc, 0, bins * sizeof(int));
    // the unit interval
    hist<<<(n + 63) / 64, 64>>>(dx, dc, n, bins, 0.0f, (float)bins);
    hipMemcpy(counts, dc, bins * sizeof(int), hipMemcpyDeviceToHost);
    hipFree(dx);
    hipFree(dc);
}
