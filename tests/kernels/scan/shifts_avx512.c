#include <immintrin.h>

/* Running sum of 16 numbers in a register by shifting lanes and adding; a carry goes on. */
void prefix_sum(const int *x, int *y, int n)
{
    const __m512i zero = _mm512_setzero_si512();
    int carry = 0;
    int i = 0;
    for (; i + 16 <= n; i += 16) {
        __m512i v = _mm512_loadu_si512((const void *)(x + i));
        v = _mm512_add_epi32(v, _mm512_alignr_epi32(v, zero, 15));
        v = _mm512_add_epi32(v, _mm512_alignr_epi32(v, zero, 14));
        v = _mm512_add_epi32(v, _mm512_alignr_epi32(v, zero, 12));
        v = _mm512_add_epi32(v, _mm512_alignr_epi32(v, zero, 8));
        v = _mm512_add_epi32(v, _mm512_set1_epi32(carry));
        _mm512_storeu_si512((void *)(y + i), v);
        carry = y[i + 15];
    }
    for (; i < n; i++) {
        carry += x[i];
        y[i] = carry;
    }
}
