#include <hip/hip_runtime.h>
#include <hip/hip_bf16.h>

typedef __hip_bfloat16 bf16_t;

__global__ void RmsNormBf16(bf16_t* __restrict__ dst, const bf16_t* __restrict__ src,
                            const bf16_t* __restrict__ gain, const int width,
                            const float epsilon)
{
    const int wave = threadIdx.x / 64;
    const int lane = threadIdx.x % 64;
    const int row  = blockIdx.x * 2 + wave;     // two waves, two rows
    const bf16_t* s = src + row * width;
    bf16_t* d       = dst + row * width;

    float acc = 0.f;
    for (int c = lane; c < width; c += 64)
    {
        const float v = __bfloat162float(s[c]);
        acc = fmaf(v, v, acc);
    }
    acc += __shfl_xor(acc, 32);
    acc += __shfl_xor(acc, 16);
    acc += __shfl_xor(acc, 8);
    acc += __shfl_xor(acc, 4);
    acc += __shfl_xor(acc, 2);
    acc += __shfl_xor(acc, 1);

    const float inv = 1.0f / sqrtf(acc / float(width) + epsilon);
    for (int c = lane; c < width; c += 64)
        d[c] = __float2bfloat16(__bfloat162float(s[c]) * inv * __bfloat162float(gain[c]));
}
