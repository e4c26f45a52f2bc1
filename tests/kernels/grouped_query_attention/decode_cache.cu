#include <cuda_runtime.h>
#include <math.h>

// One decoding step with a KV cache: heads share keys and values in groups.
// q (B, Hq, D), caches (B, T, Hkv, D), out (B, Hq, D); one block per (head, batch).
__global__ void gqa_decode(const float* __restrict__ q, const float* __restrict__ kcache,
                           const float* __restrict__ vcache, float* __restrict__ out, int T,
                           int Hq, int Hkv, int D)
{
    extern __shared__ float sh[];
    float* att = sh;             // T
    float* query = sh + T;       // D
    const int h = blockIdx.x, b = blockIdx.y;
    const int kvh = h / (Hq / Hkv);

    for (int d = threadIdx.x; d < D; d += blockDim.x) query[d] = q[(b * Hq + h) * D + d];
    __syncthreads();

    for (int t = threadIdx.x; t < T; t += blockDim.x) {
        const float* key = kcache + ((b * T + t) * Hkv + kvh) * D;
        float s = 0.f;
        for (int d = 0; d < D; ++d) s += query[d] * key[d];
        att[t] = s * rsqrtf((float)D);
    }
    __syncthreads();

    // every thread runs the small softmax for itself
    float m = att[0];
    for (int t = 1; t < T; ++t) m = fmaxf(m, att[t]);
    float z = 0.f;
    for (int t = 0; t < T; ++t) z += __expf(att[t] - m);

    for (int d = threadIdx.x; d < D; d += blockDim.x) {
        float acc = 0.f;
        for (int t = 0; t < T; ++t)
            acc += __expf(att[t] - m) * vcache[((b * T + t) * Hkv + kvh) * D + d];
        out[(b * Hq + h) * D + d] = acc / z;
    }
}

extern "C" void gqa_step(const float* q, const float* kcache, const float* vcache, float* out,
                         int B, int T, int Hq, int Hkv, int D)
{
    const size_t nq = (size_t)B * Hq * D, nkv = (size_t)B * T * Hkv * D;
    float *dq, *dk, *dv, *dout;
    cudaMalloc(&dq, nq * sizeof(float));
    cudaMalloc(&dk, nkv * sizeof(float));
    cudaMalloc(&dv, nkv * sizeof(float));
    cudaMalloc(&dout, nq * sizeof(float));
    cudaMemcpy(dq, q, nq * sizeof(float), cudaMemcpyHostToDevice);
    cudaMemcpy(dk, kcache, nkv * sizeof(float), cudaMemcpyHostToDevice);
    cudaMemcpy(dv, vcache, nkv * sizeof(float), cudaMemcpyHostToDevice);
    gqa_decode<<<dim3(Hq, B), 32, (T + D) * sizeof(float)>>>(dq, dk, dv, dout, T, Hq, Hkv, D);
    cudaMemcpy(out, dout, nq * sizeof(float), cudaMemcpyDeviceToHost);
    cudaFree(dq);
    cudaFree(dk);
    cudaFree(dv);
    cudaFree(dout);
}
