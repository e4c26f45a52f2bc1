#include <hip/hip_runtime.h>

using floatx4 = __attribute__((__vector_size__(4 * sizeof(float)))) float;

// 16x16 tile of D = A * B per wavefront with V_MFMA_F32_16X16X4F32.
//   A: row = lane % 16, k = lane / 16;  B: column = lane % 16, k = lane / 16
//   D: register r holds row 4 * (lane / 16) + r, column lane % 16
__global__ void sgemm_16x16x4(const float* A, const float* B, float* D, int M, int N, int K)
{
    const int lane = threadIdx.x;
    const int lo = lane % 16;
    const int hi = lane / 16;
    const float* a = A + (blockIdx.y * 16 + lo) * K + hi;
    const float* b = B + hi * N + blockIdx.x * 16 + lo;

    floatx4 acc = {0};
    for (int k = 0; k < K; k += 4) {
        acc = __builtin_amdgcn_mfma_f32_16x16x4f32(*a, *b, acc, 0, 0, 0);
        a += 4;
        b += 4 * N;
    }

    float* d = D + (blockIdx.y * 16 + 4 * hi) * N + blockIdx.x * 16 + lo;
    for (int r = 0; r < 4; ++r) d[r * N] = acc[r];
}

extern "C" void matmul_mfma(const float* A, const float* B, float* D)
{
    const int M = 32, N = 64, K = 24;
    float *dA, *dB, *dD;
    hipMalloc((void**)&dA, M * K * sizeof(float));
    hipMalloc((void**)&dB, K * N * sizeof(float));
    hipMalloc((void**)&dD, M * N * sizeof(float));
    hipMemcpy(dA, A, M * K * sizeof(float), hipMemcpyHostToDevice);
    hipMemcpy(dB, B, K * N * sizeof(float), hipMemcpyHostToDevice);
    hipLaunchKernelGGL(sgemm_16x16x4, dim3(N / 16, M / 16), dim3(64), 0, 0, dA, dB, dD, M, N, K);
    hipMemcpy(D, dD, M * N * sizeof(float), hipMemcpyDeviceToHost);
    hipFree(dA);
    hipFree(dB);
    hipFree(dD);
}
