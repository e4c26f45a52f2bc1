#include <math.h>

struct pair {
    float s, c;
};

void waves(const float *t, float *sc, int n, float frequency, float phase)
{
    struct pair *out = (struct pair *)sc;
    for (int i = 0; i < n; i++) {
        const float a = frequency * t[i] + phase;
        out[i].s = sinf(a);
        out[i].c = cosf(a);
    }
}
