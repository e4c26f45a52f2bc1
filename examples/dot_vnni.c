#include <immintrin.h>
#include <stdint.h>

/* y = A x for unsigned rows and a signed vector; n is a multiple of 64. */
void gemv_u8s8(const uint8_t *a, const int8_t *x, int32_t *y, int m, int n)
{
    for (int i = 0; i < m; i++) {
        __m512i sum = _mm512_setzero_si512();
        for (int j = 0; j < n; j += 64) {
            __m512i row = _mm512_loadu_si512(a + i * n + j);
            __m512i part = _mm512_loadu_si512(x + j);
            sum = _mm512_dpbusd_epi32(sum, row, part);
        }
        y[i] = _mm512_reduce_add_epi32(sum);
    }
}
