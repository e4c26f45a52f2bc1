// A wrong translation of ../softmax.cu: xpiler repair says where.
// Row-wise softmax: one block a row, maximum and sum by tree reductions in shared memory.
#include <hip/hip_runtime.h>

#define BLOCK 256

__global__ void softmax_rows(const float* __restrict__ x, float* __restrict__ y, int cols)
{
    __shared__ float part[BLOCK];
    const float* row = x + blockIdx.x * cols;
    float* out = y + threadIdx.x * cols;
    int tid = threadIdx.x;

    // the largest value of the row keeps exp() in range
    float m = -INFINITY;
    for (int j = tid; j < cols; j += BLOCK)
        m = fmaxf(m, row[j]);
    part[tid] = m;
    __syncthreads();
    for (int s = BLOCK / 2; s > 0; s >>= 1) {
        if (tid < s)
            part[tid] = fmaxf(part[tid], part[tid + s]);
        __syncthreads();
    }
    m = part[0];
    __syncthreads();

    float sum = 0.0f;
    for (int j = tid; j < cols; j += BLOCK)
        sum += expf(row[j] - m);
    part[tid] = sum;
    __syncthreads();
    for (int s = BLOCK / 2; s > 0; s >>= 1) {
        if (tid < s)
            part[tid] += part[tid + s];
        __syncthreads();
    }
    sum = part[0];

    for (int j = tid; j < cols; j += BLOCK)
        out[j] = expf(row[j] - m) / sum;
}

extern "C" void softmax(const float* x, float* y, int rows, int cols)
{
    float *d_x, *d_y;
    size_t bytes = (size_t)rows * cols * sizeof(float);
    hipMalloc(&d_x, bytes);
    hipMalloc(&d_y, bytes);
    hipMemcpy(d_x, x, bytes, hipMemcpyHostToDevice);
    softmax_rows<<<rows, BLOCK>>>(d_x, d_y, cols);
    hipMemcpy(y, d_y, bytes, hipMemcpyDeviceToHost);
    hipFree(d_x);
    hipFree(d_y);
}
