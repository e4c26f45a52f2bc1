#include <cuda_runtime.h>

template <class T>
__device__ void exchange(T& a, T& b)
{
    T t = a;
    a = b;
    b = t;
}

// In place: the thread above the diagonal exchanges both elements.
__global__ void transpose_inplace(short* m, int n)
{
    const int j = blockIdx.x * blockDim.x + threadIdx.x;
    const int i = blockIdx.y * blockDim.y + threadIdx.y;
    if (i < n && j < n && i < j) exchange(m[i * n + j], m[j * n + i]);
}

extern "C" void transpose_i16(short* m, int n)
{
    short* d;
    cudaMalloc(&d, sizeof(short) * n * n);
    cudaMemcpy(d, m, sizeof(short) * n * n, cudaMemcpyHostToDevice);
    transpose_inplace<<<dim3((n + 7) / 8, (n + 7) / 8), dim3(8, 8)>>>(d, n);
    cudaMemcpy(m, d, sizeof(short) * n * n, cudaMemcpyDeviceToHost);
    cudaFree(d);
}
