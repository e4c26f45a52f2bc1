#include <hip/hip_runtime.h>
#include <cfloat>

/*
 * Online softmax (one pass for maximum and normaliser together).
 * A 64-wide wavefront owns a row.
 */
struct MaxSum
{
    float m;   // running maximum
    float d;   // running sum of exp(x - m)
};

__device__ inline MaxSum merge(MaxSum a, MaxSum b)
{
    const bool a_bigger = a.m > b.m;
    MaxSum big   = a_bigger ? a : b;
    MaxSum small = a_bigger ? b : a;
    MaxSum r;
    r.m = big.m;
    r.d = big.d + small.d * __expf(small.m - big.m);
    return r;
}

__global__ __launch_bounds__(64)
void online_softmax(const float* __restrict__ x, float* __restrict__ y, int V)
{
    const int lane = threadIdx.x;
    x += static_cast<size_t>(blockIdx.x) * V;
    y += static_cast<size_t>(blockIdx.x) * V;

    MaxSum acc{-FLT_MAX, 0.0f};
    for (int j = lane; j < V; j += 64)
    {
        MaxSum one{x[j], 1.0f};
        acc = merge(acc, one);
    }
    for (int off = 32; off; off /= 2)
    {
        MaxSum other;
        other.m = __shfl_xor(acc.m, off);
        other.d = __shfl_xor(acc.d, off);
        acc = merge(acc, other);
    }
    for (int j = lane; j < V; j += 64)
        y[j] = __expf(x[j] - acc.m) / acc.d;
}

extern "C" void softmax_online(const float* h_x, float* h_y, int batch, int V)
{
    float* buf;
    const size_t n = static_cast<size_t>(batch) * V;
    hipMalloc(reinterpret_cast<void**>(&buf), 2 * n * sizeof(float));
    float* d_x = buf;
    float* d_y = buf + n;
    hipMemcpy(d_x, h_x, n * sizeof(float), hipMemcpyHostToDevice);
    online_softmax<<<dim3(batch), dim3(64)>>>(d_x, d_y, V);
    hipMemcpy(h_y, d_y, n * sizeof(float), hipMemcpyDeviceToHost);
    hipFree(buf);
}
