#include <cuda_runtime.h>

// Depthwise K x K convolution, NCHW, stride 1, "same" padding.
template <int K>
__global__ void dwconv(const float* __restrict__ x, const float* __restrict__ w,
                       float* __restrict__ y, int C, int H, int W)
{
    const int ox = blockIdx.x * blockDim.x + threadIdx.x;
    const int oy = blockIdx.y * blockDim.y + threadIdx.y;
    const int nc = blockIdx.z;
    if (ox >= W || oy >= H) return;

    float taps[K * K];
#pragma unroll
    for (int i = 0; i < K * K; ++i) taps[i] = w[(nc % C) * K * K + i];

    const float* plane = x + nc * H * W;
    float acc = 0.f;
#pragma unroll
    for (int r = 0; r < K; ++r) {
        const int iy = oy + r - K / 2;
        if (iy < 0 || iy >= H) continue;
#pragma unroll
        for (int s = 0; s < K; ++s) {
            const int ix = ox + s - K / 2;
            if (ix >= 0 && ix < W) acc = fmaf(plane[iy * W + ix], taps[r * K + s], acc);
        }
    }
    y[nc * H * W + oy * W + ox] = acc;
}

extern "C" void depthwise3x3(const float* x, const float* w, float* y, int N, int C, int H, int W)
{
    float *dx, *dw, *dy;
    const size_t bytes = sizeof(float) * N * C * H * W;
    cudaMalloc(&dx, bytes);
    cudaMalloc(&dy, bytes);
    cudaMalloc(&dw, sizeof(float) * C * 9);
    cudaMemcpy(dx, x, bytes, cudaMemcpyHostToDevice);
    cudaMemcpy(dw, w, sizeof(float) * C * 9, cudaMemcpyHostToDevice);
    dim3 block(8, 8), grid((W + 7) / 8, (H + 7) / 8, N * C);
    dwconv<3><<<grid, block>>>(dx, dw, dy, C, H, W);
    cudaMemcpy(y, dy, bytes, cudaMemcpyDeviceToHost);
    cudaFree(dx);
    cudaFree(dw);
    cudaFree(dy);
}
