#include <hip/hip_runtime.h>

// NHWC depthwise, valid; the channel is the fastest thread index so loads coalesce.
__global__ void depthwise_nhwc(const float *in, const float *filt, float *out, int h, int w, int c,
                               int kh, int kw)
{
  int oh = h - kh + 1;
  int ow = w - kw + 1;
  int ch = threadIdx.x + blockDim.x * blockIdx.x;
  int px = blockIdx.y;
  int n = blockIdx.z;
  if (ch < c)
  {
    int oy = px / ow;
    int ox = px % ow;
    double acc = 0;
    for (int i = 0; i < kh; ++i)
    {
      for (int j = 0; j < kw; ++j)
      {
        acc += (double)in[((n * h + oy + i) * w + ox + j) * c + ch] * filt[(i * kw + j) * c + ch];
      }
    }
    out[((n * oh + oy) * ow + ox) * c + ch] = (float)acc;
  }
}

extern "C" void depthwise(const float *in, const float *filt, float *out, int n, int h, int w,
                          int c, int kh, int kw)
{
  int oh = h - kh + 1, ow = w - kw + 1;
  float *a, *f, *o;
  hipMalloc(&a, sizeof(float) * n * h * w * c);
  hipMalloc(&f, sizeof(float) * kh * kw * c);
  hipMalloc(&o, sizeof(float) * n * oh * ow * c);
  hipMemcpy(a, in, sizeof(float) * n * h * w * c, hipMemcpyHostToDevice);
  hipMemcpy(f, filt, sizeof(float) * kh * kw * c, hipMemcpyHostToDevice);
  hipLaunchKernelGGL(depthwise_nhwc, dim3((c + 31) / 32, oh * ow, n), dim3(32), 0, 0, a, f, o, h,
                     w, c, kh, kw);
  hipMemcpy(out, o, sizeof(float) * n * oh * ow * c, hipMemcpyDeviceToHost);
  hipFree(a);
  hipFree(f);
  hipFree(o);
}
