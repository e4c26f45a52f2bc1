#include <float.h>

#define WIN 3
#define STEP 2

void min_pool_plane(const float *x, float *y, int h, int w)
{
    int at = 0;
    for (int i = 0; i + WIN <= h; i += STEP)
        for (int j = 0; j + WIN <= w; j += STEP) {
            float low = FLT_MAX;
            for (int u = 0; u < WIN; u++)
                for (int v = 0; v < WIN; v++) {
                    float e = x[(i + u) * w + j + v];
                    if (e < low)
                        low = e;
                }
            y[at++] = low;
        }
}
