#include <stdint.h>
void f(const uint8_t *x, int16_t *y, const uint16_t* d, int n) {
    for (int i = 0; i < n; i++) y[i] = (int16_t)(x[i] * 0.37f / (float)d[i]);
}
