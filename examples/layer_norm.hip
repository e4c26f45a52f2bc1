// Layer normalisation: one 64-lane wave a row, sums by cross-lane shuffles.
#include <hip/hip_runtime.h>

#define WAVE 64

__device__ float wave_sum(float v)
{
    for (int offset = WAVE / 2; offset > 0; offset /= 2)
        v += __shfl_xor(v, offset);
    return v;
}

__global__ void layer_norm_kernel(const float* x, const float* gamma, const float* beta, float* y,
                                  int rows, int width, float eps)
{
    int row = blockIdx.x * blockDim.y + threadIdx.y;
    if (row >= rows)
        return;
    const float* in = x + row * width;
    float sum = 0.0f;
    for (int i = threadIdx.x; i < width; i += WAVE)
        sum += in[i];
    float mean = wave_sum(sum) / width;

    float squares = 0.0f;
    for (int i = threadIdx.x; i < width; i += WAVE) {
        float d = in[i] - mean;
        squares += d * d;
    }
    float scale = rsqrtf(wave_sum(squares) / width + eps);
    for (int i = threadIdx.x; i < width; i += WAVE)
        y[row * width + i] = (in[i] - mean) * scale * gamma[i] + beta[i];
}

// Device pointers.
void layer_norm(const float* x, const float* gamma, const float* beta, float* y, int rows,
                int width, float eps, hipStream_t stream)
{
    dim3 block(WAVE, 4);
    hipLaunchKernelGGL(layer_norm_kernel, dim3((rows + 3) / 4), block, 0, stream, x, gamma, beta, y,
                       rows, width, eps);
}
