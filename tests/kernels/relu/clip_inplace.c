#include <math.h>

/* Clips to [0, ceiling] in place, last element first. */
void relu6(float *data, unsigned n, float ceiling)
{
    for (unsigned i = n; i-- > 0;)
        data[i] = fminf(fmaxf(data[i], 0.0f), ceiling);
}
