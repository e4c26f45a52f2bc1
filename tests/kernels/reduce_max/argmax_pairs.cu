#include <cuda_runtime.h>
#include <float.h>
#include <limits.h>

// Row maximum and where it is; the smallest index wins a tie.
struct Best { float value; int index; };

__device__ __forceinline__ Best better(Best a, Best b)
{
    return (b.value > a.value || (b.value == a.value && b.index < a.index)) ? b : a;
}

__global__ void row_argmax(const float* x, float* values, int* indices, int n)
{
    Best mine = {-FLT_MAX, INT_MAX};
    for (int i = threadIdx.x; i < n; i += 32) {
        Best c = {x[blockIdx.x * n + i], i};
        mine = better(mine, c);
    }
    for (int d = 16; d; d >>= 1) {
        Best other;
        other.value = __shfl_down_sync(0xffffffff, mine.value, d);
        other.index = __shfl_down_sync(0xffffffff, mine.index, d);
        mine = better(mine, other);
    }
    if (threadIdx.x == 0) {
        values[blockIdx.x] = mine.value;
        indices[blockIdx.x] = mine.index;
    }
}

extern "C" void argmax(const float* x, float* values, int* indices, int rows, int n)
{
    float *dx, *dv;
    int* di;
    cudaMalloc(&dx, sizeof(float) * rows * n);
    cudaMalloc(&dv, sizeof(float) * rows);
    cudaMalloc(&di, sizeof(int) * rows);
    cudaMemcpy(dx, x, sizeof(float) * rows * n, cudaMemcpyHostToDevice);
    row_argmax<<<rows, 32>>>(dx, dv, di, n);
    cudaMemcpy(values, dv, sizeof(float) * rows, cudaMemcpyDeviceToHost);
    cudaMemcpy(indices, di, sizeof(int) * rows, cudaMemcpyDeviceToHost);
    cudaFree(dx);
    cudaFree(dv);
    cudaFree(di);
}
