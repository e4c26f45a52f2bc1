void dense_relu(const float *x, const float *weight, const float *bias, float *y, int n, int ci, int co)
{
    for (int i = 0; i < n; i++)
        for (int o = 0; o < co; o++) {
            float v = bias[o];
            for (int k = 0; k < ci; k++)
                v += x[i * ci + k] * weight[k * co + o];
            y[i * co + o] = v > 0 ? v : 0;
        }
}
