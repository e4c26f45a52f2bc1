#include <immintrin.h>
#include <stdlib.h>

#define NR 16

// Columns are packed into panels of sixteen first; the last panel is filled up with zeros.
void gemm_packed(const float *A, const float *B, float *C, int M, int N, int K)
{
    int panels = (N + NR - 1) / NR;
    float *packed = (float *)malloc(sizeof(float) * panels * K * NR);
    for (int q = 0; q < panels; q++)
        for (int k = 0; k < K; k++)
            for (int j = 0; j < NR; j++)
                packed[(q * K + k) * NR + j] = q * NR + j < N ? B[k * N + q * NR + j] : 0.0f;
    for (int i = 0; i < M; i++) {
        for (int q = 0; q < panels; q++) {
            __m512 sum = _mm512_setzero_ps();
            for (int k = 0; k < K; k++)
                sum = _mm512_fmadd_ps(_mm512_set1_ps(A[i * K + k]), _mm512_loadu_ps(packed + (q * K + k) * NR), sum);
            int left = N - q * NR;
            __mmask16 m = left >= NR ? 0xFFFF : (__mmask16)((1u << left) - 1);
            _mm512_mask_storeu_ps(C + i * N + q * NR, m, sum);
        }
    }
    free(packed);
}
