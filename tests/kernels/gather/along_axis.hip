#include <hip/hip_runtime.h>

// out[b][i][d] = in[b][idx[b][i][d]][d]; an index below zero counts from the end
__global__ void take_along_axis(const float* in, const int* idx, float* out, int B, int N, int I,
                                int D)
{
    const int d = threadIdx.x + blockIdx.x * blockDim.x;
    const int i = blockIdx.y;
    const int b = blockIdx.z;
    if (d >= D) return;
    int k = idx[(b * I + i) * D + d];
    if (k < 0) k += N;
    out[(b * I + i) * D + d] = in[(b * N + k) * D + d];
}

extern "C" void gather(const float* in, const int* idx, float* out, int B, int N, int I, int D)
{
    float *x, *y;
    int* k;
    hipMalloc(&x, sizeof(float) * B * N * D);
    hipMalloc(&y, sizeof(float) * B * I * D);
    hipMalloc(&k, sizeof(int) * B * I * D);
    hipMemcpy(x, in, sizeof(float) * B * N * D, hipMemcpyHostToDevice);
    hipMemcpy(k, idx, sizeof(int) * B * I * D, hipMemcpyHostToDevice);
    take_along_axis<<<dim3((D + 31) / 32, I, B), 32>>>(x, k, y, B, N, I, D);
    hipMemcpy(out, y, sizeof(float) * B * I * D, hipMemcpyDeviceToHost);
    hipFree(x);
    hipFree(y);
    hipFree(k);
}
