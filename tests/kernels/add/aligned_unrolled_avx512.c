#include <immintrin.h>

// c = a + b, four registers a turn, then single registers, then a masked rest.
void add_f32(const float *a, const float *b, float *c, long n)
{
    long i = 0;
    for (; i + 64 <= n; i += 64) {
        __m512 s0 = _mm512_add_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i));
        __m512 s1 = _mm512_add_ps(_mm512_loadu_ps(a + i + 16), _mm512_loadu_ps(b + i + 16));
        __m512 s2 = _mm512_add_ps(_mm512_loadu_ps(a + i + 32), _mm512_loadu_ps(b + i + 32));
        __m512 s3 = _mm512_add_ps(_mm512_loadu_ps(a + i + 48), _mm512_loadu_ps(b + i + 48));
        _mm512_storeu_ps(c + i, s0);
        _mm512_storeu_ps(c + i + 16, s1);
        _mm512_storeu_ps(c + i + 32, s2);
        _mm512_storeu_ps(c + i + 48, s3);
    }
    for (; i + 16 <= n; i += 16)
        _mm512_storeu_ps(c + i, _mm512_add_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i)));
    if (i < n) {
        __mmask16 rest = (__mmask16)((1u << (n - i)) - 1);
        __m512 s = _mm512_add_ps(_mm512_maskz_loadu_ps(rest, a + i), _mm512_maskz_loadu_ps(rest, b + i));
        _mm512_mask_storeu_ps(c + i, rest, s);
    }
}
