#include <cuda_fp16.h>

// 16 x 8 tile per warp; operands go through shared memory and are read with ldmatrix.
#define K_TOTAL 64
#define PAD 8

__device__ __forceinline__ void ldmatrix_x4(unsigned (&r)[4], const half* p)
{
    unsigned a = static_cast<unsigned>(__cvta_generic_to_shared(p));
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];\n"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(a));
}

__device__ __forceinline__ void ldmatrix_x2(unsigned (&r)[2], const half* p)
{
    unsigned a = static_cast<unsigned>(__cvta_generic_to_shared(p));
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];\n"
                 : "=r"(r[0]), "=r"(r[1])
                 : "r"(a));
}

__global__ void hgemm_ldm(const half* A, const half* Bt, float* C, int N)
{
    __shared__ __align__(16) half sa[16][K_TOTAL + PAD];
    __shared__ __align__(16) half sb[8][K_TOTAL + PAD];
    const int lane = threadIdx.x;
    for (int e = lane; e < 16 * K_TOTAL; e += 32)
        sa[e / K_TOTAL][e % K_TOTAL] = A[blockIdx.y * 16 * K_TOTAL + e];
    for (int e = lane; e < 8 * K_TOTAL; e += 32)
        sb[e / K_TOTAL][e % K_TOTAL] = Bt[blockIdx.x * 8 * K_TOTAL + e];
    __syncthreads();

    float d0 = 0.f, d1 = 0.f, d2 = 0.f, d3 = 0.f;
    for (int k = 0; k < K_TOTAL; k += 16) {
        unsigned a[4], b[2];
        ldmatrix_x4(a, &sa[lane % 16][k + lane / 16 * 8]);
        ldmatrix_x2(b, &sb[lane % 8][k + lane / 8 % 2 * 8]);
        asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
                     "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};\n"
                     : "+f"(d0), "+f"(d1), "+f"(d2), "+f"(d3)
                     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
    }
    float2* top = reinterpret_cast<float2*>(
        C + (blockIdx.y * 16 + lane / 4) * N + blockIdx.x * 8 + lane % 4 * 2);
    *top = make_float2(d0, d1);
    top[4 * N] = make_float2(d2, d3);      // eight rows below
}

extern "C" void hgemm_32x16(const half* A, const half* Bt, float* C)
{
    half *a, *b;
    float* c;
    cudaMalloc(&a, 32 * K_TOTAL * sizeof(half));
    cudaMalloc(&b, 16 * K_TOTAL * sizeof(half));
    cudaMalloc(&c, 32 * 16 * sizeof(float));
    cudaMemcpy(a, A, 32 * K_TOTAL * sizeof(half), cudaMemcpyHostToDevice);
    cudaMemcpy(b, Bt, 16 * K_TOTAL * sizeof(half), cudaMemcpyHostToDevice);
    hgemm_ldm<<<dim3(2, 2), 32>>>(a, b, c, 16);
    cudaMemcpy(C, c, 32 * 16 * sizeof(float), cudaMemcpyDeviceToHost);
    cudaFree(a);
    cudaFree(b);
    cudaFree(c);
}
