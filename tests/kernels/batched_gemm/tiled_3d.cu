#include <cuda_runtime.h>

#define TS 8

// C[b] = A[b] * B[b]; blockIdx.z runs over the batch.
template <typename scalar_t>
__global__ void bmm_kernel(const scalar_t* __restrict__ A, const scalar_t* __restrict__ B,
                           scalar_t* __restrict__ C, int M, int N, int K)
{
    __shared__ scalar_t As[TS][TS + 1], Bs[TS][TS + 1];
    A += (size_t)blockIdx.z * M * K;
    B += (size_t)blockIdx.z * K * N;
    C += (size_t)blockIdx.z * M * N;
    const int i = blockIdx.y * TS + threadIdx.y;
    const int j = blockIdx.x * TS + threadIdx.x;

    scalar_t acc = scalar_t(0);
    for (int k0 = 0; k0 < K; k0 += TS) {
        As[threadIdx.y][threadIdx.x] = (i < M && k0 + threadIdx.x < K) ? A[i * K + k0 + threadIdx.x] : scalar_t(0);
        Bs[threadIdx.y][threadIdx.x] = (k0 + threadIdx.y < K && j < N) ? B[(k0 + threadIdx.y) * N + j] : scalar_t(0);
        __syncthreads();
        for (int k = 0; k < TS; ++k) acc += As[threadIdx.y][k] * Bs[k][threadIdx.x];
        __syncthreads();
    }
    if (i < M && j < N) C[i * N + j] = acc;
}

template <typename scalar_t>
static void bmm(const scalar_t* A, const scalar_t* B, scalar_t* C, int batch, int M, int N, int K)
{
    scalar_t *a, *b, *c;
    cudaMalloc(&a, sizeof(scalar_t) * batch * M * K);
    cudaMalloc(&b, sizeof(scalar_t) * batch * K * N);
    cudaMalloc(&c, sizeof(scalar_t) * batch * M * N);
    cudaMemcpy(a, A, sizeof(scalar_t) * batch * M * K, cudaMemcpyHostToDevice);
    cudaMemcpy(b, B, sizeof(scalar_t) * batch * K * N, cudaMemcpyHostToDevice);
    dim3 grid((N + TS - 1) / TS, (M + TS - 1) / TS, batch), block(TS, TS);
    bmm_kernel<scalar_t><<<grid, block>>>(a, b, c, M, N, K);
    cudaMemcpy(C, c, sizeof(scalar_t) * batch * M * N, cudaMemcpyDeviceToHost);
    cudaFree(a);
    cudaFree(b);
    cudaFree(c);
}

extern "C" void bmm_f32(const float* A, const float* B, float* C, int batch, int M, int N, int K)
{
    bmm<float>(A, B, C, batch, M, N, K);
}
