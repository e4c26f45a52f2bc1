#include <hip/hip_runtime.h>

// One block per row. The row is kept in dynamic shared memory, followed by the
// scratch area of the tree reduction.
__global__ void softmax_block(const float *src, float *dst, int dim)
{
    extern __shared__ __align__(16) float smem[];
    float *row = smem;
    float *red = smem + dim;
    int t = threadIdx.x;
    const float *s = src + (long long)blockIdx.x * dim;
    float mx = -3.4028235e38f;
    for (int i = t; i < dim; i += blockDim.x) {
        row[i] = s[i];
        mx = fmaxf(mx, row[i]);
    }
    red[t] = mx;
    __syncthreads();
    for (int w = blockDim.x >> 1; w > 0; w >>= 1) {
        if (t < w) {
            red[t] = fmaxf(red[t], red[t + w]);
        }
        __syncthreads();
    }
    mx = red[0];
    __syncthreads();
    float sum = 0.0f;
    for (int i = t; i < dim; i += blockDim.x) {
        row[i] = __expf(row[i] - mx);
        sum += row[i];
    }
    red[t] = sum;
    __syncthreads();
    for (int w = blockDim.x >> 1; w > 0; w >>= 1) {
        if (t < w) {
            red[t] += red[t + w];
        }
        __syncthreads();
    }
    sum = red[0];
    for (int i = t; i < dim; i += blockDim.x) {
        dst[(long long)blockIdx.x * dim + i] = row[i] / sum;
    }
}

void softmax_rows(const float *src, float *dst, int batch, int dim)
{
    float *d_src;
    hipMalloc(&d_src, batch * dim * sizeof(float));
    float *d_dst;
    hipMalloc(&d_dst, batch * dim * sizeof(float));
    hipMemcpy(d_src, src, batch * dim * sizeof(float), hipMemcpyHostToDevice);
    int threads = 64;
    size_t shared = (dim + threads) * sizeof(float);
    softmax_block<<<batch, threads, shared>>>(d_src, d_dst, dim);
    hipMemcpy(dst, d_dst, batch * dim * sizeof(float), hipMemcpyDeviceToHost);
    hipFree(d_src);
    hipFree(d_dst);
}
