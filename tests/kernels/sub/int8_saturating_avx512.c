#include <immintrin.h>
#include <stdint.h>

// Saturating difference of bytes, sixty-four at a time.
void sub_sat(const int8_t *a, const int8_t *b, int8_t *c, int n)
{
    for (int i = 0; i < n; i += 64) {
        __mmask64 k = n - i >= 64 ? ~0ULL : (1ULL << (n - i)) - 1;
        __m512i x = _mm512_maskz_loadu_epi8(k, a + i);
        __m512i y = _mm512_maskz_loadu_epi8(k, b + i);
        _mm512_mask_storeu_epi8(c + i, k, _mm512_subs_epi8(x, y));
    }
}
