#include <hip/hip_runtime.h>
#include <cmath>

#define BLOCK 128

// One block per query row; scores stay in dynamic LDS. Q, K, V, O are (B, S, H, D).
__global__ void mha_row(const float* Q, const float* K, const float* V, float* O, int S, int H,
                        int D)
{
    HIP_DYNAMIC_SHARED(float, score)
    __shared__ float tmp[BLOCK];
    const int tid = threadIdx.x;
    const int s = blockIdx.x, h = blockIdx.y, b = blockIdx.z;
    const float* q = Q + ((b * S + s) * H + h) * D;
    const float scale = 1.0f / sqrtf((float)D);

    float peak = -INFINITY;
    for (int t = tid; t < S; t += BLOCK) {
        const float* k = K + ((b * S + t) * H + h) * D;
        float dot = 0.f;
        for (int d = 0; d < D; ++d) dot += q[d] * k[d];
        score[t] = dot * scale;
        peak = fmaxf(peak, score[t]);
    }
    tmp[tid] = peak;
    __syncthreads();
    for (int w = BLOCK / 2; w > 0; w >>= 1) {
        if (tid < w) tmp[tid] = fmaxf(tmp[tid], tmp[tid + w]);
        __syncthreads();
    }
    peak = tmp[0];
    __syncthreads();

    float sum = 0.f;
    for (int t = tid; t < S; t += BLOCK) {
        score[t] = expf(score[t] - peak);
        sum += score[t];
    }
    tmp[tid] = sum;
    __syncthreads();
    for (int w = BLOCK / 2; w > 0; w >>= 1) {
        if (tid < w) tmp[tid] += tmp[tid + w];
        __syncthreads();
    }
    const float inv = 1.0f / tmp[0];

    for (int d = tid; d < D; d += BLOCK) {
        float acc = 0.f;
        for (int t = 0; t < S; ++t) acc += score[t] * V[((b * S + t) * H + h) * D + d];
        O[((b * S + s) * H + h) * D + d] = acc * inv;
    }
}

extern "C" void mha(const float* Q, const float* K, const float* V, float* O, int B, int S, int H,
                    int D)
{
    const size_t bytes = sizeof(float) * B * S * H * D;
    float* dev[4];
    for (int i = 0; i < 4; ++i) hipMalloc((void**)&dev[i], bytes);
    hipMemcpy(dev[0], Q, bytes, hipMemcpyHostToDevice);
    hipMemcpy(dev[1], K, bytes, hipMemcpyHostToDevice);
    hipMemcpy(dev[2], V, bytes, hipMemcpyHostToDevice);
    hipLaunchKernelGGL(mha_row, dim3(S, H, B), dim3(BLOCK), S * sizeof(float), 0, dev[0], dev[1],
                       dev[2], dev[3], S, H, D);
    hipMemcpy(O, dev[3], bytes, hipMemcpyDeviceToHost);
    for (int i = 0; i < 4; ++i) hipFree(dev[i]);
}
