#include <immintrin.h>
#include <stdint.h>

/* The bins of sixty-four bytes are found at once, the counting is scalar. */
void histogram(const uint8_t *x, int *bins, int n)
{
    for (int b = 0; b < 64; b++)
        bins[b] = 0;
    int i = 0;
    for (; i + 16 <= n; i += 16) {
        int at[16];
        __m512i v = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(x + i)));
        _mm512_storeu_si512(at, _mm512_srli_epi32(v, 2));
        for (int j = 0; j < 16; j++)
            bins[at[j]]++;
    }
    for (; i < n; i++)
        bins[x[i] / 4]++;
}
