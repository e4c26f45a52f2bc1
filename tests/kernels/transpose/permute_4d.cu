// (B, S, H, D) -> (B, H, S, D), one thread an element of the result.
template <typename T>
__global__ void permute_0213(const T* __restrict__ in, T* __restrict__ out,
                             int B, int S, int H, int D)
{
    long long idx = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    long long total = (long long)B * S * H * D;
    if (idx >= total) return;
    int d = idx % D;
    long long r = idx / D;
    int s = r % S;  r /= S;
    int h = r % H;
    int b = r / H;
    out[idx] = in[((long long)(b * S + s) * H + h) * D + d];
}

extern "C" void split_heads(const int* in, int* out, int B, int S, int H, int D)
{
    int *a, *b;
    size_t n = (size_t)B * S * H * D;
    cudaMalloc(&a, n * sizeof(int));
    cudaMalloc(&b, n * sizeof(int));
    cudaMemcpy(a, in, n * sizeof(int), cudaMemcpyHostToDevice);
    permute_0213<int><<<(n + 255) / 256, 256>>>(a, b, B, S, H, D);
    cudaMemcpy(out, b, n * sizeof(int), cudaMemcpyDeviceToHost);
    cudaFree(a);
    cudaFree(b);
}
