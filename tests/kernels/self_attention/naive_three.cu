#include <cuda_runtime.h>
#include <math.h>

// softmax(Q K^T / sqrt(d)) V in three launches over a score buffer. Layout (B*H, S, D).
__global__ void qk_kernel(const float* Q, const float* K, float* scores, int S, int D, float scale)
{
    int key = blockIdx.x * blockDim.x + threadIdx.x;
    int query = blockIdx.y;
    int bh = blockIdx.z;
    if (key >= S) return;
    const float* q = Q + ((size_t)bh * S + query) * D;
    const float* k = K + ((size_t)bh * S + key) * D;
    float dot = 0.f;
    for (int d = 0; d < D; d++) dot += q[d] * k[d];
    scores[((size_t)bh * S + query) * S + key] = dot * scale;
}

__global__ void softmax_rows(float* scores, int S)
{
    float* row = scores + ((size_t)blockIdx.y * gridDim.x + blockIdx.x) * S;
    float m = -INFINITY;
    for (int i = threadIdx.x; i < S; i += 32) m = fmaxf(m, row[i]);
    for (int o = 16; o; o >>= 1) m = fmaxf(m, __shfl_xor_sync(0xffffffffu, m, o));
    float z = 0.f;
    for (int i = threadIdx.x; i < S; i += 32) {
        row[i] = expf(row[i] - m);
        z += row[i];
    }
    for (int o = 16; o; o >>= 1) z += __shfl_xor_sync(0xffffffffu, z, o);
    for (int i = threadIdx.x; i < S; i += 32) row[i] /= z;
}

__global__ void pv_kernel(const float* P, const float* V, float* O, int S, int D)
{
    int d = threadIdx.x;
    int query = blockIdx.x;
    int bh = blockIdx.y;
    float acc = 0.f;
    for (int s = 0; s < S; s++)
        acc += P[((size_t)bh * S + query) * S + s] * V[((size_t)bh * S + s) * D + d];
    O[((size_t)bh * S + query) * D + d] = acc;
}

extern "C" void attention(const float* Q, const float* K, const float* V, float* O, int BH, int S,
                          int D)
{
    const size_t bytes = sizeof(float) * BH * S * D;
    float *q, *k, *v, *o, *p;
    cudaMalloc(&q, bytes);
    cudaMalloc(&k, bytes);
    cudaMalloc(&v, bytes);
    cudaMalloc(&o, bytes);
    cudaMalloc(&p, sizeof(float) * BH * S * S);
    cudaMemcpy(q, Q, bytes, cudaMemcpyHostToDevice);
    cudaMemcpy(k, K, bytes, cudaMemcpyHostToDevice);
    cudaMemcpy(v, V, bytes, cudaMemcpyHostToDevice);
    qk_kernel<<<dim3((S + 31) / 32, S, BH), 32>>>(q, k, p, S, D, 1.0f / sqrtf((float)D));
    softmax_rows<<<dim3(S, BH), 32>>>(p, S);
    pv_kernel<<<dim3(S, BH), D>>>(p, v, o, S, D);
    cudaMemcpy(O, o, bytes, cudaMemcpyDeviceToHost);
    cudaFree(q);
    cudaFree(k);
    cudaFree(v);
    cudaFree(o);
    cudaFree(p);
}
