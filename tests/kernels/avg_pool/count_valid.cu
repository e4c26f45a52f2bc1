#include <cuda_runtime.h>

// Average pooling, padding not counted. Grid: x = columns, y = rows, z = planes.
__global__ void avgpool2d(const float* x, float* y, int h, int w, int oh, int ow, int win,
                          int stride, int pad)
{
    unsigned ox = threadIdx.x + blockIdx.x * blockDim.x;
    unsigned oy = threadIdx.y + blockIdx.y * blockDim.y;
    if (ox < ow && oy < oh) {
        const float* p = x + (size_t)blockIdx.z * h * w;
        float s = 0.f;
        int cnt = 0;
        for (int dy = 0; dy < win; ++dy)
            for (int dx = 0; dx < win; ++dx) {
                int iy = (int)oy * stride + dy - pad;
                int ix = (int)ox * stride + dx - pad;
                bool inside = iy >= 0 && ix >= 0 && iy < h && ix < w;
                if (inside) {
                    s += p[iy * w + ix];
                    cnt++;
                }
            }
        y[((size_t)blockIdx.z * oh + oy) * ow + ox] = s / cnt;
    }
}

extern "C" void avgpool(const float* x, float* y, int planes, int h, int w, int win, int stride,
                        int pad)
{
    int oh = (h + 2 * pad - win) / stride + 1;
    int ow = (w + 2 * pad - win) / stride + 1;
    float *dx, *dy;
    cudaMalloc(&dx, sizeof(float) * planes * h * w);
    cudaMalloc(&dy, sizeof(float) * planes * oh * ow);
    cudaMemcpy(dx, x, sizeof(float) * planes * h * w, cudaMemcpyHostToDevice);
    avgpool2d<<<dim3((ow + 7) / 8, (oh + 3) / 4, planes), dim3(8, 4)>>>(dx, dy, h, w, oh, ow, win,
                                                                        stride, pad);
    cudaMemcpy(y, dy, sizeof(float) * planes * oh * ow, cudaMemcpyDeviceToHost);
    cudaFree(dx);
    cudaFree(dy);
}
