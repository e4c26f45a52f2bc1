#include <hip/hip_runtime.h>

#define DIM 24
#define HIDDEN 72

// One block a token; the hidden activations never leave LDS. SwiGLU.
__global__ void __launch_bounds__(HIDDEN)
swiglu_fused(const float* __restrict__ X, const float* __restrict__ Wgate,
             const float* __restrict__ Wup, const float* __restrict__ Wdown, float* __restrict__ Y)
{
    __shared__ float x[DIM];
    __shared__ float h[HIDDEN];
    const int t = threadIdx.x;

    if (t < DIM) x[t] = X[blockIdx.x * DIM + t];
    __syncthreads();

    float gate = 0.0f, up = 0.0f;
    for (int d = 0; d < DIM; ++d) {
        gate += x[d] * Wgate[d * HIDDEN + t];
        up   += x[d] * Wup[d * HIDDEN + t];
    }
    h[t] = gate * (1.0f / (1.0f + __expf(-gate))) * up;
    __syncthreads();

    if (t < DIM) {
        float y = 0.0f;
        for (int j = 0; j < HIDDEN; ++j) y += h[j] * Wdown[j * DIM + t];
        Y[blockIdx.x * DIM + t] = y;
    }
}

extern "C" void swiglu(const float* X, const float* Wgate, const float* Wup, const float* Wdown,
                       float* Y, int tokens)
{
    float *x, *wg, *wu, *wd, *y;
    hipMalloc(&x, sizeof(float) * tokens * DIM);
    hipMalloc(&wg, sizeof(float) * DIM * HIDDEN);
    hipMalloc(&wu, sizeof(float) * DIM * HIDDEN);
    hipMalloc(&wd, sizeof(float) * DIM * HIDDEN);
    hipMalloc(&y, sizeof(float) * tokens * DIM);
    hipMemcpy(x, X, sizeof(float) * tokens * DIM, hipMemcpyHostToDevice);
    hipMemcpy(wg, Wgate, sizeof(float) * DIM * HIDDEN, hipMemcpyHostToDevice);
    hipMemcpy(wu, Wup, sizeof(float) * DIM * HIDDEN, hipMemcpyHostToDevice);
    hipMemcpy(wd, Wdown, sizeof(float) * DIM * HIDDEN, hipMemcpyHostToDevice);
    swiglu_fused<<<tokens, HIDDEN>>>(x, wg, wu, wd, y);
    hipMemcpy(Y, y, sizeof(float) * tokens * DIM, hipMemcpyDeviceToHost);
    hipFree(x);
    hipFree(wg);
    hipFree(wu);
    hipFree(wd);
    hipFree(y);
}
