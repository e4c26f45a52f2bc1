#include <hip/hip_runtime.h>

// A tiled product that forgets the barrier after the inner loop: a fast wave overwrites the
// tile which a slow one still reads.
#define T 16

__global__ void matmul(const float* a, const float* b, float* c, int n)
{
    __shared__ float as[T][T];
    __shared__ float bs[T][T];
    const int row = blockIdx.y * T + threadIdx.y;
    const int col = blockIdx.x * T + threadIdx.x;
    float sum = 0.f;
    for (int k0 = 0; k0 < n; k0 += T) {
        as[threadIdx.y][threadIdx.x] = a[row * n + k0 + threadIdx.x];
        bs[threadIdx.y][threadIdx.x] = b[(k0 + threadIdx.y) * n + col];
        __syncthreads();
        for (int k = 0; k < T; ++k) sum += as[threadIdx.y][k] * bs[k][threadIdx.x];
    }
    c[row * n + col] = sum;
}

extern "C" void matmul_48(const float* a, const float* b, float* c)
{
    const int n = 48;
    float *da, *db, *dc;
    hipMalloc(&da, sizeof(float) * n * n);
    hipMalloc(&db, sizeof(float) * n * n);
    hipMalloc(&dc, sizeof(float) * n * n);
    hipMemcpy(da, a, sizeof(float) * n * n, hipMemcpyHostToDevice);
    hipMemcpy(db, b, sizeof(float) * n * n, hipMemcpyHostToDevice);
    matmul<<<dim3(n / T, n / T), dim3(T, T)>>>(da, db, dc, n);
    hipMemcpy(c, dc, sizeof(float) * n * n, hipMemcpyDeviceToHost);
    hipFree(da);
    hipFree(db);
    hipFree(dc);
}
