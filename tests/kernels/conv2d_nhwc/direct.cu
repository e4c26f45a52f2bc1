#include <cuda_runtime.h>

struct ConvShape {
    int n, h, w, c;      // input
    int k, r, s;         // filters: k of r x s x c
    int stride, pad;
    int p, q;            // output
};

// NHWC input, KRSC filter, NPQK output; consecutive threads take consecutive k.
__global__ void conv2d_nhwc(const float* __restrict__ in, const float* __restrict__ filter,
                            float* __restrict__ out, const ConvShape cs)
{
    int idx = blockIdx.x * blockDim.x + threadIdx.x;
    const int total = cs.n * cs.p * cs.q * cs.k;
    for (; idx < total; idx += gridDim.x * blockDim.x) {
        const int k = idx % cs.k;
        const int q = idx / cs.k % cs.q;
        const int p = idx / (cs.k * cs.q) % cs.p;
        const int n = idx / (cs.k * cs.q * cs.p);
        float sum = 0.f;
        for (int r = 0; r < cs.r; ++r) {
            const int y = p * cs.stride + r - cs.pad;
            if (y < 0 || y >= cs.h) continue;
            for (int s = 0; s < cs.s; ++s) {
                const int x = q * cs.stride + s - cs.pad;
                if (x < 0 || x >= cs.w) continue;
                const float* a = in + ((n * cs.h + y) * cs.w + x) * cs.c;
                const float* b = filter + ((k * cs.r + r) * cs.s + s) * cs.c;
                for (int c = 0; c < cs.c; ++c) sum += a[c] * b[c];
            }
        }
        out[idx] = sum;
    }
}

extern "C" void conv2d(const float* in, const float* filter, float* out, int n, int h, int w,
                       int c, int k, int r, int s, int stride, int pad)
{
    ConvShape cs = {n, h, w, c, k, r, s, stride, pad, 0, 0};
    cs.p = (h + 2 * pad - r) / stride + 1;
    cs.q = (w + 2 * pad - s) / stride + 1;
    const size_t ni = (size_t)n * h * w * c, nf = (size_t)k * r * s * c;
    const size_t no = (size_t)n * cs.p * cs.q * k;
    float *di, *df, *dout;
    cudaMalloc(&di, ni * sizeof(float));
    cudaMalloc(&df, nf * sizeof(float));
    cudaMalloc(&dout, no * sizeof(float));
    cudaMemcpy(di, in, ni * sizeof(float), cudaMemcpyHostToDevice);
    cudaMemcpy(df, filter, nf * sizeof(float), cudaMemcpyHostToDevice);
    conv2d_nhwc<<<4, 64>>>(di, df, dout, cs);
    cudaMemcpy(out, dout, no * sizeof(float), cudaMemcpyDeviceToHost);
    cudaFree(di);
    cudaFree(df);
    cudaFree(dout);
}
