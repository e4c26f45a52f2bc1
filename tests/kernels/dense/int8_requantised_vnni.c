#include <immintrin.h>
#include <math.h>
#include <stdint.h>

/* int8 layer; the products of bytes come from words, the results go back to bytes, saturated. */
void dense_q8(const int8_t *x, const int8_t *weight, const int32_t *bias, int8_t *y, int n, int in, int out, float scale)
{
    for (int i = 0; i < n; i++)
        for (int o = 0; o < out; o++) {
            __m512i acc = _mm512_setzero_si512();
            int k = 0;
            for (; k + 32 <= in; k += 32) {
                __m512i a = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(x + i * in + k)));
                __m512i b = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(weight + o * in + k)));
                acc = _mm512_dpwssd_epi32(acc, a, b);
            }
            int32_t s = _mm512_reduce_add_epi32(acc) + bias[o];
            for (; k < in; k++)
                s += (int32_t)x[i * in + k] * weight[o * in + k];
            float v = rintf((float)s * scale);
            y[i * out + o] = (int8_t)(v < -128.0f ? -128.0f : v > 127.0f ? 127.0f : v);
        }
}
