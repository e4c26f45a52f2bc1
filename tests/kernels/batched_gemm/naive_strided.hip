#include <hip/hip_runtime.h>

struct Strides {
    long batch;
    int row;
    int col;
};

// Every operand has its own strides, so transposed ones cost nothing.
__global__ void bmm_strided(const float* a, Strides sa, const float* b, Strides sb, float* c,
                            Strides sc, int m, int n, int k, float alpha)
{
    const int col = blockIdx.x * blockDim.x + threadIdx.x;
    const int row = blockIdx.y * blockDim.y + threadIdx.y;
    const int z = blockIdx.z;
    if (row < m && col < n) {
        const float* pa = a + z * sa.batch + row * sa.row;
        const float* pb = b + z * sb.batch + col * sb.col;
        float sum = 0.f;
        for (int i = 0; i < k; ++i, pa += sa.col, pb += sb.row)
            sum += *pa * *pb;
        c[z * sc.batch + row * sc.row + col * sc.col] = alpha * sum;
    }
}

// c[z] = alpha * a[z] * transpose(b[z])
extern "C" void bmm_nt(const float* a, const float* b, float* c, int z, int m, int n, int k,
                       float alpha)
{
    float *da, *db, *dc;
    hipMalloc(&da, sizeof(float) * z * m * k);
    hipMalloc(&db, sizeof(float) * z * n * k);
    hipMalloc(&dc, sizeof(float) * z * m * n);
    hipMemcpy(da, a, sizeof(float) * z * m * k, hipMemcpyHostToDevice);
    hipMemcpy(db, b, sizeof(float) * z * n * k, hipMemcpyHostToDevice);
    Strides sa{(long)m * k, k, 1}, sb{(long)n * k, 1, k}, sc{(long)m * n, n, 1};
    dim3 block(16, 4);
    dim3 grid((n + 15) / 16, (m + 3) / 4, z);
    bmm_strided<<<grid, block>>>(da, sa, db, sb, dc, sc, m, n, k, alpha);
    hipMemcpy(c, dc, sizeof(float) * z * m * n, hipMemcpyDeviceToHost);
    hipFree(da);
    hipFree(db);
    hipFree(dc);
}
