#include <hip/hip_runtime.h>

// Convolution as im2col followed by a matrix product: two kernels, one workspace.
__global__ void im2col(const float* __restrict__ img, float* __restrict__ col, int H, int W, int C,
                       int R, int S, int P, int Q)
{
    // col is (P*Q, R*S*C)
    const int width = R * S * C;
    const int e = blockIdx.x * blockDim.x + threadIdx.x;
    if (e >= P * Q * width) return;
    const int pix = e / width, tap = e % width;
    const int c = tap % C, s = tap / C % S, r = tap / C / S;
    const int p = pix / Q, q = pix % Q;
    col[e] = img[((p + r) * W + q + s) * C + c];
}

__global__ void gemm_nt(const float* A, const float* B, float* C, int M, int N, int K)
{
    const int m = blockIdx.y * 8 + threadIdx.y;
    const int n = blockIdx.x * 8 + threadIdx.x;
    if (m < M && n < N) {
        float v = 0;
        for (int k = 0; k < K; ++k) v += A[m * K + k] * B[n * K + k];
        C[m * N + n] = v;
    }
}

// img HWC, flt (K, R, S, C), out (P, Q, K); stride 1, no padding
extern "C" void conv2d_im2col(const float* img, const float* flt, float* out, int H, int W, int C,
                              int K, int R, int S)
{
    const int P = H - R + 1, Q = W - S + 1, L = R * S * C;
    float *dimg, *dflt, *dcol, *dout;
    hipMalloc(&dimg, sizeof(float) * H * W * C);
    hipMalloc(&dflt, sizeof(float) * K * L);
    hipMalloc(&dcol, sizeof(float) * P * Q * L);
    hipMalloc(&dout, sizeof(float) * P * Q * K);
    hipMemcpy(dimg, img, sizeof(float) * H * W * C, hipMemcpyHostToDevice);
    hipMemcpy(dflt, flt, sizeof(float) * K * L, hipMemcpyHostToDevice);
    im2col<<<(P * Q * L + 127) / 128, 128>>>(dimg, dcol, H, W, C, R, S, P, Q);
    gemm_nt<<<dim3((K + 7) / 8, (P * Q + 7) / 8), dim3(8, 8)>>>(dcol, dflt, dout, P * Q, K, L);
    hipMemcpy(out, dout, sizeof(float) * P * Q * K, hipMemcpyDeviceToHost);
    hipFree(dimg);
    hipFree(dflt);
    hipFree(dcol);
    hipFree(dout);
}
