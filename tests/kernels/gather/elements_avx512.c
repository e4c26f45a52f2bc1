#include <immintrin.h>

/* table[where[i]], zero outside: a masked gather. */
void gather_or_zero(const float *table, const int *where, float *y, int n, int size)
{
    const __m512i zero = _mm512_setzero_si512(), end = _mm512_set1_epi32(size);
    for (int i = 0; i < n; i += 16) {
        __mmask16 m = n - i >= 16 ? 0xFFFF : (__mmask16)((1u << (n - i)) - 1);
        __m512i at = _mm512_maskz_loadu_epi32(m, where + i);
        __mmask16 ok = _mm512_mask_cmpge_epi32_mask(m, at, zero) & _mm512_mask_cmplt_epi32_mask(m, at, end);
        __m512 v = _mm512_mask_i32gather_ps(_mm512_setzero_ps(), ok, at, table, 4);
        _mm512_mask_storeu_ps(y + i, m, v);
    }
}
