#include <math.h>
#include <stdint.h>

void masked_rows(const float *x, const uint8_t *keep, float *y, int r, int c)
{
    for (int i = 0; i < r; i++) {
        float sum = 0.f;
        for (int j = 0; j < c; j++) {
            int at = i * c + j;
            if (keep[at] & 1)
                sum += expf(x[at]);
        }
        for (int j = 0; j < c; j++) {
            int at = i * c + j;
            y[at] = (keep[at] & 1) && sum > 0.f ? expf(x[at]) / sum : 0.f;
        }
    }
}
