#include <hip/hip_runtime.h>
#include <cstdio>
#include <cstdlib>

#define CHECK(cmd)                                                     \
    {                                                                  \
        hipError_t error = cmd;                                        \
        if (error != hipSuccess) {                                     \
            fprintf(stderr, "error: '%s'(%d) at %s:%d\n",              \
                    hipGetErrorString(error), error, __FILE__, __LINE__); \
            exit(EXIT_FAILURE);                                        \
        }                                                              \
    }

// Grouped convolution with strides; 1-D grid over all outputs.
template <typename T, int KH, int KW>
__global__ void conv_grouped(const T* in, const T* wgt, T* out, int N, int Cin, int Hin, int Win,
                             int Cout, int groups, int sh, int sw)
{
    const int Ho = (Hin - KH) / sh + 1;
    const int Wo = (Win - KW) / sw + 1;
    const int gid = blockIdx.x * blockDim.x + threadIdx.x;
    if (gid >= N * Cout * Ho * Wo) return;

    int rest = gid;
    const int wo = rest % Wo; rest /= Wo;
    const int ho = rest % Ho; rest /= Ho;
    const int co = rest % Cout;
    const int n = rest / Cout;

    const int per_group_in = Cin / groups;
    const int g = co / (Cout / groups);
    T sum = 0;
    for (int ci = 0; ci < per_group_in; ++ci) {
        const T* plane = in + ((n * Cin + g * per_group_in + ci) * Hin + ho * sh) * Win + wo * sw;
        const T* taps = wgt + (co * per_group_in + ci) * KH * KW;
#pragma unroll
        for (int r = 0; r < KH; ++r)
#pragma unroll
            for (int s = 0; s < KW; ++s)
                sum += plane[r * Win + s] * taps[r * KW + s];
    }
    out[gid] = sum;
}

extern "C" void conv2d_grouped_3x2(const float* in, const float* wgt, float* out, int N, int Cin,
                                   int Hin, int Win, int Cout, int groups, int sh, int sw)
{
    const int Ho = (Hin - 3) / sh + 1, Wo = (Win - 2) / sw + 1;
    const size_t in_bytes = sizeof(float) * N * Cin * Hin * Win;
    const size_t w_bytes = sizeof(float) * Cout * (Cin / groups) * 6;
    const size_t out_bytes = sizeof(float) * N * Cout * Ho * Wo;
    float *d_in, *d_w, *d_out;
    CHECK(hipMalloc(&d_in, in_bytes));
    CHECK(hipMalloc(&d_w, w_bytes));
    CHECK(hipMalloc(&d_out, out_bytes));
    CHECK(hipMemcpy(d_in, in, in_bytes, hipMemcpyHostToDevice));
    CHECK(hipMemcpy(d_w, wgt, w_bytes, hipMemcpyHostToDevice));
    const int total = N * Cout * Ho * Wo;
    conv_grouped<float, 3, 2><<<(total + 63) / 64, 64>>>(d_in, d_w, d_out, N, Cin, Hin, Win, Cout,
                                                         groups, sh, sw);
    CHECK(hipGetLastError());
    CHECK(hipMemcpy(out, d_out, out_bytes, hipMemcpyDeviceToHost));
    CHECK(hipFree(d_in));
    CHECK(hipFree(d_w));
    CHECK(hipFree(d_out));
}
