#include <cuda_runtime.h>
#include <cstdint>

// out[i] = table[index[i]], rows of a multiple of four floats
__global__ void gather_rows(const float4* __restrict__ table, const int64_t* __restrict__ index,
                            float4* __restrict__ out, int count, int width4)
{
    const int i = blockIdx.x;
    if (i >= count) return;
    const int64_t src = index[i];
    for (int j = threadIdx.x; j < width4; j += blockDim.x)
        out[(int64_t)i * width4 + j] = table[src * width4 + j];
}

extern "C" void index_select(const float* table, const int64_t* index, float* out, int rows,
                             int count, int width)
{
    float *dt, *dout;
    int64_t* di;
    cudaMalloc(&dt, sizeof(float) * rows * width);
    cudaMalloc(&di, sizeof(int64_t) * count);
    cudaMalloc(&dout, sizeof(float) * count * width);
    cudaMemcpy(dt, table, sizeof(float) * rows * width, cudaMemcpyHostToDevice);
    cudaMemcpy(di, index, sizeof(int64_t) * count, cudaMemcpyHostToDevice);
    gather_rows<<<count, 32>>>(reinterpret_cast<const float4*>(dt), di,
                               reinterpret_cast<float4*>(dout), count, width / 4);
    cudaMemcpy(out, dout, sizeof(float) * count * width, cudaMemcpyDeviceToHost);
    cudaFree(dt);
    cudaFree(di);
    cudaFree(dout);
}
