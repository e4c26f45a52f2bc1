void global_average(const float *x, float *y, int planes, int area)
{
    for (int p = 0; p < planes; p++) {
        double s = 0;
        for (int i = 0; i < area; i++)
            s += x[p * area + i];
        y[p] = (float)(s / area);
    }
}
