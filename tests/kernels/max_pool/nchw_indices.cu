#include <cuda_runtime.h>
#include <cfloat>

#define CUDA_1D_KERNEL_LOOP(i, n) \
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += blockDim.x * gridDim.x)

// NCHW max pooling that also reports which input won.
__global__ void MaxPoolForward(const int nthreads, const float* bottom, const int channels,
                               const int height, const int width, const int pooled_h,
                               const int pooled_w, const int kernel, const int stride,
                               const int pad, float* top, int* mask)
{
    CUDA_1D_KERNEL_LOOP(index, nthreads) {
        const int pw = index % pooled_w;
        const int ph = (index / pooled_w) % pooled_h;
        const int nc = index / pooled_w / pooled_h;
        int hstart = ph * stride - pad;
        int wstart = pw * stride - pad;
        const int hend = min(hstart + kernel, height);
        const int wend = min(wstart + kernel, width);
        hstart = max(hstart, 0);
        wstart = max(wstart, 0);
        float maxval = -FLT_MAX;
        int maxidx = -1;
        const float* slice = bottom + nc * height * width;
        for (int h = hstart; h < hend; ++h) {
            for (int w = wstart; w < wend; ++w) {
                if (slice[h * width + w] > maxval) {
                    maxidx = h * width + w;
                    maxval = slice[maxidx];
                }
            }
        }
        top[index] = maxval;
        mask[index] = maxidx;
    }
}

extern "C" void max_pool_with_index(const float* bottom, float* top, int* mask, int planes,
                                    int height, int width, int kernel, int stride, int pad)
{
    const int ph = (height + 2 * pad - kernel) / stride + 1;
    const int pw = (width + 2 * pad - kernel) / stride + 1;
    const int total = planes * ph * pw;
    float *b, *t;
    int* m;
    cudaMalloc(&b, sizeof(float) * planes * height * width);
    cudaMalloc(&t, sizeof(float) * total);
    cudaMalloc(&m, sizeof(int) * total);
    cudaMemcpy(b, bottom, sizeof(float) * planes * height * width, cudaMemcpyHostToDevice);
    MaxPoolForward<<<(total + 63) / 64, 64>>>(total, b, planes, height, width, ph, pw, kernel,
                                              stride, pad, t, m);
    cudaMemcpy(top, t, sizeof(float) * total, cudaMemcpyDeviceToHost);
    cudaMemcpy(mask, m, sizeof(int) * total, cudaMemcpyDeviceToHost);
    cudaFree(b);
    cudaFree(t);
    cudaFree(m);
}
