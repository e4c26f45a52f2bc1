#include <string.h>

void bshd_to_bhsd(const float *x, float *y, int b, int s, int h, int d)
{
    for (int i = 0; i < b; i++)
        for (int j = 0; j < s; j++)
            for (int k = 0; k < h; k++)
                memcpy(y + (((i * h + k) * s + j) * d), x + (((i * s + j) * h + k) * d),
                       d * sizeof(float));
}
