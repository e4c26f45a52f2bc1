#include <hip/hip_runtime.h>

// Sum over a win x win box, stride 1, computed as rows then columns through LDS.
// One block per plane; the intermediate is (h, ow).
__global__ void box_sum(const float* __restrict__ in, float* __restrict__ out, int h, int w, int win)
{
    extern __shared__ float rows[];
    const int ow = w - win + 1, oh = h - win + 1;
    const float* p = in + blockIdx.x * h * w;

    for (int i = threadIdx.x; i < h * ow; i += blockDim.x) {
        const int y = i / ow, x = i % ow;
        float s = 0.f;
        for (int k = 0; k < win; ++k) s += p[y * w + x + k];
        rows[i] = s;
    }
    __syncthreads();
    for (int i = threadIdx.x; i < oh * ow; i += blockDim.x) {
        float s = 0.f;
        for (int k = 0; k < win; ++k) s += rows[i + k * ow];
        out[blockIdx.x * oh * ow + i] = s;
    }
}

extern "C" void sum_pool(const float* in, float* out, int planes, int h, int w, int win)
{
    const int ow = w - win + 1, oh = h - win + 1;
    float *a, *b;
    hipMalloc(&a, sizeof(float) * planes * h * w);
    hipMalloc(&b, sizeof(float) * planes * oh * ow);
    hipMemcpy(a, in, sizeof(float) * planes * h * w, hipMemcpyHostToDevice);
    box_sum<<<planes, 128, sizeof(float) * h * ow>>>(a, b, h, w, win);
    hipMemcpy(out, b, sizeof(float) * planes * oh * ow, hipMemcpyDeviceToHost);
    hipFree(a);
    hipFree(b);
}
