#include <hip/hip_runtime.h>

// residual += x, then the RMS norm of the sum; both results are kept.
__global__ void add_rmsnorm(float* residual, const float* x, const float* w, float* out, int d)
{
    extern __shared__ float partial[];
    float* res_row = residual + blockIdx.x * d;
    const float* x_row = x + blockIdx.x * d;

    float sq = 0;
    for (int i = threadIdx.x; i < d; i += blockDim.x) {
        float s = res_row[i] + x_row[i];
        res_row[i] = s;
        sq += s * s;
    }
    partial[threadIdx.x] = sq;
    for (int step = 1; step < blockDim.x; step *= 2) {
        __syncthreads();
        if (threadIdx.x % (2 * step) == 0)
            partial[threadIdx.x] += partial[threadIdx.x + step];
    }
    __syncthreads();

    const float scale = rsqrtf(partial[0] / d + 1e-5f);
    for (int i = threadIdx.x; i < d; i += blockDim.x)
        out[blockIdx.x * d + i] = res_row[i] * scale * w[i];
}

extern "C" void fused_add_rmsnorm(float* residual, const float* x, const float* w, float* out,
                                  int rows, int d)
{
    float *r_d, *x_d, *w_d, *o_d;
    size_t mat = sizeof(float) * rows * d;
    hipMalloc((void**)&r_d, mat);
    hipMalloc((void**)&x_d, mat);
    hipMalloc((void**)&o_d, mat);
    hipMalloc((void**)&w_d, sizeof(float) * d);
    hipMemcpy(r_d, residual, mat, hipMemcpyHostToDevice);
    hipMemcpy(x_d, x, mat, hipMemcpyHostToDevice);
    hipMemcpy(w_d, w, sizeof(float) * d, hipMemcpyHostToDevice);
    const int threads = 64;
    hipLaunchKernelGGL(add_rmsnorm, dim3(rows), dim3(threads), threads * sizeof(float), 0,
                       r_d, x_d, w_d, o_d, d);
    hipMemcpy(residual, r_d, mat, hipMemcpyDeviceToHost);
    hipMemcpy(out, o_d, mat, hipMemcpyDeviceToHost);
    hipFree(r_d);
    hipFree(x_d);
    hipFree(w_d);
    hipFree(o_d);
}
