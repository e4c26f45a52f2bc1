// Dense layer, 10 x 64 inputs, 64 x 48 weights (stored out-major). The input row is shared.
__global__ void __launch_bounds__(48)
dense_48(const float* __restrict__ inp, const float* __restrict__ wgt,
         const float* __restrict__ bias, float* __restrict__ outp)
{
    __shared__ float row[64];
    for (int i = threadIdx.x; i < 64; i += 48)
        row[i] = inp[blockIdx.x * 64 + i];
    __syncthreads();

    float acc0 = bias[threadIdx.x], acc1 = 0.f;
    const float* w = &wgt[threadIdx.x * 64];
    for (int i = 0; i < 64; i += 2) {
        acc0 += row[i] * w[i];
        acc1 += row[i + 1] * w[i + 1];
    }
    outp[blockIdx.x * 48 + threadIdx.x] = acc0 + acc1;
}
