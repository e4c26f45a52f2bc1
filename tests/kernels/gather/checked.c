void take_or_zero(const float *table, const int *where, float *y, int m, int n)
{
    for (int i = 0; i < n; i++)
        y[i] = (where[i] >= 0 && where[i] < m) ? table[where[i]] : 0.0f;
}
