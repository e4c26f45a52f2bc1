#include <immintrin.h>
#include <stdint.h>

/* s8 x s8: A is moved up by 128, and what that adds (128 times the column's sum) is taken off again.
   B is stored transposed, K a multiple of 64. */
void gemm_s8s8_nt(const int8_t *A, const int8_t *B, int32_t *C, int M, int N, int K)
{
    const __m512i flip = _mm512_set1_epi8((char)0x80);
    const __m512i ones = _mm512_set1_epi8(1);
    for (int j = 0; j < N; j++) {
        __m512i column = _mm512_setzero_si512();
        for (int k = 0; k < K; k += 64)
            column = _mm512_dpbusd_epi32(column, ones, _mm512_loadu_si512(B + j * K + k));
        int32_t extra = 128 * _mm512_reduce_add_epi32(column);
        for (int i = 0; i < M; i++) {
            __m512i acc = _mm512_setzero_si512();
            for (int k = 0; k < K; k += 64) {
                __m512i a = _mm512_xor_si512(_mm512_loadu_si512(A + i * K + k), flip);
                acc = _mm512_dpbusd_epi32(acc, a, _mm512_loadu_si512(B + j * K + k));
            }
            C[i * N + j] = _mm512_reduce_add_epi32(acc) - extra;
        }
    }
}
