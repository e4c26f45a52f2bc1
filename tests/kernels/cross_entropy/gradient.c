#include <math.h>

void softmax_ce(const float *logits, const int *target, float *loss, float *grad, int n, int c)
{
    for (int i = 0; i < n; i++) {
        float top = -HUGE_VALF, sum = 0.0f;
        for (int j = 0; j < c; j++)
            top = logits[i * c + j] > top ? logits[i * c + j] : top;
        for (int j = 0; j < c; j++)
            sum += expf(logits[i * c + j] - top);
        for (int j = 0; j < c; j++) {
            float p = expf(logits[i * c + j] - top) / sum;
            grad[i * c + j] = (p - (j == target[i])) / n;
        }
        loss[i] = top + logf(sum) - logits[i * c + target[i]];
    }
}
