#include <math.h>

static float at(const float *f, int h, int w, int c, int y, int x, int ch)
{
    if (y < 0 || y >= h || x < 0 || x >= w)
        return 0.f;
    return f[(y * w + x) * c + ch];
}

void deform_single(const float *feature, const float *reference, const float *offset,
                   const float *score, float *out, int h, int w, int c, int nq, int np)
{
    for (int q = 0; q < nq; q++) {
        float top = score[q * np], sum = 0.f;
        for (int p = 1; p < np; p++)
            top = fmaxf(top, score[q * np + p]);
        for (int p = 0; p < np; p++)
            sum += expf(score[q * np + p] - top);
        for (int ch = 0; ch < c; ch++) {
            float acc = 0.f;
            for (int p = 0; p < np; p++) {
                float y = reference[2 * q] + offset[(q * np + p) * 2];
                float x = reference[2 * q + 1] + offset[(q * np + p) * 2 + 1];
                int y0 = (int)floorf(y), x0 = (int)floorf(x);
                float fy = y - y0, fx = x - x0;
                float s = (1 - fy) * (1 - fx) * at(feature, h, w, c, y0, x0, ch) +
                          (1 - fy) * fx * at(feature, h, w, c, y0, x0 + 1, ch) +
                          fy * (1 - fx) * at(feature, h, w, c, y0 + 1, x0, ch) +
                          fy * fx * at(feature, h, w, c, y0 + 1, x0 + 1, ch);
                acc += expf(score[q * np + p] - top) / sum * s;
            }
            out[q * c + ch] = acc;
        }
    }
}
