#include <cuda_runtime.h>

/* In-place ReLU on device memory. count4 = count / 4 threads work on float4,
 * the remainder is done by block 0. */
__global__ void relu_(float *data, int count)
{
	int i = blockIdx.x * blockDim.x + threadIdx.x;
	float4 *v = (float4 *)data;
	if (i < count / 4) {
		float4 t = v[i];
		t.x = t.x > 0 ? t.x : 0;
		t.y = t.y > 0 ? t.y : 0;
		t.z = t.z > 0 ? t.z : 0;
		t.w = t.w > 0 ? t.w : 0;
		v[i] = t;
	}
	if (blockIdx.x == 0 && threadIdx.x < count % 4) {
		int k = count - 1 - threadIdx.x;
		data[k] = fmaxf(data[k], 0.f);
	}
}

void relu_inplace(float *data, int count)
{
	int blocks = (count / 4 + 127) / 128;
	if (blocks == 0)
		blocks = 1;
	relu_<<<blocks, 128>>>(data, count);
}
