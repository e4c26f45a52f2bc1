// dst[where[i]] = src[i]; the indices are a permutation
__global__ void scatter(const float *src, const int *where, float *dst, int n)
{
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n)
        dst[where[i]] = src[i];
}

extern "C" void scatter_permute(const float *src, const int *where, float *dst, int n)
{
    float *s, *d;
    int *w;
    cudaMalloc(&s, n * sizeof(float));
    cudaMalloc(&d, n * sizeof(float));
    cudaMalloc(&w, n * sizeof(int));
    cudaMemcpy(s, src, n * sizeof(float), cudaMemcpyHostToDevice);
    cudaMemcpy(w, where, n * sizeof(int), cudaMemcpyHostToDevice);
    scatter<<<(n + 63) / 64, 64>>>(s, w, d, n);
    cudaMemcpy(dst, d, n * sizeof(float), cudaMemcpyDeviceToHost);
    cudaFree(s);
    cudaFree(d);
    cudaFree(w);
}
