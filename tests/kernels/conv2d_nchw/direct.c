/* Valid 3x3 convolution on arrays with four dimensions. */
void conv2d_direct(const float *x, const float *w, float *y, int n, int c, int h, int w0, int m)
{
    const int ho = h - 2, wo = w0 - 2;
    const float(*X)[c][h][w0] = (const float(*)[c][h][w0])x;
    const float(*W)[c][3][3] = (const float(*)[c][3][3])w;
    float(*Y)[m][ho][wo] = (float(*)[m][ho][wo])y;

    for (int b = 0; b < n; b++)
        for (int f = 0; f < m; f++)
            for (int i = 0; i < ho; i++)
                for (int j = 0; j < wo; j++) {
                    float acc = 0.f;
                    for (int k = 0; k < c; k++)
                        for (int r = 0; r < 3; r++)
                            for (int s = 0; s < 3; s++)
                                acc += X[b][k][i + r][j + s] * W[f][k][r][s];
                    Y[b][f][i][j] = acc;
                }
}
