#include <math.h>

#define IGNORED (-100)

void cross_entropy_mean(const float *logits, const int *labels, float *loss, int n, int c)
{
    float total = 0.f;
    int counted = 0;
    for (int i = 0; i < n; i++) {
        if (labels[i] == IGNORED)
            continue;
        const float *z = logits + i * c;
        float top = z[0], sum = 0.f;
        for (int j = 1; j < c; j++)
            top = fmaxf(top, z[j]);
        for (int j = 0; j < c; j++)
            sum += expf(z[j] - top);
        total += top + logf(sum) - z[labels[i]];
        counted++;
    }
    *loss = counted ? total / (float)counted : 0.f;
}
