#include <string.h>

void bag_sum(const float *table, const int *ids, float *y, int bags, int per, int d, int v)
{
    (void)v;
    memset(y, 0, (size_t)bags * d * sizeof(float));
    for (int b = 0; b < bags; b++)
        for (int k = 0; k < per; k++)
            for (int j = 0; j < d; j++)
                y[b * d + j] += table[ids[b * per + k] * d + j];
}
