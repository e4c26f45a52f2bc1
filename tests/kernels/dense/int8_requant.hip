#include <hip/hip_runtime.h>
#include <stdint.h>

/* Quantised dense layer: int8 activations and weights, int32 bias, result scaled back and
 * rounded to int8. One block per sample, one thread per output. */
__global__ void qdense(const int8_t *x, const int8_t *w, const int32_t *bias, int8_t *y,
                       int in_dim, int out_dim, float scale)
{
	for (int o = threadIdx.x; o < out_dim; o += blockDim.x) {
		int32_t acc = bias[o];
		for (int i = 0; i < in_dim; i++)
			acc += (int32_t)x[blockIdx.x * in_dim + i] * (int32_t)w[o * in_dim + i];
		int q = (int)rintf(acc * scale);
		q = max(-128, min(127, q));
		y[blockIdx.x * out_dim + o] = (int8_t)q;
	}
}

extern "C" void quantised_dense(const int8_t *x, const int8_t *w, const int32_t *bias, int8_t *y,
                                int batch, int in_dim, int out_dim, float scale)
{
	int8_t *dx, *dw, *dy;
	int32_t *db;
	hipMalloc((void **)&dx, batch * in_dim);
	hipMalloc((void **)&dw, out_dim * in_dim);
	hipMalloc((void **)&db, out_dim * sizeof(int32_t));
	hipMalloc((void **)&dy, batch * out_dim);
	hipMemcpy(dx, x, batch * in_dim, hipMemcpyHostToDevice);
	hipMemcpy(dw, w, out_dim * in_dim, hipMemcpyHostToDevice);
	hipMemcpy(db, bias, out_dim * sizeof(int32_t), hipMemcpyHostToDevice);
	qdense<<<batch, 64>>>(dx, dw, db, dy, in_dim, out_dim, scale);
	hipMemcpy(y, dy, batch * out_dim, hipMemcpyDeviceToHost);
	hipFree(dx);
	hipFree(dw);
	hipFree(db);
	hipFree(dy);
}
