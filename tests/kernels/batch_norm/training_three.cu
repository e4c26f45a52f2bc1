// Batch statistics in three launches: mean, variance, normalise. Layout (N, C), NHWC flattened.
__global__ void channel_mean(const float *x, float *mean, int n, int c)
{
    int ch = blockIdx.x * blockDim.x + threadIdx.x;
    if (ch >= c) return;
    float s = 0.f;
    for (int i = 0; i < n; i++) s += x[i * c + ch];
    mean[ch] = s / n;
}

__global__ void channel_var(const float *x, const float *mean, float *var, int n, int c)
{
    int ch = blockIdx.x * blockDim.x + threadIdx.x;
    if (ch >= c) return;
    float m = mean[ch], s = 0.f;
    for (int i = 0; i < n; i++) {
        float d = x[i * c + ch] - m;
        s += d * d;
    }
    var[ch] = s / n;
}

__global__ void normalise(float *x, const float *mean, const float *var, float eps, int n, int c)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n * c) return;
    x[i] = (x[i] - mean[i % c]) / sqrtf(var[i % c] + eps);
}

extern "C" void batch_norm_train(float *x, float *mean, float *var, int n, int c, float eps)
{
    float *dx, *dm, *dv;
    cudaMalloc(&dx, sizeof(float) * n * c);
    cudaMalloc(&dm, sizeof(float) * c);
    cudaMalloc(&dv, sizeof(float) * c);
    cudaMemcpy(dx, x, sizeof(float) * n * c, cudaMemcpyHostToDevice);
    channel_mean<<<(c + 31) / 32, 32>>>(dx, dm, n, c);
    channel_var<<<(c + 31) / 32, 32>>>(dx, dm, dv, n, c);
    normalise<<<(n * c + 255) / 256, 256>>>(dx, dm, dv, eps, n, c);
    cudaMemcpy(x, dx, sizeof(float) * n * c, cudaMemcpyDeviceToHost);
    cudaMemcpy(mean, dm, sizeof(float) * c, cudaMemcpyDeviceToHost);
    cudaMemcpy(var, dv, sizeof(float) * c, cudaMemcpyDeviceToHost);
    cudaFree(dx);
    cudaFree(dm);
    cudaFree(dv);
}
