#include <hip/hip_runtime.h>
#include <climits>

// Integer min pooling, NHWC, one thread a channel, block per output pixel.
__global__ void imin_pool(const int* src, int* dst, int H, int W, int C, int win)
{
    const int c = threadIdx.x;
    if (c >= C) return;
    const int oh = H / win, ow = W / win;
    const int n = blockIdx.x / (oh * ow);
    const int oy = blockIdx.x / ow % oh;
    const int ox = blockIdx.x % ow;
    int best = INT_MAX;
    for (int t = 0; t < win * win; ++t) {
        const int y = oy * win + t / win;
        const int x = ox * win + t % win;
        const int v = src[((n * H + y) * W + x) * C + c];
        best = v < best ? v : best;
    }
    dst[blockIdx.x * C + c] = best;
}
