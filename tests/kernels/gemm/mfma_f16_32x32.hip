#include <hip/hip_runtime.h>

typedef _Float16 f16x4 __attribute__((ext_vector_type(4)));
typedef float f32x16 __attribute__((ext_vector_type(16)));

#define TILE 32
#define KSTEP 8

/* A: [M][K] half, B: [N][K] half (transposed), C: [M][N] float.  M, N multiples of 32, K of 8. */
__global__ void hgemm_mfma(const _Float16* __restrict__ A, const _Float16* __restrict__ B,
                           float* __restrict__ C, unsigned N, unsigned K)
{
    unsigned l    = threadIdx.x;
    unsigned idx  = l & 31u;
    unsigned half = l >> 5;
    const _Float16* pa = A + (blockIdx.y * TILE + idx) * K + half * 4;
    const _Float16* pb = B + (blockIdx.x * TILE + idx) * K + half * 4;

    f32x16 acc = {};
    for (unsigned k = 0; k < K; k += KSTEP) {
        f16x4 a = *(const f16x4*)(pa + k);
        f16x4 b = *(const f16x4*)(pb + k);
        acc = __builtin_amdgcn_mfma_f32_32x32x8f16(a, b, acc, 0, 0, 0);
    }

    for (int v = 0; v < 16; ++v) {
        unsigned row = 8 * (v / 4) + 4 * half + v % 4;
        C[(blockIdx.y * TILE + row) * N + blockIdx.x * TILE + idx] = acc[v];
    }
}
