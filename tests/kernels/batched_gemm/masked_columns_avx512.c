#include <immintrin.h>

void bmm(const float *a, const float *b, float *c, int batch, int m, int n, int k)
{
#pragma omp parallel for collapse(2)
    for (int t = 0; t < batch; t++) {
        for (int i = 0; i < m; i++) {
            const float *row = a + (t * m + i) * k;
            for (int j = 0; j < n; j += 16) {
                __mmask16 live = n - j >= 16 ? 0xFFFF : (__mmask16)((1u << (n - j)) - 1);
                __m512 acc = _mm512_setzero_ps();
                for (int p = 0; p < k; p++) {
                    __m512 col = _mm512_maskz_loadu_ps(live, b + (t * k + p) * n + j);
                    acc = _mm512_fmadd_ps(_mm512_set1_ps(row[p]), col, acc);
                }
                _mm512_mask_storeu_ps(c + (t * m + i) * n + j, live, acc);
            }
        }
    }
}
