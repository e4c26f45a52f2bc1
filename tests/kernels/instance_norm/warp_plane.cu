#include <cuda_runtime.h>
#include <cooperative_groups.h>
namespace cg = cooperative_groups;

// A warp-sized tile normalises one (n, c) plane.
__global__ void instance_norm(const float* in, float* out, int planes, int hw, float eps)
{
    cg::thread_block block = cg::this_thread_block();
    cg::thread_block_tile<32> warp = cg::tiled_partition<32>(block);
    const int plane = blockIdx.x * (blockDim.x / 32) + warp.meta_group_rank();
    if (plane >= planes) return;
    const float* p = in + plane * hw;

    float s = 0.f;
    for (int i = warp.thread_rank(); i < hw; i += warp.size()) s += p[i];
    for (int d = warp.size() / 2; d > 0; d /= 2) s += warp.shfl_xor(s, d);
    const float mean = s / hw;

    float v = 0.f;
    for (int i = warp.thread_rank(); i < hw; i += warp.size()) v += (p[i] - mean) * (p[i] - mean);
    for (int d = warp.size() / 2; d > 0; d /= 2) v += warp.shfl_xor(v, d);
    const float inv = rsqrtf(v / hw + eps);

    for (int i = warp.thread_rank(); i < hw; i += warp.size())
        out[plane * hw + i] = (p[i] - mean) * inv;
}

extern "C" void instancenorm(const float* in, float* out, int n, int c, int h, int w, float eps)
{
    const int planes = n * c, hw = h * w;
    float *di, *dout;
    cudaMalloc(&di, sizeof(float) * planes * hw);
    cudaMalloc(&dout, sizeof(float) * planes * hw);
    cudaMemcpy(di, in, sizeof(float) * planes * hw, cudaMemcpyHostToDevice);
    instance_norm<<<(planes + 3) / 4, 128>>>(di, dout, planes, hw, eps);
    cudaMemcpy(out, dout, sizeof(float) * planes * hw, cudaMemcpyDeviceToHost);
    cudaFree(di);
    cudaFree(dout);
}
