// Translated from naive_kernel.cu (CUDA C (NVIDIA)) by Xpiler.

#include <stdint.h>

void add(const float *a, const float *b, float *c, int n)
{
    for (unsigned block = 0; block < (unsigned)(((int64_t)n + 255) / 256); block++) {
        for (int t = 0; t < 256; t++) {
            int i = (int)block * 256 + t;
            if (i < n) {
                c[i] = a[i] + b[i];
            }
        }
    }
}
