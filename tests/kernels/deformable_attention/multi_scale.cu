#include <cuda_runtime.h>
#include <math.h>

// Multi-scale deformable attention, forward.
//   value   (B, sum of H_l W_l, heads, ch)     spatial (levels, 2) as (H, W)
//   loc     (B, Q, heads, levels, points, 2) in [0, 1], (x, y)
//   weight  (B, Q, heads, levels, points)      out (B, Q, heads, ch)
__device__ float bilinear(const float* data, int height, int width, int stride, float h, float w)
{
    const int h0 = (int)floorf(h), w0 = (int)floorf(w);
    const int h1 = h0 + 1, w1 = w0 + 1;
    const float lh = h - h0, lw = w - w0;
    const float hh = 1 - lh, hw = 1 - lw;

    float v1 = 0, v2 = 0, v3 = 0, v4 = 0;
    if (h0 >= 0 && w0 >= 0) v1 = data[(h0 * width + w0) * stride];
    if (h0 >= 0 && w1 <= width - 1) v2 = data[(h0 * width + w1) * stride];
    if (h1 <= height - 1 && w0 >= 0) v3 = data[(h1 * width + w0) * stride];
    if (h1 <= height - 1 && w1 <= width - 1) v4 = data[(h1 * width + w1) * stride];
    return hh * hw * v1 + hh * lw * v2 + lh * hw * v3 + lh * lw * v4;
}

__global__ void ms_deform_attn(int n, const float* value, const int* spatial,
                               const int* level_start, const float* loc, const float* weight,
                               int spatial_size, int heads, int ch, int levels, int queries,
                               int points, float* out)
{
    for (int index = blockIdx.x * blockDim.x + threadIdx.x; index < n;
         index += blockDim.x * gridDim.x) {
        int rest = index;
        const int c = rest % ch;
        rest /= ch;
        const int sampling = rest;                 // (b, q, head) flattened
        const int m = rest % heads;
        rest /= heads;
        rest /= queries;
        const int b = rest;

        const float* wp = weight + sampling * levels * points;
        const float* lp = loc + sampling * levels * points * 2;
        float acc = 0;
        for (int l = 0; l < levels; ++l) {
            const int h = spatial[2 * l];
            const int w = spatial[2 * l + 1];
            const float* v = value + ((b * spatial_size + level_start[l]) * heads + m) * ch + c;
            for (int p = 0; p < points; ++p, ++wp, lp += 2) {
                const float him = lp[1] * h - 0.5f;
                const float wim = lp[0] * w - 0.5f;
                if (him > -1 && wim > -1 && him < h && wim < w)
                    acc += bilinear(v, h, w, heads * ch, him, wim) * *wp;
            }
        }
        out[index] = acc;
    }
}

// Two levels, 4 x 6 and 2 x 3, are fixed here.
extern "C" void deformable_attention(const float* value, const float* loc, const float* weight,
                                     float* out, int B, int Q, int heads, int ch, int points)
{
    const int levels = 2, cells = 4 * 6 + 2 * 3;
    const int shapes[4] = {4, 6, 2, 3};
    const int starts[2] = {0, 24};
    float *dv, *dl, *dw, *dout;
    int *ds, *dst;
    const int n = B * Q * heads * ch;
    const int samples = B * Q * heads * levels * points;
    cudaMalloc(&dv, sizeof(float) * B * cells * heads * ch);
    cudaMalloc(&dl, sizeof(float) * samples * 2);
    cudaMalloc(&dw, sizeof(float) * samples);
    cudaMalloc(&dout, sizeof(float) * n);
    cudaMalloc(&ds, sizeof(shapes));
    cudaMalloc(&dst, sizeof(starts));
    cudaMemcpy(dv, value, sizeof(float) * B * cells * heads * ch, cudaMemcpyHostToDevice);
    cudaMemcpy(dl, loc, sizeof(float) * samples * 2, cudaMemcpyHostToDevice);
    cudaMemcpy(dw, weight, sizeof(float) * samples, cudaMemcpyHostToDevice);
    cudaMemcpy(ds, shapes, sizeof(shapes), cudaMemcpyHostToDevice);
    cudaMemcpy(dst, starts, sizeof(starts), cudaMemcpyHostToDevice);
    ms_deform_attn<<<(n + 63) / 64, 64>>>(n, dv, ds, dst, dl, dw, cells, heads, ch, levels, Q,
                                          points, dout);
    cudaMemcpy(out, dout, sizeof(float) * n, cudaMemcpyDeviceToHost);
    cudaFree(dv);
    cudaFree(dl);
    cudaFree(dw);
    cudaFree(dout);
    cudaFree(ds);
    cudaFree(dst);
}
