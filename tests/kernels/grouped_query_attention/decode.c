#include <math.h>

#define LONGEST 1024

void gqa_decode(const float *q, const float *k, const float *v, float *o, int b, int hq, int hkv,
                int t, int d)
{
    float score[LONGEST];
    if (t > LONGEST)
        return;
    for (int n = 0; n < b; n++)
        for (int h = 0; h < hq; h++) {
            const int g = h / (hq / hkv);
            float top = -1e30f, sum = 0.f;
            for (int j = 0; j < t; j++) {
                score[j] = 0.f;
                for (int e = 0; e < d; e++)
                    score[j] += q[(n * hq + h) * d + e] * k[((n * t + j) * hkv + g) * d + e];
                score[j] /= sqrtf((float)d);
                top = fmaxf(top, score[j]);
            }
            for (int j = 0; j < t; j++)
                sum += score[j] = expf(score[j] - top);
            for (int e = 0; e < d; e++) {
                float r = 0.f;
                for (int j = 0; j < t; j++)
                    r += score[j] * v[((n * t + j) * hkv + g) * d + e];
                o[(n * hq + h) * d + e] = r / sum;
            }
        }
}
