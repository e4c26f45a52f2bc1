#include <hip/hip_runtime.h>

/* Mean of a whole array: every wave adds its share into one float. */
__global__ void mean_all(const float* x, float* result, int n)
{
	int i = blockIdx.x * blockDim.x + threadIdx.x;
	float v = i < n ? x[i] : 0.0f;
	v += __shfl_down(v, 32);
	v += __shfl_down(v, 16);
	v += __shfl_down(v, 8);
	v += __shfl_down(v, 4);
	v += __shfl_down(v, 2);
	v += __shfl_down(v, 1);
	if (__lane_id() == 0)
		atomicAdd(result, v / (float)n);
}

extern "C" void mean(const float* x, float* result, int n)
{
	float *dx, *dr;
	hipMalloc((void**)&dx, n * sizeof(float));
	hipMalloc((void**)&dr, sizeof(float));
	hipMemcpy(dx, x, n * sizeof(float), hipMemcpyHostToDevice);
	hipMemset(dr, 0, sizeof(float));
	mean_all<<<(n + 127) / 128, 128>>>(dx, dr, n);
	hipMemcpy(result, dr, sizeof(float), hipMemcpyDeviceToHost);
	hipFree(dx);
	hipFree(dr);
}
