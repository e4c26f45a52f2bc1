#include <immintrin.h>

static float hmin(__m512 v)
{
    v = _mm512_min_ps(v, _mm512_shuffle_f32x4(v, v, _MM_SHUFFLE(1, 0, 3, 2)));
    v = _mm512_min_ps(v, _mm512_shuffle_f32x4(v, v, _MM_SHUFFLE(2, 3, 0, 1)));
    v = _mm512_min_ps(v, _mm512_permute_ps(v, _MM_SHUFFLE(1, 0, 3, 2)));
    v = _mm512_min_ps(v, _mm512_permute_ps(v, _MM_SHUFFLE(2, 3, 0, 1)));
    return _mm512_cvtss_f32(v);
}

void row_min(const float *x, float *y, int rows, int cols)
{
    for (int r = 0; r < rows; r++) {
        __m512 m = _mm512_set1_ps(3.402823466e+38f);
        for (int c = 0; c + 16 <= cols; c += 16)
            m = _mm512_min_ps(m, _mm512_loadu_ps(x + r * cols + c));
        float least = hmin(m);
        for (int c = cols / 16 * 16; c < cols; c++)
            least = x[r * cols + c] < least ? x[r * cols + c] : least;
        y[r] = least;
    }
}
