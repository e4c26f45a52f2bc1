#include <math.h>

void sine_image(const float *img, float *res, int h, int w)
{
    for (int y = 0; y < h; y++) {
        const float *src = img + y * w;
        float *dst = res + y * w;
        for (int x = 0; x < w; x++)
            dst[x] = sinf(src[x]);
    }
}
