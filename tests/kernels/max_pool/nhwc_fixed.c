#include <math.h>

void max_pool_2x2(const float *x, float *y, int n, int h, int w, int c)
{
    for (int b = 0; b < n; b++)
        for (int i = 0; i < h / 2; i++)
            for (int j = 0; j < w / 2; j++)
                for (int k = 0; k < c; k++) {
                    const float *s = x + ((b * h + 2 * i) * w + 2 * j) * c + k;
                    float top = fmaxf(s[0], s[c]), low = fmaxf(s[w * c], s[(w + 1) * c]);
                    y[((b * (h / 2) + i) * (w / 2) + j) * c + k] = fmaxf(top, low);
                }
}
