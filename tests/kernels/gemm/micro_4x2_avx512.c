#include <immintrin.h>

/* Four rows by two registers of columns; M a multiple of 4, N of 32. */
static inline void micro_4x32(const float *a, const float *b, float *c, int k, int lda, int ldb, int ldc)
{
    __m512 acc[4][2];
    for (int r = 0; r < 4; r++)
        for (int s = 0; s < 2; s++)
            acc[r][s] = _mm512_setzero_ps();
    for (int p = 0; p < k; p++) {
        __m512 b0 = _mm512_loadu_ps(b + p * ldb);
        __m512 b1 = _mm512_loadu_ps(b + p * ldb + 16);
        for (int r = 0; r < 4; r++) {
            __m512 x = _mm512_set1_ps(a[r * lda + p]);
            acc[r][0] = _mm512_fmadd_ps(x, b0, acc[r][0]);
            acc[r][1] = _mm512_fmadd_ps(x, b1, acc[r][1]);
        }
    }
    for (int r = 0; r < 4; r++) {
        _mm512_storeu_ps(c + r * ldc, acc[r][0]);
        _mm512_storeu_ps(c + r * ldc + 16, acc[r][1]);
    }
}

void sgemm_blocked(const float *A, const float *B, float *C)
{
    enum { M = 16, N = 64, K = 24 };
    #pragma omp parallel for collapse(2)
    for (int i = 0; i < M; i += 4)
        for (int j = 0; j < N; j += 32)
            micro_4x32(A + i * K, B + j, C + i * N + j, K, K, N, N);
}
