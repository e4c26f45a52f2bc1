#include <hip/hip_runtime.h>

typedef float floatx4 __attribute__((ext_vector_type(4)));
typedef short shortx4 __attribute__((ext_vector_type(4)));

// One wave per 16x16 tile and batch entry: V_MFMA_F32_16X16X16BF16_1K.
// A is [Z][16][K], B is [Z][16][K] (its rows are the columns of the product).
__global__ void bmm_bf16(const unsigned short *A, const unsigned short *B, float *C, int K)
{
    const unsigned short *a = A + blockIdx.x * 16 * K;
    const unsigned short *b = B + blockIdx.x * 16 * K;
    const int r = threadIdx.x % 16;
    const int q = threadIdx.x / 16;
    floatx4 acc = {};
    for (int k = 0; k < K; k += 16) {
        shortx4 fb;
        shortx4 fa;
        for (int i = 0; i < 4; i++) {
            fa[i] = a[r * K + k + q * 4 + i];
            fb[i] = b[r * K + k + q * 4 + i];
        }
        acc = __builtin_amdgcn_mfma_f32_16x16x16bf16_1k(fa, fb, acc, 0, 0, 0);
    }
    for (int i = 0; i < 4; i++) {
        C[blockIdx.x * 256 + (q * 4 + i) * 16 + r] = acc[i];
    }
}
