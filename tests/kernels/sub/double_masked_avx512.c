#include <immintrin.h>

void vsub(const double *x, const double *y, double *z, unsigned n)
{
    for (unsigned i = 0; i < n; i += 8) {
        unsigned left = n - i;
        __mmask8 m = left >= 8 ? 0xFF : (__mmask8)((1u << left) - 1u);
        __m512d d = _mm512_maskz_sub_pd(m, _mm512_maskz_loadu_pd(m, &x[i]), _mm512_maskz_loadu_pd(m, &y[i]));
        _mm512_mask_storeu_pd(&z[i], m, d);
    }
}
