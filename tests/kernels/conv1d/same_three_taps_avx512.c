#include <immintrin.h>

/* Three taps; the two ends are done by hand. */
void conv3(const float *x, const float *w, float *y, int n)
{
    const __m512 w0 = _mm512_set1_ps(w[0]), w1 = _mm512_set1_ps(w[1]), w2 = _mm512_set1_ps(w[2]);
    y[0] = w[1] * x[0] + w[2] * x[1];
    int i = 1;
    for (; i + 16 < n; i += 16) {
        __m512 v = _mm512_mul_ps(w0, _mm512_loadu_ps(x + i - 1));
        v = _mm512_fmadd_ps(w1, _mm512_loadu_ps(x + i), v);
        v = _mm512_fmadd_ps(w2, _mm512_loadu_ps(x + i + 1), v);
        _mm512_storeu_ps(y + i, v);
    }
    for (; i < n - 1; i++)
        y[i] = w[0] * x[i - 1] + w[1] * x[i] + w[2] * x[i + 1];
    y[n - 1] = w[0] * x[n - 2] + w[1] * x[n - 1];
}
