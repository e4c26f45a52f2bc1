#include <hip/hip_runtime.h>
#include <hip/hip_fp16.h>

// Lookup in a half table with a padding token whose embedding is zero.
template <int PAD>
__global__ void lookup(const __half2* __restrict__ table, const int* __restrict__ ids,
                       __half2* __restrict__ out, int pairs)
{
    const int id = ids[blockIdx.x];
    for (int p = threadIdx.x; p < pairs; p += blockDim.x) {
        __half2 v = __floats2half2_rn(0.f, 0.f);
        if (id != PAD) v = table[(size_t)id * pairs + p];
        out[(size_t)blockIdx.x * pairs + p] = v;
    }
}

extern "C" void embedding_f16(const __half* table, const int* ids, __half* out, int vocab,
                              int tokens, int dim)
{
    __half *dt, *dout;
    int* di;
    hipMalloc(&dt, sizeof(__half) * vocab * dim);
    hipMalloc(&dout, sizeof(__half) * tokens * dim);
    hipMalloc(&di, sizeof(int) * tokens);
    hipMemcpy(dt, table, sizeof(__half) * vocab * dim, hipMemcpyHostToDevice);
    hipMemcpy(di, ids, sizeof(int) * tokens, hipMemcpyHostToDevice);
    lookup<0><<<tokens, 64>>>((const __half2*)dt, di, (__half2*)dout, dim / 2);
    hipMemcpy(out, dout, sizeof(__half) * tokens * dim, hipMemcpyDeviceToHost);
    hipFree(dt);
    hipFree(dout);
    hipFree(di);
}
