#include <cuda_fp16.h>

// Half matrix, half vector, sums kept in half2: two products per instruction.
__global__ void hgemv(const half* __restrict__ A, const half* __restrict__ x, half* __restrict__ y,
                      int cols)
{
    const half2* row = reinterpret_cast<const half2*>(A + (size_t)blockIdx.x * cols);
    const half2* vec = reinterpret_cast<const half2*>(x);
    half2 acc = __float2half2_rn(0.f);
    for (int j = threadIdx.x; j < cols / 2; j += 32) acc = __hfma2(row[j], vec[j], acc);
    float s = __low2float(acc) + __high2float(acc);
    s += __shfl_xor_sync(0xffffffff, s, 16);
    s += __shfl_xor_sync(0xffffffff, s, 8);
    s += __shfl_xor_sync(0xffffffff, s, 4);
    s += __shfl_xor_sync(0xffffffff, s, 2);
    s += __shfl_xor_sync(0xffffffff, s, 1);
    if (threadIdx.x == 0) y[blockIdx.x] = __float2half(s);
}

extern "C" void gemv_half(const half* A, const half* x, half* y, int rows, int cols)
{
    half *da, *dx, *dy;
    cudaMalloc(&da, sizeof(half) * rows * cols);
    cudaMalloc(&dx, sizeof(half) * cols);
    cudaMalloc(&dy, sizeof(half) * rows);
    cudaMemcpy(da, A, sizeof(half) * rows * cols, cudaMemcpyHostToDevice);
    cudaMemcpy(dx, x, sizeof(half) * cols, cudaMemcpyHostToDevice);
    hgemv<<<rows, 32>>>(da, dx, dy, cols);
    cudaMemcpy(y, dy, sizeof(half) * rows, cudaMemcpyDeviceToHost);
    cudaFree(da);
    cudaFree(dx);
    cudaFree(dy);
}
