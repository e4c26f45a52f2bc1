enum { C = 4, H = 8, W = 8, M = 6, R = 3, P = H - R + 1, Q = W - R + 1 };

/* Patches first, then a matrix product. */
void conv2d_im2col(const float *x, const float *w, const float *b, float *y)
{
    float cols[C * R * R][P * Q];
    for (int c = 0; c < C; c++)
        for (int r = 0; r < R; r++)
            for (int s = 0; s < R; s++)
                for (int p = 0; p < P; p++)
                    for (int q = 0; q < Q; q++)
                        cols[(c * R + r) * R + s][p * Q + q] = x[(c * H + p + r) * W + q + s];
    for (int m = 0; m < M; m++)
        for (int e = 0; e < P * Q; e++) {
            float acc = b[m];
            for (int k = 0; k < C * R * R; k++)
                acc += w[m * C * R * R + k] * cols[k][e];
            y[m * P * Q + e] = acc;
        }
}
