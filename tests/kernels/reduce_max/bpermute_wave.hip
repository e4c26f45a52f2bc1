#include <hip/hip_runtime.h>

// Maximum over a wave by bpermute, the result made uniform with readfirstlane.
__device__ int max_over_wave(int v)
{
    const int lane = __lane_id();
    for (int step = 1; step < 64; step <<= 1) {
        // the address is in bytes
        const int other = __builtin_amdgcn_ds_bpermute((lane ^ step) << 2, v);
        v = v > other ? v : other;
    }
    return __builtin_amdgcn_readfirstlane(v);
}

__global__ void tile_max(const int* x, int* out, int n)
{
    const int i = blockIdx.x * 64 + threadIdx.x;
    const int m = max_over_wave(i < n ? x[i] : -2147483647 - 1);
    if (i < n) out[i] = x[i] - m;          // distance to the maximum of the tile
}

extern "C" void below_tile_max(const int* x, int* out, int n)
{
    int *dx, *dout;
    hipMalloc(&dx, n * sizeof(int));
    hipMalloc(&dout, n * sizeof(int));
    hipMemcpy(dx, x, n * sizeof(int), hipMemcpyHostToDevice);
    tile_max<<<(n + 63) / 64, 64>>>(dx, dout, n);
    hipMemcpy(out, dout, n * sizeof(int), hipMemcpyDeviceToHost);
    hipFree(dx);
    hipFree(dout);
}
