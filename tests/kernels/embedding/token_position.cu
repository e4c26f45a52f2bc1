#include <cuda_runtime.h>

// GPT-2 style input layer: wte[token] + wpe[position]
__global__ void encoder_forward(float* out, const int* inp, const float* wte, const float* wpe,
                                int B, int T, int C)
{
    int idx = blockIdx.x * blockDim.x + threadIdx.x;
    int N = B * T * C;
    if (idx < N) {
        int bt = idx / C;
        int b = bt / T;
        int t = bt % T;
        int c = idx % C;
        int ix = inp[b * T + t];
        float* out_btc = out + b * T * C + t * C + c;
        const float* wte_ix = wte + ix * C + c;
        const float* wpe_tc = wpe + t * C + c;
        *out_btc = *wte_ix + *wpe_tc;
    }
}

extern "C" void embed(float* out, const int* inp, const float* wte, const float* wpe, int B, int T,
                      int C, int V)
{
    float *dout, *dwte, *dwpe;
    int* dinp;
    cudaMalloc(&dout, sizeof(float) * B * T * C);
    cudaMalloc(&dinp, sizeof(int) * B * T);
    cudaMalloc(&dwte, sizeof(float) * V * C);
    cudaMalloc(&dwpe, sizeof(float) * T * C);
    cudaMemcpy(dinp, inp, sizeof(int) * B * T, cudaMemcpyHostToDevice);
    cudaMemcpy(dwte, wte, sizeof(float) * V * C, cudaMemcpyHostToDevice);
    cudaMemcpy(dwpe, wpe, sizeof(float) * T * C, cudaMemcpyHostToDevice);
    const int n = B * T * C;
    encoder_forward<<<(n + 127) / 128, 128>>>(dout, dinp, dwte, dwpe, B, T, C);
    cudaMemcpy(out, dout, sizeof(float) * B * T * C, cudaMemcpyDeviceToHost);
    cudaFree(dout);
    cudaFree(dinp);
    cudaFree(dwte);
    cudaFree(dwpe);
}
