#include <immintrin.h>
#include <math.h>

void mean_loss(const float *logits, const int *labels, float *loss, int rows, int cols)
{
    float total = 0.0f;
    int counted = 0;
    for (int r = 0; r < rows; r++) {
        if (labels[r] == -100) continue;
        const float *z = logits + r * cols;
        __m512 m = _mm512_set1_ps(-INFINITY);
        int c = 0;
        for (; c + 16 <= cols; c += 16)
            m = _mm512_max_ps(m, _mm512_loadu_ps(z + c));
        float top = _mm512_reduce_max_ps(m);
        for (; c < cols; c++)
            top = fmaxf(top, z[c]);
        float s = 0.0f;
        for (c = 0; c < cols; c++)
            s += expf(z[c] - top);
        total += logf(s) + top - z[labels[r]];
        counted++;
    }
    loss[0] = counted ? total / counted : 0.0f;
}
