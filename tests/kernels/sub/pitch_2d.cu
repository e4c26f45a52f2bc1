#include <cuda_runtime.h>

// C = A - B on row-pitched images; rows are `pitch` elements apart, `w` of them count.
__global__ void subtract2d_f32(const float* __restrict__ A, const float* __restrict__ B,
                               float* __restrict__ C, unsigned w, unsigned h, unsigned pitch)
{
    const unsigned x = blockIdx.x * blockDim.x + threadIdx.x;
    const unsigned y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x < w && y < h) {
        const unsigned at = y * pitch + x;
        C[at] = A[at] - B[at];
    }
}

extern "C" void image_subtract(const float* a, const float* b, float* c, unsigned w, unsigned h)
{
    float *da, *db, *dc;
    size_t bytes = (size_t)w * h * sizeof(float);
    if (cudaMalloc(&da, bytes) || cudaMalloc(&db, bytes) || cudaMalloc(&dc, bytes)) return;
    cudaMemcpy(da, a, bytes, cudaMemcpyDefault);
    cudaMemcpy(db, b, bytes, cudaMemcpyDefault);
    const dim3 threads(16, 4);
    const dim3 blocks((w + threads.x - 1) / threads.x, (h + threads.y - 1) / threads.y);
    subtract2d_f32<<<blocks, threads>>>(da, db, dc, w, h, w);
    cudaMemcpy(c, dc, bytes, cudaMemcpyDefault);
    cudaFree(da), cudaFree(db), cudaFree(dc);
}
