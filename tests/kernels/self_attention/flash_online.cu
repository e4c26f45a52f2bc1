#include <cuda_runtime.h>
#include <cfloat>

// Flash-style forward pass: tiles of keys and values in shared memory, online softmax, one
// query per thread. Head size is a template argument.
template <int HEAD, int TILE_KV>
__global__ void flash_forward(const float* __restrict__ Q, const float* __restrict__ K,
                              const float* __restrict__ V, float* __restrict__ O, int seq,
                              float scale, bool causal)
{
    __shared__ float Ks[TILE_KV][HEAD];
    __shared__ float Vs[TILE_KV][HEAD];
    const int q_idx = blockIdx.x * blockDim.x + threadIdx.x;
    const size_t head_base = (size_t)blockIdx.y * seq * HEAD;
    const bool active = q_idx < seq;

    float q[HEAD], acc[HEAD];
#pragma unroll
    for (int d = 0; d < HEAD; ++d) {
        q[d] = active ? Q[head_base + q_idx * HEAD + d] * scale : 0.f;
        acc[d] = 0.f;
    }
    float m = -FLT_MAX, l = 0.f;

    for (int base = 0; base < seq; base += TILE_KV) {
        const int len = min(TILE_KV, seq - base);
        __syncthreads();
        for (int e = threadIdx.x; e < len * HEAD; e += blockDim.x) {
            Ks[e / HEAD][e % HEAD] = K[head_base + base * HEAD + e];
            Vs[e / HEAD][e % HEAD] = V[head_base + base * HEAD + e];
        }
        __syncthreads();
        if (!active) continue;

        for (int j = 0; j < len; ++j) {
            if (causal && base + j > q_idx) break;
            float s = 0.f;
#pragma unroll
            for (int d = 0; d < HEAD; ++d) s += q[d] * Ks[j][d];
            const float m_new = fmaxf(m, s);
            const float shrink = __expf(m - m_new);
            const float p = __expf(s - m_new);
            l = l * shrink + p;
#pragma unroll
            for (int d = 0; d < HEAD; ++d) acc[d] = acc[d] * shrink + p * Vs[j][d];
            m = m_new;
        }
    }
    if (active)
        for (int d = 0; d < HEAD; ++d) O[head_base + q_idx * HEAD + d] = acc[d] / l;
}

extern "C" void flash_attention(const float* Q, const float* K, const float* V, float* O,
                                int heads, int seq)
{
    constexpr int HEAD = 16;
    const size_t n = (size_t)heads * seq * HEAD;
    float *dq, *dk, *dv, *dout;
    cudaMalloc(&dq, n * sizeof(float));
    cudaMalloc(&dk, n * sizeof(float));
    cudaMalloc(&dv, n * sizeof(float));
    cudaMalloc(&dout, n * sizeof(float));
    cudaMemcpy(dq, Q, n * sizeof(float), cudaMemcpyHostToDevice);
    cudaMemcpy(dk, K, n * sizeof(float), cudaMemcpyHostToDevice);
    cudaMemcpy(dv, V, n * sizeof(float), cudaMemcpyHostToDevice);
    flash_forward<HEAD, 8><<<dim3((seq + 31) / 32, heads), 32>>>(dq, dk, dv, dout, seq, 0.25f, true);
    cudaMemcpy(O, dout, n * sizeof(float), cudaMemcpyDeviceToHost);
    cudaFree(dq);
    cudaFree(dk);
    cudaFree(dv);
    cudaFree(dout);
}
