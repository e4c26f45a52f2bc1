#include <hip/hip_runtime.h>

// Valid correlation of 512 + 4 samples with 5 taps, kept in registers.
constexpr unsigned kTaps = 5;
constexpr unsigned kOut = 512;

__global__ void fir(const float* __restrict__ signal, const float* __restrict__ taps,
                    float* __restrict__ result)
{
    float h[kTaps];
    for (unsigned i = 0; i < kTaps; ++i) h[i] = taps[i];

    const unsigned id = hipThreadIdx_x + hipBlockIdx_x * hipBlockDim_x;
    float sum = 0.f;
    for (unsigned i = 0; i < kTaps; ++i) sum += h[i] * signal[id + i];
    result[id] = sum;
}

extern "C" void run_fir(const float* signal, const float* taps, float* result)
{
    float *s, *t, *r;
    hipStream_t q;
    hipStreamCreate(&q);
    hipMalloc(&s, (kOut + kTaps - 1) * sizeof(float));
    hipMalloc(&t, kTaps * sizeof(float));
    hipMalloc(&r, kOut * sizeof(float));
    hipMemcpyAsync(s, signal, (kOut + kTaps - 1) * sizeof(float), hipMemcpyHostToDevice, q);
    hipMemcpyAsync(t, taps, kTaps * sizeof(float), hipMemcpyHostToDevice, q);
    fir<<<kOut / 128, 128, 0, q>>>(s, t, r);
    hipMemcpyAsync(result, r, kOut * sizeof(float), hipMemcpyDeviceToHost, q);
    hipStreamSynchronize(q);
    hipStreamDestroy(q);
    hipFree(s);
    hipFree(t);
    hipFree(r);
}
