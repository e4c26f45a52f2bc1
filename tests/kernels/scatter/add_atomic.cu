#include <cuda_runtime.h>

// out[index[i], :] += src[i, :] with atomics, several sources may meet in one row
__global__ void scatter_add(const float* __restrict__ src, const int* __restrict__ index,
                            float* __restrict__ out, int n, int d)
{
    const int total = n * d;
    for (int e = blockIdx.x * blockDim.x + threadIdx.x; e < total; e += blockDim.x * gridDim.x) {
        const int i = e / d;
        atomicAdd(out + index[i] * d + e % d, src[e]);
    }
}

extern "C" void segment_sum(const float* src, const int* index, float* out, int n, int d,
                            int segments)
{
    float *ds, *dout;
    int* di;
    cudaMalloc(&ds, sizeof(float) * n * d);
    cudaMalloc(&di, sizeof(int) * n);
    cudaMalloc(&dout, sizeof(float) * segments * d);
    cudaMemcpy(ds, src, sizeof(float) * n * d, cudaMemcpyHostToDevice);
    cudaMemcpy(di, index, sizeof(int) * n, cudaMemcpyHostToDevice);
    cudaMemset(dout, 0, sizeof(float) * segments * d);
    scatter_add<<<2, 128>>>(ds, di, dout, n, d);
    cudaMemcpy(out, dout, sizeof(float) * segments * d, cudaMemcpyDeviceToHost);
    cudaFree(ds);
    cudaFree(di);
    cudaFree(dout);
}
