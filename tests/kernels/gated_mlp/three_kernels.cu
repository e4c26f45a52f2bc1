#include <cuda_runtime.h>
#include <math.h>

// out = (silu(x Wg) * (x Wu)) Wd, in three launches.
__global__ void matmul(const float* a, const float* b, float* c, int m, int n, int k)
{
    int j = blockIdx.x * blockDim.x + threadIdx.x;
    int i = blockIdx.y;
    if (j >= n) return;
    float s = 0.f;
    for (int p = 0; p < k; ++p) s += a[i * k + p] * b[p * n + j];
    c[i * n + j] = s;
}

__global__ void silu_mul(float* gate, const float* up, int n)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        float g = gate[i];
        gate[i] = g / (1.f + expf(-g)) * up[i];
    }
}

extern "C" void gated_mlp(const float* x, const float* wg, const float* wu, const float* wd,
                          float* out, int tokens, int dim, int hidden)
{
    float *dx, *dwg, *dwu, *dwd, *g, *u, *dout;
    cudaMalloc(&dx, tokens * dim * sizeof(float));
    cudaMalloc(&dwg, dim * hidden * sizeof(float));
    cudaMalloc(&dwu, dim * hidden * sizeof(float));
    cudaMalloc(&dwd, hidden * dim * sizeof(float));
    cudaMalloc(&g, tokens * hidden * sizeof(float));
    cudaMalloc(&u, tokens * hidden * sizeof(float));
    cudaMalloc(&dout, tokens * dim * sizeof(float));
    cudaMemcpy(dx, x, tokens * dim * sizeof(float), cudaMemcpyHostToDevice);
    cudaMemcpy(dwg, wg, dim * hidden * sizeof(float), cudaMemcpyHostToDevice);
    cudaMemcpy(dwu, wu, dim * hidden * sizeof(float), cudaMemcpyHostToDevice);
    cudaMemcpy(dwd, wd, hidden * dim * sizeof(float), cudaMemcpyHostToDevice);

    const int T = 64;
    matmul<<<dim3((hidden + T - 1) / T, tokens), T>>>(dx, dwg, g, tokens, hidden, dim);
    matmul<<<dim3((hidden + T - 1) / T, tokens), T>>>(dx, dwu, u, tokens, hidden, dim);
    silu_mul<<<(tokens * hidden + T - 1) / T, T>>>(g, u, tokens * hidden);
    matmul<<<dim3((dim + T - 1) / T, tokens), T>>>(g, dwd, dout, tokens, dim, hidden);

    cudaMemcpy(out, dout, tokens * dim * sizeof(float), cudaMemcpyDeviceToHost);
    cudaFree(dx); cudaFree(dwg); cudaFree(dwu); cudaFree(dwd);
    cudaFree(g); cudaFree(u); cudaFree(dout);
}
