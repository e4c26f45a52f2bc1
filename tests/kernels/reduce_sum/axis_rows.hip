#include <hip/hip_runtime.h>
#include <cstdio>
#include <cstdlib>

#define WAVE 64
#define HIP_CHECK(e)                                                              \
    do {                                                                          \
        hipError_t s = (e);                                                       \
        if (s != hipSuccess) {                                                    \
            fprintf(stderr, "HIP: %s (%s:%d)\n", hipGetErrorString(s), __FILE__,  \
                    __LINE__);                                                    \
            exit(1);                                                              \
        }                                                                         \
    } while (0)

// Sum over axis 1 of [outer][reduce][inner].
__global__ void sum_axis1(const float* __restrict__ x, float* __restrict__ y, int reduce, int inner)
{
    const int o = blockIdx.y;
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= inner) return;
    float s = 0.f;
    const float* p = x + (size_t)o * reduce * inner + i;
    for (int r = 0; r < reduce; ++r, p += inner)
        s += *p;
    y[o * inner + i] = s;
}

extern "C" void sum_middle(const float* x, float* y, int outer, int reduce, int inner)
{
    float *dx, *dy;
    HIP_CHECK(hipMalloc(&dx, sizeof(float) * outer * reduce * inner));
    HIP_CHECK(hipMalloc(&dy, sizeof(float) * outer * inner));
    HIP_CHECK(hipMemcpy(dx, x, sizeof(float) * outer * reduce * inner, hipMemcpyHostToDevice));
    sum_axis1<<<dim3((inner + WAVE - 1) / WAVE, outer), WAVE>>>(dx, dy, reduce, inner);
    HIP_CHECK(hipGetLastError());
    HIP_CHECK(hipMemcpy(y, dy, sizeof(float) * outer * inner, hipMemcpyDeviceToHost));
    HIP_CHECK(hipFree(dx));
    HIP_CHECK(hipFree(dy));
}
