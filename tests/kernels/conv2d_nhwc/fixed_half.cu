#include <cuda_fp16.h>

// 1x1 batch, 10x10x8 half input, 3x3 filters, 16 outputs, valid; RSCK filter layout.
#define IN 10
#define CIN 8
#define COUT 16
#define KS 3
#define OUT (IN - KS + 1)

__global__ void conv_half(const half* __restrict__ x, const half* __restrict__ w,
                          half* __restrict__ y)
{
    __shared__ half patch[KS][KS][CIN];
    const int oy = blockIdx.y, ox = blockIdx.x, k = threadIdx.x;
    for (int i = threadIdx.x; i < KS * KS * CIN; i += COUT) {
        const int c = i % CIN, s = i / CIN % KS, r = i / (CIN * KS);
        patch[r][s][c] = x[((oy + r) * IN + ox + s) * CIN + c];
    }
    __syncthreads();
    float acc = 0.f;
#pragma unroll
    for (int r = 0; r < KS; ++r)
#pragma unroll
        for (int s = 0; s < KS; ++s)
            for (int c = 0; c < CIN; ++c)
                acc += __half2float(patch[r][s][c]) *
                       __half2float(w[((r * KS + s) * CIN + c) * COUT + k]);
    y[(oy * OUT + ox) * COUT + k] = __float2half(acc);
}

extern "C" void conv_nhwc_half(const half* x, const half* w, half* y)
{
    half *dx, *dw, *dy;
    cudaMalloc((void**)&dx, IN * IN * CIN * sizeof(half));
    cudaMalloc((void**)&dw, KS * KS * CIN * COUT * sizeof(half));
    cudaMalloc((void**)&dy, OUT * OUT * COUT * sizeof(half));
    cudaMemcpy(dx, x, IN * IN * CIN * sizeof(half), cudaMemcpyHostToDevice);
    cudaMemcpy(dw, w, KS * KS * CIN * COUT * sizeof(half), cudaMemcpyHostToDevice);
    dim3 grid(OUT, OUT);
    conv_half<<<grid, COUT>>>(dx, dw, dy);
    cudaMemcpy(y, dy, OUT * OUT * COUT * sizeof(half), cudaMemcpyDeviceToHost);
    cudaFree(dx);
    cudaFree(dw);
    cudaFree(dy);
}
