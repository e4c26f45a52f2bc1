#include <hip/hip_runtime.h>
#include <hip/hip_fp16.h>
#include <cfloat>

// Grouped-query attention over a whole prompt, causal. Half tensors, float arithmetic.
// (H, S, D) queries, (H / GROUP, S, D) keys and values. A wave per (query, head).
template <int GROUP, int D>
__global__ void gqa_prefill(const __half* Q, const __half* K, const __half* V, __half* O, int S)
{
    static_assert(D <= 64, "one lane per output element");
    const int lane = threadIdx.x;
    const int i = blockIdx.x;
    const int head = blockIdx.y;
    const int kv = head / GROUP;
    const float q = lane < D ? __half2float(Q[((size_t)head * S + i) * D + lane]) : 0.f;

    float m = -FLT_MAX, l = 0.f, acc = 0.f;
    for (int j = 0; j <= i; ++j) {
        const size_t at = ((size_t)kv * S + j) * D + lane;
        float dot = lane < D ? q * __half2float(K[at]) : 0.f;
        for (int w = 32; w >= 1; w >>= 1) dot += __shfl_xor(dot, w, 64);
        dot *= rsqrtf((float)D);
        const float nm = dot > m ? dot : m;
        const float scale = expf(m - nm), p = expf(dot - nm);
        l = l * scale + p;
        acc = acc * scale + (lane < D ? p * __half2float(V[at]) : 0.f);
        m = nm;
    }
    if (lane < D) O[((size_t)head * S + i) * D + lane] = __float2half(acc / l);
}

extern "C" void gqa_4_2(const __half* Q, const __half* K, const __half* V, __half* O, int S)
{
    enum { H = 4, GROUP = 2, D = 40 };
    const size_t nq = (size_t)H * S * D, nkv = nq / GROUP;
    __half *q, *k, *v, *o;
    hipMalloc(&q, nq * sizeof(__half));
    hipMalloc(&k, nkv * sizeof(__half));
    hipMalloc(&v, nkv * sizeof(__half));
    hipMalloc(&o, nq * sizeof(__half));
    hipMemcpy(q, Q, nq * sizeof(__half), hipMemcpyHostToDevice);
    hipMemcpy(k, K, nkv * sizeof(__half), hipMemcpyHostToDevice);
    hipMemcpy(v, V, nkv * sizeof(__half), hipMemcpyHostToDevice);
    gqa_prefill<GROUP, D><<<dim3(S, H), 64>>>(q, k, v, o, S);
    hipMemcpy(O, o, nq * sizeof(__half), hipMemcpyDeviceToHost);
    hipFree(q);
    hipFree(k);
    hipFree(v);
    hipFree(o);
}
