#include <cuda_runtime.h>
#include <math.h>

// Loss per row and gradient in one kernel: block per row, 64 threads.
__global__ void cross_entropy(const float* __restrict__ logits, const int* __restrict__ target,
                              float* __restrict__ loss, float* __restrict__ grad, int classes,
                              float scale)
{
    __shared__ float red[64];
    const float* z = logits + blockIdx.x * classes;
    float* g = grad + blockIdx.x * classes;
    const int t = threadIdx.x;

    float m = -INFINITY;
    for (int c = t; c < classes; c += 64) m = fmaxf(m, z[c]);
    red[t] = m;
    __syncthreads();
    for (int s = 32; s > 0; s >>= 1) {
        if (t < s) red[t] = fmaxf(red[t], red[t + s]);
        __syncthreads();
    }
    m = red[0];
    __syncthreads();

    float sum = 0.f;
    for (int c = t; c < classes; c += 64) sum += expf(z[c] - m);
    red[t] = sum;
    __syncthreads();
    for (int s = 32; s > 0; s >>= 1) {
        if (t < s) red[t] += red[t + s];
        __syncthreads();
    }
    sum = red[0];

    const int y = target[blockIdx.x];
    if (t == 0) loss[blockIdx.x] = logf(sum) + m - z[y];
    for (int c = t; c < classes; c += 64)
        g[c] = (expf(z[c] - m) / sum - (c == y ? 1.f : 0.f)) * scale;
}

extern "C" void softmax_cross_entropy(const float* logits, const int* target, float* loss,
                                      float* grad, int batch, int classes)
{
    float *dl, *dloss, *dg;
    int* dt;
    cudaMalloc(&dl, sizeof(float) * batch * classes);
    cudaMalloc(&dg, sizeof(float) * batch * classes);
    cudaMalloc(&dloss, sizeof(float) * batch);
    cudaMalloc(&dt, sizeof(int) * batch);
    cudaMemcpy(dl, logits, sizeof(float) * batch * classes, cudaMemcpyHostToDevice);
    cudaMemcpy(dt, target, sizeof(int) * batch, cudaMemcpyHostToDevice);
    cross_entropy<<<batch, 64>>>(dl, dt, dloss, dg, classes, 1.0f / batch);
    cudaMemcpy(loss, dloss, sizeof(float) * batch, cudaMemcpyDeviceToHost);
    cudaMemcpy(grad, dg, sizeof(float) * batch * classes, cudaMemcpyDeviceToHost);
    cudaFree(dl);
    cudaFree(dg);
    cudaFree(dloss);
    cudaFree(dt);
}
