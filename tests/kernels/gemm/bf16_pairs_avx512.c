#include <immintrin.h>
#include <stdint.h>

// bfloat16 in, float out. b2 holds two rows of B side by side: b2[k / 2][n][k % 2].
void gemm_bf16(const uint16_t *a, const uint16_t *b2, float *c, int m, int n, int k)
{
    for (int i = 0; i < m; i++) {
        for (int j = 0; j < n; j += 16) {
            __m512 acc = _mm512_setzero_ps();
            for (int p = 0; p < k; p += 2) {
                int pair = a[i * k + p] | (int)((unsigned)a[i * k + p + 1] << 16);
                __m512bh x = (__m512bh)_mm512_set1_epi32(pair);
                __m512bh y = (__m512bh)_mm512_loadu_si512(b2 + (p / 2 * n + j) * 2);
                acc = _mm512_dpbf16_ps(acc, x, y);
            }
            _mm512_storeu_ps(c + i * n + j, acc);
        }
    }
}
