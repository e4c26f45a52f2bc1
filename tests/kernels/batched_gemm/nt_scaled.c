void bmm_nt_scaled(const float *q, const float *k, float *scores, int nb, int s, int t, int d,
                   float alpha)
{
    for (int n = 0; n < nb; n++)
        for (int i = 0; i < s; i++)
            for (int j = 0; j < t; j++) {
                float acc = 0.f;
                for (int e = 0; e < d; e++)
                    acc += q[(n * s + i) * d + e] * k[(n * t + j) * d + e];
                scores[(n * s + i) * t + j] = alpha * acc;
            }
}
