#include <cuda_runtime.h>
#include <math.h>

__device__ inline float lerp(float start, float end, float weight)
{
    return fmaf(weight, end, fmaf(-weight, start, start));
}

// AdamW, one thread a parameter
__global__ void adamw_kernel(float* params, const float* grads, float* m, float* v, long n,
                             float lr, float beta1, float beta2, float corr1, float corr2,
                             float eps, float decay)
{
    const long i = (long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    const float g = grads[i];
    const float mi = lerp(g, m[i], beta1);
    const float vi = lerp(g * g, v[i], beta2);
    m[i] = mi;
    v[i] = vi;
    params[i] -= lr * (mi / corr1 / (sqrtf(vi / corr2) + eps) + decay * params[i]);
}

extern "C" void adamw(float* params, const float* grads, float* m, float* v, int n, int step,
                      float lr, float beta1, float beta2, float eps, float decay)
{
    float* all;
    const size_t bytes = n * sizeof(float);
    cudaMalloc(&all, 4 * bytes);
    float *dp = all, *dg = all + n, *dm = all + 2 * n, *dv = all + 3 * n;
    cudaMemcpy(dp, params, bytes, cudaMemcpyHostToDevice);
    cudaMemcpy(dg, grads, bytes, cudaMemcpyHostToDevice);
    cudaMemcpy(dm, m, bytes, cudaMemcpyHostToDevice);
    cudaMemcpy(dv, v, bytes, cudaMemcpyHostToDevice);
    const float corr1 = 1.0f - powf(beta1, (float)step);
    const float corr2 = 1.0f - powf(beta2, (float)step);
    adamw_kernel<<<(n + 127) / 128, 128>>>(dp, dg, dm, dv, n, lr, beta1, beta2, corr1, corr2, eps,
                                           decay);
    cudaMemcpy(params, dp, bytes, cudaMemcpyDeviceToHost);
    cudaMemcpy(m, dm, bytes, cudaMemcpyDeviceToHost);
    cudaMemcpy(v, dv, bytes, cudaMemcpyDeviceToHost);
    cudaFree(all);
}
