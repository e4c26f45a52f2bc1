#include <immintrin.h>

void permute(const float *src, const int *where, float *dst, int n)
{
    int i = 0;
    for (; i + 16 <= n; i += 16)
        _mm512_i32scatter_ps(dst, _mm512_loadu_si512(where + i), _mm512_loadu_ps(src + i), 4);
    for (; i < n; i++)
        dst[where[i]] = src[i];
}
