#include <immintrin.h>
#include <stdint.h>
#include <string.h>

// u8 x s8 -> s32. B is packed in groups of four rows: B[k / 4][n][k % 4]; N a multiple of 16, K of 4.
void gemm_u8s8(const uint8_t *A, const int8_t *B4, int32_t *C, int M, int N, int K)
{
    for (int i = 0; i < M; i++) {
        for (int j = 0; j < N; j += 16) {
            __m512i acc = _mm512_setzero_si512();
            for (int k = 0; k < K; k += 4) {
                int32_t four;
                memcpy(&four, A + i * K + k, 4);
                __m512i a = _mm512_set1_epi32(four);
                __m512i b = _mm512_loadu_si512((const void *)(B4 + (k / 4 * N + j) * 4));
                acc = _mm512_dpbusd_epi32(acc, a, b);
            }
            _mm512_storeu_si512((void *)(C + i * N + j), acc);
        }
    }
}
