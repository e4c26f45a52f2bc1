// SGD with momentum and optional Nesterov look-ahead; kernel only.
template <bool NESTEROV>
__device__ float update(float g, float *buf, float mu)
{
    float b = mu * *buf + g;
    *buf = b;
    return NESTEROV ? g + mu * b : b;
}

__global__ void sgd_momentum(float *w, const float *g, float *buf, float lr, float mu,
                             float weight_decay, bool nesterov, int n)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n)
        return;
    float grad = g[i] + weight_decay * w[i];
    float d = nesterov ? update<true>(grad, buf + i, mu) : update<false>(grad, buf + i, mu);
    w[i] -= lr * d;
}
