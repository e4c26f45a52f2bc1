#include <immintrin.h>

/* Sum of the rows of a bag; indices are read once a row. */
void bag(const float *table, const int *ids, float *out, int bags, int per_bag, int dim, int vocab)
{
    (void)vocab;
    for (int b = 0; b < bags; b++)
        for (int d = 0; d < dim; d += 16) {
            __mmask16 m = dim - d >= 16 ? 0xFFFF : (__mmask16)((1u << (dim - d)) - 1);
            __m512 s = _mm512_setzero_ps();
            for (int t = 0; t < per_bag; t++)
                s = _mm512_add_ps(s, _mm512_maskz_loadu_ps(m, table + ids[b * per_bag + t] * dim + d));
            _mm512_mask_storeu_ps(out + b * dim + d, m, s);
        }
}
