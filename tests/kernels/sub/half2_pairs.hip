#include <hip/hip_runtime.h>
#include <hip/hip_fp16.h>

// Two halves at a time; an odd last element is handled by the thread after the last pair.
__global__ void sub_half2(const __half* a, const __half* b, __half* c, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    int pairs = n >> 1;
    if (i < pairs) {
        const __half2* a2 = reinterpret_cast<const __half2*>(a);
        const __half2* b2 = reinterpret_cast<const __half2*>(b);
        reinterpret_cast<__half2*>(c)[i] = __hsub2(a2[i], b2[i]);
    } else if (i == pairs && (n & 1)) {
        c[n - 1] = __hsub(a[n - 1], b[n - 1]);
    }
}

extern "C" void sub_f16(const __half* a, const __half* b, __half* c, int n) {
    __half *da, *db, *dc;
    hipMalloc(&da, n * sizeof(__half));
    hipMalloc(&db, n * sizeof(__half));
    hipMalloc(&dc, n * sizeof(__half));
    hipMemcpy(da, a, n * sizeof(__half), hipMemcpyHostToDevice);
    hipMemcpy(db, b, n * sizeof(__half), hipMemcpyHostToDevice);
    int threads = 64;
    int blocks = ((n + 1) / 2 + threads - 1) / threads;
    sub_half2<<<blocks, threads>>>(da, db, dc, n);
    hipMemcpy(c, dc, n * sizeof(__half), hipMemcpyDeviceToHost);
    hipFree(da);
    hipFree(db);
    hipFree(dc);
}
