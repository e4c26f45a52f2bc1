// The vector sits in constant memory; every thread owns one row.
#define K_MAX 128
__constant__ float c_x[K_MAX];

__global__ void gemv_const(const float *mat, float *res, int rows, int cols)
{
    int r = blockIdx.x * blockDim.x + threadIdx.x;
    if (r < rows) {
        float v = 0.0f;
        for (int k = 0; k < cols; ++k)
            v += mat[(size_t)r * cols + k] * c_x[k];
        res[r] = v;
    }
}

extern "C" int gemv_constant(const float *mat, const float *vec, float *res, int rows, int cols)
{
    if (cols > K_MAX)
        return -1;
    float *m, *r;
    cudaMalloc(&m, sizeof(float) * rows * cols);
    cudaMalloc(&r, sizeof(float) * rows);
    cudaMemcpyToSymbol(c_x, vec, sizeof(float) * cols);
    cudaMemcpy(m, mat, sizeof(float) * rows * cols, cudaMemcpyHostToDevice);
    gemv_const<<<(rows + 31) / 32, 32>>>(m, r, rows, cols);
    cudaMemcpy(res, r, sizeof(float) * rows, cudaMemcpyDeviceToHost);
    cudaFree(m);
    cudaFree(r);
    return 0;
}
