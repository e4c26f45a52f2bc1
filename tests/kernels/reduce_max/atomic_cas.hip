#include <hip/hip_runtime.h>
#include <cfloat>

// Maximum of all floats. There is no atomicMax for floats, so a CAS loop does it.
__device__ float atomicMaxFloat(float* address, float val)
{
    int* as_int = (int*)address;
    int old = *as_int, assumed;
    do {
        assumed = old;
        old = atomicCAS(as_int, assumed, __float_as_int(fmaxf(val, __int_as_float(assumed))));
    } while (assumed != old);
    return __int_as_float(old);
}

__global__ void max_kernel(const float* data, float* result, size_t n)
{
    __shared__ float best;
    if (threadIdx.x == 0) best = -FLT_MAX;
    __syncthreads();
    float local = -FLT_MAX;
    for (size_t i = blockIdx.x * (size_t)blockDim.x + threadIdx.x; i < n;
         i += (size_t)blockDim.x * gridDim.x)
        local = fmaxf(local, data[i]);
    atomicMaxFloat(&best, local);
    __syncthreads();
    if (threadIdx.x == 0) atomicMaxFloat(result, best);
}

extern "C" void max_all(const float* data, float* result, size_t n)
{
    float *d, *r;
    float lowest = -FLT_MAX;
    hipMalloc(&d, n * sizeof(float));
    hipMalloc(&r, sizeof(float));
    hipMemcpy(d, data, n * sizeof(float), hipMemcpyHostToDevice);
    hipMemcpy(r, &lowest, sizeof(float), hipMemcpyHostToDevice);
    max_kernel<<<3, 64>>>(d, r, n);
    hipMemcpy(result, r, sizeof(float), hipMemcpyDeviceToHost);
    hipFree(d);
    hipFree(r);
}
