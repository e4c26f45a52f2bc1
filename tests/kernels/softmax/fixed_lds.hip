#include <hip/hip_runtime.h>
#define ROWS 12
#define COLS 96
#define THREADS 96

// log-softmax over a fixed 12 x 96 matrix; LDS holds one value a thread.
__global__ void log_softmax(float* out, const float* in)
{
	__shared__ float lds[THREADS];
	__shared__ float shift;
	__shared__ float logsum;

	const int tid = hipThreadIdx_x;
	const int at = hipBlockIdx_x * COLS + tid;
	const float v = in[at];

	lds[tid] = v;
	__syncthreads();
	if (tid == 0) {
		float best = lds[0];
		for (int k = 1; k < COLS; ++k)
			if (lds[k] > best)
				best = lds[k];
		shift = best;
	}
	__syncthreads();
	lds[tid] = expf(v - shift);
	__syncthreads();
	if (tid == 0) {
		float s = 0;
		for (int k = 0; k < COLS; ++k)
			s += lds[k];
		logsum = logf(s);
	}
	__syncthreads();
	out[at] = v - shift - logsum;
}

extern "C" int run_log_softmax(float* out, const float* in)
{
	float *o, *i;
	if (hipMalloc((void**)&o, ROWS * COLS * sizeof(float)) != hipSuccess)
		return 1;
	if (hipMalloc((void**)&i, ROWS * COLS * sizeof(float)) != hipSuccess)
		return 1;
	hipMemcpy(i, in, ROWS * COLS * sizeof(float), hipMemcpyHostToDevice);
	log_softmax<<<ROWS, THREADS>>>(o, i);
	if (hipGetLastError() != hipSuccess)
		return 2;
	hipMemcpy(out, o, ROWS * COLS * sizeof(float), hipMemcpyDeviceToHost);
	hipFree(o);
	hipFree(i);
	return 0;
}
