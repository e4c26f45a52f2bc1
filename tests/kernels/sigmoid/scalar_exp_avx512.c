#include <immintrin.h>
#include <math.h>

/* exp has no instruction: the lanes go through memory, the rest is vectorised. */
void sigmoid(const float *x, float *y, int n)
{
    const __m512 one = _mm512_set1_ps(1.0f);
    for (int i = 0; i < n; i += 16) {
        float e[16];
        int m = n - i < 16 ? n - i : 16;
        for (int j = 0; j < 16; j++)
            e[j] = j < m ? expf(-x[i + j]) : 0.0f;
        __m512 d = _mm512_add_ps(one, _mm512_loadu_ps(e));
        _mm512_mask_storeu_ps(y + i, (__mmask16)((1u << m) - 1), _mm512_div_ps(one, d));
    }
}
