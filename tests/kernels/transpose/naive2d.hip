#include <hip/hip_runtime.h>

extern "C" __global__ void matTranspose(float* out, float* in, const int width) {
    int x = hipBlockDim_x * hipBlockIdx_x + hipThreadIdx_x;
    int y = hipBlockDim_y * hipBlockIdx_y + hipThreadIdx_y;

    if (x < width && y < width)
        out[y * width + x] = in[x * width + y];
}
