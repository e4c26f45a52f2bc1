#include <math.h>
#include <stdlib.h>

void attention_heads(const float *q, const float *k, const float *v, float *o, int bh, int s, int d)
{
    const float scale = 1.0f / sqrtf((float)d);
    float *p = (float *)malloc(sizeof(float) * s);
    for (int h = 0; h < bh; h++) {
        for (int i = 0; i < s; i++) {
            float top = -INFINITY, sum = 0.f;
            for (int j = 0; j < s; j++) {
                float dot = 0.f;
                for (int e = 0; e < d; e++)
                    dot += q[(h * s + i) * d + e] * k[(h * s + j) * d + e];
                p[j] = dot * scale;
                if (p[j] > top)
                    top = p[j];
            }
            for (int j = 0; j < s; j++) {
                p[j] = expf(p[j] - top);
                sum += p[j];
            }
            for (int e = 0; e < d; e++) {
                float acc = 0.f;
                for (int j = 0; j < s; j++)
                    acc += p[j] * v[(h * s + j) * d + e];
                o[(h * s + i) * d + e] = acc / sum;
            }
        }
    }
    free(p);
}
