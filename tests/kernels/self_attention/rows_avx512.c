#include <immintrin.h>
#include <math.h>

#define D 32

/* One head: scores of a row, softmax, weighted sum of the values. */
void attention(const float *q, const float *k, const float *v, float *out, int n)
{
    float scores[64];
    for (int i = 0; i < n; i++) {
        float top = -INFINITY, sum = 0.0f;
        for (int j = 0; j < n; j++) {
            __m512 s = _mm512_mul_ps(_mm512_loadu_ps(q + i * D), _mm512_loadu_ps(k + j * D));
            s = _mm512_fmadd_ps(_mm512_loadu_ps(q + i * D + 16), _mm512_loadu_ps(k + j * D + 16), s);
            scores[j] = _mm512_reduce_add_ps(s) * 0.17677669529f;
            top = fmaxf(top, scores[j]);
        }
        for (int j = 0; j < n; j++) {
            scores[j] = expf(scores[j] - top);
            sum += scores[j];
        }
        __m512 o0 = _mm512_setzero_ps(), o1 = _mm512_setzero_ps();
        for (int j = 0; j < n; j++) {
            __m512 w = _mm512_set1_ps(scores[j] / sum);
            o0 = _mm512_fmadd_ps(w, _mm512_loadu_ps(v + j * D), o0);
            o1 = _mm512_fmadd_ps(w, _mm512_loadu_ps(v + j * D + 16), o1);
        }
        _mm512_storeu_ps(out + i * D, o0);
        _mm512_storeu_ps(out + i * D + 16, o1);
    }
}
