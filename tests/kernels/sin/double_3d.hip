#include <hip/hip_runtime.h>

// 3-D grid over a (d, h, w) volume
__global__ void sin3d(const double* __restrict__ v, double* __restrict__ r, int w, int h, int d)
{
    int x = blockIdx.x * blockDim.x + threadIdx.x;
    int y = blockIdx.y * blockDim.y + threadIdx.y;
    int z = blockIdx.z * blockDim.z + threadIdx.z;
    if (x >= w || y >= h || z >= d) return;
    int at = (z * h + y) * w + x;
    r[at] = sin(v[at]);
}

extern "C" void sin_volume(const double* v, double* r, int w, int h, int d)
{
    double *dv, *dr;
    const size_t bytes = sizeof(double) * w * h * d;
    hipMalloc(&dv, bytes);
    hipMalloc(&dr, bytes);
    hipMemcpy(dv, v, bytes, hipMemcpyHostToDevice);
    dim3 block(8, 4, 2);
    dim3 grid((w + block.x - 1) / block.x, (h + block.y - 1) / block.y, (d + block.z - 1) / block.z);
    sin3d<<<grid, block>>>(dv, dr, w, h, d);
    hipMemcpy(r, dr, bytes, hipMemcpyDeviceToHost);
    hipFree(dv);
    hipFree(dr);
}
