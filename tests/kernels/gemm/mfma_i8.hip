#include <hip/hip_runtime.h>
#include <cstdint>

typedef int int32x4_t __attribute__((ext_vector_type(4)));

// int8 GEMM, C[M,N] = A[M,K] * B[K,N], per wave 16x16, sixteen k at a time.
__device__ inline int pack4(int8_t a, int8_t b, int8_t c, int8_t d)
{
    return (uint8_t)a | ((uint8_t)b << 8) | ((uint8_t)c << 16) | ((unsigned)(uint8_t)d << 24);
}

__global__ void igemm_kernel(const int8_t* A, const int8_t* B, int32_t* C, int M, int N, int K)
{
    const int r = threadIdx.x & 15, q = threadIdx.x >> 4;
    const int m = blockIdx.x * 16 + r;
    const int n = blockIdx.y * 16 + r;
    int32x4_t acc = {0, 0, 0, 0};
    for (int k = q * 4; k < K; k += 16) {
        const int a = pack4(A[m * K + k], A[m * K + k + 1], A[m * K + k + 2], A[m * K + k + 3]);
        const int b = pack4(B[k * N + n], B[(k + 1) * N + n], B[(k + 2) * N + n], B[(k + 3) * N + n]);
        acc = __builtin_amdgcn_mfma_i32_16x16x16i8(a, b, acc, 0, 0, 0);
    }
    for (int i = 0; i < 4; i++)
        C[(blockIdx.x * 16 + q * 4 + i) * N + n] = acc[i];
}

// M, N, K are multiples of 16.
extern "C" void igemm_i8(const int8_t* A, const int8_t* B, int32_t* C, int M, int N, int K)
{
    int8_t *da, *db;
    int32_t* dc;
    hipMalloc((void**)&da, (size_t)M * K);
    hipMalloc((void**)&db, (size_t)K * N);
    hipMalloc((void**)&dc, (size_t)M * N * sizeof(int32_t));
    hipMemcpy(da, A, (size_t)M * K, hipMemcpyHostToDevice);
    hipMemcpy(db, B, (size_t)K * N, hipMemcpyHostToDevice);
    igemm_kernel<<<dim3(M / 16, N / 16), 64>>>(da, db, dc, M, N, K);
    hipMemcpy(C, dc, (size_t)M * N * sizeof(int32_t), hipMemcpyDeviceToHost);
    hipFree(da);
    hipFree(db);
    hipFree(dc);
}
