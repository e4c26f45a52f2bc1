#include <cuda_fp16.h>
#include <cstdint>

// D(16x8) += A(16x16) * B(16x8) per warp by mma.sync; A row-major, B^T row-major (B "col").
__device__ __forceinline__ void mma_m16n8k16(float (&d)[4], const uint32_t (&a)[4],
                                             const uint32_t (&b)[2])
{
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
        "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};\n"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

__device__ __forceinline__ uint32_t two_halves(const half* p)
{
    return *reinterpret_cast<const uint32_t*>(p);
}

// grid (N/8, M/16), one warp each
__global__ void hgemm_nt(const half* __restrict__ A, const half* __restrict__ Bt,
                         float* __restrict__ C, int M, int N, int K)
{
    const int lane = threadIdx.x;
    const int g = lane >> 2;
    const int t = (lane & 3) * 2;
    const half* a = A + blockIdx.y * 16 * K;
    const half* b = Bt + blockIdx.x * 8 * K;
    float acc[4] = {0.f, 0.f, 0.f, 0.f};

    for (int k0 = 0; k0 < K; k0 += 16) {
        uint32_t af[4], bf[2];
        af[0] = two_halves(a + g * K + k0 + t);
        af[1] = two_halves(a + (g + 8) * K + k0 + t);
        af[2] = two_halves(a + g * K + k0 + t + 8);
        af[3] = two_halves(a + (g + 8) * K + k0 + t + 8);
        bf[0] = two_halves(b + g * K + k0 + t);
        bf[1] = two_halves(b + g * K + k0 + t + 8);
        mma_m16n8k16(acc, af, bf);
    }

    float* c = C + blockIdx.y * 16 * N + blockIdx.x * 8;
    c[g * N + t] = acc[0];
    c[g * N + t + 1] = acc[1];
    c[(g + 8) * N + t] = acc[2];
    c[(g + 8) * N + t + 1] = acc[3];
}

extern "C" void hgemm(const half* A, const half* Bt, float* C, int M, int N, int K)
{
    half *da, *db;
    float* dc;
    cudaMalloc(&da, sizeof(half) * M * K);
    cudaMalloc(&db, sizeof(half) * N * K);
    cudaMalloc(&dc, sizeof(float) * M * N);
    cudaMemcpy(da, A, sizeof(half) * M * K, cudaMemcpyHostToDevice);
    cudaMemcpy(db, Bt, sizeof(half) * N * K, cudaMemcpyHostToDevice);
    hgemm_nt<<<dim3(N / 8, M / 16), 32>>>(da, db, dc, M, N, K);
    cudaMemcpy(C, dc, sizeof(float) * M * N, cudaMemcpyDeviceToHost);
    cudaFree(da);
    cudaFree(db);
    cudaFree(dc);
}
