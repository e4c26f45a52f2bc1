#include <hip/hip_runtime.h>

#define BINS 32
#define WAVES 2

/* Each wave keeps its own histogram in LDS; they are added at the end. One block only. */
__global__ void histogram_waves(const int *keys, int *out, int n)
{
	__shared__ int h[WAVES][BINS];
	int wave = threadIdx.x / 64;

	if (threadIdx.x < WAVES * BINS)
		((int *)h)[threadIdx.x] = 0;
	__syncthreads();

	for (int i = threadIdx.x; i < n; i += 64 * WAVES)
		atomicAdd(&h[wave][keys[i] & (BINS - 1)], 1);
	__syncthreads();

	if (threadIdx.x < BINS) {
		int total = 0;
		for (int w = 0; w < WAVES; w++)
			total += h[w][threadIdx.x];
		out[threadIdx.x] = total;
	}
}
