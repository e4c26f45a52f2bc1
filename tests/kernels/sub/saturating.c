#include <stddef.h>
#include <stdint.h>

static int clamp(int v, int lo, int hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

void sub_i8(const int8_t *a, const int8_t *b, int8_t *c, size_t n)
{
    for (size_t i = 0; i < n; ++i)
        c[i] = (int8_t)clamp((int)a[i] - (int)b[i], INT8_MIN, INT8_MAX);
}
