#include <string.h>

#define M 64
#define K 48
#define N 56

/* ikj order on multi-dimensional arrays. */
void matmul64(const float a[M][K], const float b[K][N], float c[M][N])
{
    memset(c, 0, sizeof(float) * M * N);
    for (int i = 0; i < M; i++)
        for (int k = 0; k < K; k++)
            for (int j = 0; j < N; j++)
                c[i][j] += a[i][k] * b[k][j];
}
