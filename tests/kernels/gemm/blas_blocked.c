#define BLOCK 16

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* C = alpha A B + beta C, blocked in all three loops. */
void sgemm(int M, int N, int K, float alpha, const float *A, const float *B, float beta, float *C)
{
    for (int i = 0; i < M * N; i++)
        C[i] *= beta;
    for (int i0 = 0; i0 < M; i0 += BLOCK)
        for (int j0 = 0; j0 < N; j0 += BLOCK)
            for (int p0 = 0; p0 < K; p0 += BLOCK)
                for (int i = i0; i < smaller(i0 + BLOCK, M); i++)
                    for (int p = p0; p < smaller(p0 + BLOCK, K); p++) {
                        const float a = alpha * A[i * K + p];
                        for (int j = j0; j < smaller(j0 + BLOCK, N); j++)
                            C[i * N + j] += a * B[p * N + j];
                    }
}
