#include <cuda_runtime.h>
#include <math.h>

// Row-wise softmax, one warp per row, four rows per block.

constexpr int kWarp = 32;
constexpr int kRowsPerBlock = 4;

__device__ __forceinline__ float warp_max(float v)
{
    #pragma unroll
    for (int mask = kWarp / 2; mask > 0; mask >>= 1)
        v = fmaxf(v, __shfl_xor_sync(0xffffffffu, v, mask));
    return v;
}

__device__ __forceinline__ float warp_sum(float v)
{
    #pragma unroll
    for (int mask = kWarp / 2; mask > 0; mask >>= 1)
        v += __shfl_xor_sync(0xffffffffu, v, mask);
    return v;
}

__global__ void softmax_kernel(const float* __restrict__ in, float* __restrict__ out,
                               int rows, int cols)
{
    const int row = blockIdx.x * kRowsPerBlock + threadIdx.y;
    if (row >= rows) return;          // a whole warp leaves
    const int lane = threadIdx.x;
    const float* x = in + row * cols;
    float* y = out + row * cols;

    float m = -INFINITY;
    for (int j = lane; j < cols; j += kWarp) m = fmaxf(m, x[j]);
    m = warp_max(m);

    float total = 0.f;
    for (int j = lane; j < cols; j += kWarp) {
        const float e = expf(x[j] - m);
        y[j] = e;
        total += e;
    }
    total = warp_sum(total);

    const float inv = 1.f / total;
    for (int j = lane; j < cols; j += kWarp) y[j] *= inv;
}

extern "C" void softmax(const float* x, float* y, int rows, int cols)
{
    float *dx, *dy;
    const size_t bytes = sizeof(float) * rows * cols;
    cudaMalloc(&dx, bytes);
    cudaMalloc(&dy, bytes);
    cudaMemcpy(dx, x, bytes, cudaMemcpyHostToDevice);
    dim3 block(kWarp, kRowsPerBlock);
    softmax_kernel<<<(rows + kRowsPerBlock - 1) / kRowsPerBlock, block>>>(dx, dy, rows, cols);
    cudaMemcpy(y, dy, bytes, cudaMemcpyDeviceToHost);
    cudaFree(dx);
    cudaFree(dy);
}
