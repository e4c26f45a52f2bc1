#include <immintrin.h>

// C = A B; a register holds sixteen columns of one row of C.
void gemm(const float *A, const float *B, float *C, int M, int N, int K)
{
    for (int i = 0; i < M; i++) {
        int j = 0;
        for (; j + 16 <= N; j += 16) {
            __m512 acc = _mm512_setzero_ps();
            for (int k = 0; k < K; k++) {
                __m512 a = _mm512_set1_ps(A[i * K + k]);
                acc = _mm512_fmadd_ps(a, _mm512_loadu_ps(&B[k * N + j]), acc);
            }
            _mm512_storeu_ps(&C[i * N + j], acc);
        }
        for (; j < N; j++) {
            float s = 0.0f;
            for (int k = 0; k < K; k++)
                s += A[i * K + k] * B[k * N + j];
            C[i * N + j] = s;
        }
    }
}
