#include <hip/hip_runtime.h>

// Training batch norm, NCHW, one block per channel. Sums and squares go together.
template <int kBlock>
__global__ void BatchNormTrain(const float* in, const float* gamma, const float* beta, float* out,
                               int N, int C, int S, float eps)
{
  __shared__ float2 acc[kBlock];
  const int c = blockIdx.x;
  const int tid = threadIdx.x;
  const int count = N * S;

  float2 mine = make_float2(0.f, 0.f);
  for (int i = tid; i < count; i += kBlock) {
    const int n = i / S, s = i - n * S;
    const float v = in[(n * C + c) * S + s];
    mine.x += v;
    mine.y += v * v;
  }
  acc[tid] = mine;
  __syncthreads();
  for (int w = kBlock / 2; w > 0; w /= 2) {
    if (tid < w) {
      acc[tid].x += acc[tid + w].x;
      acc[tid].y += acc[tid + w].y;
    }
    __syncthreads();
  }
  const float mean = acc[0].x / count;
  const float var = acc[0].y / count - mean * mean;
  const float a = gamma[c] * rsqrtf(var + eps);
  const float b = beta[c] - mean * a;
  for (int i = tid; i < count; i += kBlock) {
    const int at = (i / S * C + c) * S + i % S;
    out[at] = in[at] * a + b;
  }
}

extern "C" void bn_forward(const float* in, const float* gamma, const float* beta, float* out,
                           int N, int C, int S, float eps)
{
  float *d_in, *d_g, *d_b, *d_out;
  const size_t bytes = sizeof(float) * N * C * S;
  hipMalloc(&d_in, bytes);
  hipMalloc(&d_out, bytes);
  hipMalloc(&d_g, sizeof(float) * C);
  hipMalloc(&d_b, sizeof(float) * C);
  hipMemcpy(d_in, in, bytes, hipMemcpyHostToDevice);
  hipMemcpy(d_g, gamma, sizeof(float) * C, hipMemcpyHostToDevice);
  hipMemcpy(d_b, beta, sizeof(float) * C, hipMemcpyHostToDevice);
  BatchNormTrain<128><<<C, 128>>>(d_in, d_g, d_b, d_out, N, C, S, eps);
  hipMemcpy(out, d_out, bytes, hipMemcpyDeviceToHost);
  hipFree(d_in);
  hipFree(d_out);
  hipFree(d_g);
  hipFree(d_b);
}
