void sum_all(const float *x, float *y, int n)
{
    float s = 0.0f;
#pragma omp parallel for reduction(+ : s)
    for (int i = 0; i < n; i++)
        s += x[i];
    *y = s;
}
