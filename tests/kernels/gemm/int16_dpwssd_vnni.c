#include <immintrin.h>
#include <stdint.h>

void gemm_i16_nt(const int16_t *a, const int16_t *b, int *c, int m, int n, int k)
{
    for (int i = 0; i < m; ++i) {
        for (int j = 0; j < n; ++j) {
            __m512i sum = _mm512_setzero_si512();
            int p = 0;
            for (; p + 32 <= k; p += 32)
                sum = _mm512_dpwssd_epi32(sum, _mm512_loadu_epi16(a + i * k + p), _mm512_loadu_epi16(b + j * k + p));
            int total = _mm512_reduce_add_epi32(sum);
            for (; p < k; ++p)
                total += a[i * k + p] * b[j * k + p];
            c[i * n + j] = total;
        }
    }
}
