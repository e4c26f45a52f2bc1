void conv1d_layer(const float *x, const float *w, const float *bias, float *y, int n, int c, int l,
                  int o, int k, int stride, int pad, int dil)
{
    int len = (l + 2 * pad - dil * (k - 1) - 1) / stride + 1;
    for (int b = 0; b < n; b++)
        for (int oc = 0; oc < o; oc++)
            for (int p = 0; p < len; p++) {
                float sum = bias[oc];
                for (int ic = 0; ic < c; ic++)
                    for (int t = 0; t < k; t++) {
                        int q = p * stride - pad + t * dil;
                        if (q >= 0 && q < l)
                            sum += x[(b * c + ic) * l + q] * w[(oc * c + ic) * k + t];
                    }
                y[(b * o + oc) * len + p] = sum;
            }
}
