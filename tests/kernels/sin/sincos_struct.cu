#include <cuda_runtime.h>

struct Params {
    float frequency;
    float phase;
    int n;
};

// A wave sampled at x: both quadratures through one float2 store.
__global__ void wave(const float* x, float2* out, Params p)
{
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= p.n) return;
    const float arg = p.frequency * x[i] + p.phase;
    out[i] = make_float2(sinf(arg), cosf(arg));
}

extern "C" void sample_wave(const float* x, float* out, int n, float frequency, float phase)
{
    float* dx;
    float2* dout;
    cudaMalloc(&dx, n * sizeof(*dx));
    cudaMalloc(&dout, n * sizeof(*dout));
    cudaMemcpy(dx, x, n * sizeof(*dx), cudaMemcpyHostToDevice);
    Params p = {frequency, phase, n};
    wave<<<(n + 31) / 32, 32>>>(dx, dout, p);
    cudaMemcpy(out, dout, n * sizeof(*dout), cudaMemcpyDeviceToHost);
    cudaFree(dx);
    cudaFree(dout);
}
