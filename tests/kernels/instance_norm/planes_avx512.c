#include <immintrin.h>
#include <math.h>

void instance_norm(const float *x, float *y, int planes, int area, float eps)
{
    for (int p = 0; p < planes; p++) {
        const float *src = x + p * area;
        float *dst = y + p * area;
        __m512 s = _mm512_setzero_ps(), q = _mm512_setzero_ps();
        int i = 0;
        for (; i + 16 <= area; i += 16) {
            __m512 v = _mm512_loadu_ps(src + i);
            s = _mm512_add_ps(s, v);
            q = _mm512_fmadd_ps(v, v, q);
        }
        float sum = _mm512_reduce_add_ps(s), squares = _mm512_reduce_add_ps(q);
        for (; i < area; i++) {
            sum += src[i];
            squares += src[i] * src[i];
        }
        float mean = sum / area;
        float inv = 1.0f / sqrtf(squares / area - mean * mean + eps);
        for (i = 0; i + 16 <= area; i += 16) {
            __m512 v = _mm512_sub_ps(_mm512_loadu_ps(src + i), _mm512_set1_ps(mean));
            _mm512_storeu_ps(dst + i, _mm512_mul_ps(v, _mm512_set1_ps(inv)));
        }
        for (; i < area; i++)
            dst[i] = (src[i] - mean) * inv;
    }
}
