// (N, C, L) * (O, C, K) -> (N, O, Lout), with stride, padding and dilation.
__global__ void conv1d_ncl(const float* x, const float* w, const float* bias, float* y,
                           int C, int L, int O, int K, int Lout, int stride, int pad, int dil)
{
    const int t = blockIdx.x * blockDim.x + threadIdx.x;
    const int o = blockIdx.y;
    const int n = blockIdx.z;
    if (t >= Lout) return;

    float acc = bias ? bias[o] : 0.f;
    for (int c = 0; c < C; ++c) {
        const float* xr = x + (n * C + c) * L;
        const float* wr = w + (o * C + c) * K;
        for (int k = 0; k < K; ++k) {
            const int s = t * stride - pad + k * dil;
            if (s < 0 || s >= L) continue;
            acc += xr[s] * wr[k];
        }
    }
    y[(n * O + o) * Lout + t] = acc;
}

extern "C" void conv1d(const float* x, const float* w, const float* bias, float* y, int N, int C,
                       int L, int O, int K, int stride, int pad, int dil)
{
    const int Lout = (L + 2 * pad - dil * (K - 1) - 1) / stride + 1;
    float *dx, *dw, *db, *dy;
    cudaMalloc(&dx, sizeof(float) * N * C * L);
    cudaMalloc(&dw, sizeof(float) * O * C * K);
    cudaMalloc(&db, sizeof(float) * O);
    cudaMalloc(&dy, sizeof(float) * N * O * Lout);
    cudaMemcpy(dx, x, sizeof(float) * N * C * L, cudaMemcpyHostToDevice);
    cudaMemcpy(dw, w, sizeof(float) * O * C * K, cudaMemcpyHostToDevice);
    cudaMemcpy(db, bias, sizeof(float) * O, cudaMemcpyHostToDevice);
    conv1d_ncl<<<dim3((Lout + 31) / 32, O, N), 32>>>(dx, dw, db, dy, C, L, O, K, Lout, stride, pad,
                                                     dil);
    cudaMemcpy(y, dy, sizeof(float) * N * O * Lout, cudaMemcpyDeviceToHost);
    cudaFree(dx);
    cudaFree(dw);
    cudaFree(db);
    cudaFree(dy);
}
