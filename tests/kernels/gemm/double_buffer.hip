#include <hip/hip_runtime.h>

// LDS tiles in two buffers: the next tile is fetched into registers before the current one is
// used, and one barrier a step is enough.
#define BLK 16

__global__ __launch_bounds__(BLK * BLK)
void gemm_db(const double* __restrict__ A, const double* __restrict__ B, double* __restrict__ C,
             int m, int n, int k)
{
    __shared__ double As[2][BLK][BLK];
    __shared__ double Bs[2][BLK][BLK];
    const int tx = threadIdx.x, ty = threadIdx.y;
    const int row = blockIdx.y * BLK + ty, col = blockIdx.x * BLK + tx;
    const int steps = (k + BLK - 1) / BLK;

    auto loadA = [&](int s) { return row < m && s * BLK + tx < k ? A[row * k + s * BLK + tx] : 0.0; };
    auto loadB = [&](int s) { return col < n && s * BLK + ty < k ? B[(s * BLK + ty) * n + col] : 0.0; };

    As[0][ty][tx] = loadA(0);
    Bs[0][ty][tx] = loadB(0);
    __syncthreads();

    double sum = 0.0;
    int cur = 0;
    for (int s = 0; s < steps; ++s) {
        double na = 0.0, nb = 0.0;
        if (s + 1 < steps) {
            na = loadA(s + 1);
            nb = loadB(s + 1);
        }
        for (int i = 0; i < BLK; ++i) sum += As[cur][ty][i] * Bs[cur][i][tx];
        if (s + 1 < steps) {
            As[cur ^ 1][ty][tx] = na;
            Bs[cur ^ 1][ty][tx] = nb;
        }
        __syncthreads();
        cur ^= 1;
    }
    if (row < m && col < n) C[row * n + col] = sum;
}

extern "C" void dgemm(const double* A, const double* B, double* C, int m, int n, int k)
{
    double *a, *b, *c;
    hipMalloc(&a, sizeof(double) * m * k);
    hipMalloc(&b, sizeof(double) * k * n);
    hipMalloc(&c, sizeof(double) * m * n);
    hipMemcpy(a, A, sizeof(double) * m * k, hipMemcpyHostToDevice);
    hipMemcpy(b, B, sizeof(double) * k * n, hipMemcpyHostToDevice);
    gemm_db<<<dim3((n + BLK - 1) / BLK, (m + BLK - 1) / BLK), dim3(BLK, BLK)>>>(a, b, c, m, n, k);
    hipMemcpy(C, c, sizeof(double) * m * n, hipMemcpyDeviceToHost);
    hipFree(a);
    hipFree(b);
    hipFree(c);
}
