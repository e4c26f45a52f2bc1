#include <stdint.h>

void byte_histogram(const uint8_t *x, int bins[64], int n)
{
    for (int b = 0; b < 64; b++)
        bins[b] = 0;
    for (int i = 0; i < n; i++)
        bins[x[i] >> 2]++;
}
