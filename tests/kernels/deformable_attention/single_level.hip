#include <hip/hip_runtime.h>

struct Map {
    const float* data;
    int h, w, c;

    __device__ float at(int y, int x, int ch) const
    {
        return (y < 0 || x < 0 || y >= h || x >= w) ? 0.0f : data[(y * w + x) * c + ch];
    }

    __device__ float sample(float y, float x, int ch) const
    {
        const float fy = floorf(y), fx = floorf(x);
        const int iy = (int)fy, ix = (int)fx;
        const float ay = y - fy, ax = x - fx;
        const float top = at(iy, ix, ch) * (1.f - ax) + at(iy, ix + 1, ch) * ax;
        const float bottom = at(iy + 1, ix, ch) * (1.f - ax) + at(iy + 1, ix + 1, ch) * ax;
        return top * (1.f - ay) + bottom * ay;
    }
};

// Every query looks at POINTS places around its reference point and mixes them by a softmax
// over learnt scores. Channel = thread, query = block.
template <int POINTS>
__global__ void deform_attn(const float* feature, const float* reference, const float* offset,
                            const float* score, float* out, int h, int w, int c)
{
    const int q = blockIdx.x;
    Map map = {feature, h, w, c};

    float weight[POINTS];
    float peak = score[q * POINTS];
    for (int p = 1; p < POINTS; ++p) peak = fmaxf(peak, score[q * POINTS + p]);
    float total = 0.f;
    for (int p = 0; p < POINTS; ++p) {
        weight[p] = __expf(score[q * POINTS + p] - peak);
        total += weight[p];
    }

    for (int ch = threadIdx.x; ch < c; ch += blockDim.x) {
        float acc = 0.f;
        for (int p = 0; p < POINTS; ++p) {
            const float y = reference[q * 2] + offset[(q * POINTS + p) * 2];
            const float x = reference[q * 2 + 1] + offset[(q * POINTS + p) * 2 + 1];
            acc += weight[p] / total * map.sample(y, x, ch);
        }
        out[q * c + ch] = acc;
    }
}

extern "C" void deformable_attention_4(const float* feature, const float* reference,
                                       const float* offset, const float* score, float* out,
                                       int queries, int h, int w, int c)
{
    float *f, *r, *o, *s, *y;
    hipMalloc(&f, sizeof(float) * h * w * c);
    hipMalloc(&r, sizeof(float) * queries * 2);
    hipMalloc(&o, sizeof(float) * queries * 8);
    hipMalloc(&s, sizeof(float) * queries * 4);
    hipMalloc(&y, sizeof(float) * queries * c);
    hipMemcpy(f, feature, sizeof(float) * h * w * c, hipMemcpyHostToDevice);
    hipMemcpy(r, reference, sizeof(float) * queries * 2, hipMemcpyHostToDevice);
    hipMemcpy(o, offset, sizeof(float) * queries * 8, hipMemcpyHostToDevice);
    hipMemcpy(s, score, sizeof(float) * queries * 4, hipMemcpyHostToDevice);
    deform_attn<4><<<queries, 32>>>(f, r, o, s, y, h, w, c);
    hipMemcpy(out, y, sizeof(float) * queries * c, hipMemcpyDeviceToHost);
    hipFree(f);
    hipFree(r);
    hipFree(o);
    hipFree(s);
    hipFree(y);
}
