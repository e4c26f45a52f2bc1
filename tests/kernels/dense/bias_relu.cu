#include <cuda_runtime.h>

// y = act(x W + b), x: (batch, in), W: (in, out)
enum Activation { ACT_NONE = 0, ACT_RELU = 1 };

template <int ACT>
__device__ __forceinline__ float activate(float v)
{
    if (ACT == ACT_RELU) return v > 0.f ? v : 0.f;
    return v;
}

template <int ACT>
__global__ void fc_forward(const float* __restrict__ x, const float* __restrict__ W,
                           const float* __restrict__ b, float* __restrict__ y, int batch, int in,
                           int out)
{
    int o = blockIdx.x * blockDim.x + threadIdx.x;
    int n = blockIdx.y * blockDim.y + threadIdx.y;
    if (o >= out || n >= batch) return;
    float s = b[o];
    for (int i = 0; i < in; i++) s += x[n * in + i] * W[i * out + o];
    y[n * out + o] = activate<ACT>(s);
}

extern "C" void dense(const float* x, const float* W, const float* b, float* y, int batch, int in,
                      int out, int act)
{
    float *dx, *dW, *db, *dy;
    cudaMalloc(&dx, batch * in * sizeof(float));
    cudaMalloc(&dW, in * out * sizeof(float));
    cudaMalloc(&db, out * sizeof(float));
    cudaMalloc(&dy, batch * out * sizeof(float));
    cudaMemcpy(dx, x, batch * in * sizeof(float), cudaMemcpyHostToDevice);
    cudaMemcpy(dW, W, in * out * sizeof(float), cudaMemcpyHostToDevice);
    cudaMemcpy(db, b, out * sizeof(float), cudaMemcpyHostToDevice);
    dim3 t(16, 4), g((out + 15) / 16, (batch + 3) / 4);
    if (act == ACT_RELU)
        fc_forward<ACT_RELU><<<g, t>>>(dx, dW, db, dy, batch, in, out);
    else
        fc_forward<ACT_NONE><<<g, t>>>(dx, dW, db, dy, batch, in, out);
    cudaMemcpy(y, dy, batch * out * sizeof(float), cudaMemcpyDeviceToHost);
    cudaFree(dx);
    cudaFree(dW);
    cudaFree(db);
    cudaFree(dy);
}
