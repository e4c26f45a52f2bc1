#include <hip/hip_runtime.h>

// Plain SGD with the gradient clipped by its global norm; two kernels.
__global__ void squared_norm(const double* g, double* norm2, int n)
{
    __shared__ double part[128];
    double s = 0;
    for (int i = threadIdx.x; i < n; i += 128) s += g[i] * g[i];
    part[threadIdx.x] = s;
    __syncthreads();
    for (int k = 64; k; k >>= 1) {
        if (threadIdx.x < k) part[threadIdx.x] += part[threadIdx.x + k];
        __syncthreads();
    }
    if (!threadIdx.x) *norm2 = part[0];
}

__global__ void step(double* w, const double* g, const double* norm2, double lr, double max_norm,
                     int n)
{
    const double norm = sqrt(*norm2);
    const double k = norm > max_norm ? max_norm / norm : 1.0;
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) w[i] -= lr * k * g[i];
}

extern "C" void sgd_clipped(double* w, const double* g, int n, double lr, double max_norm)
{
    double *dw, *dg, *dn;
    hipMalloc(&dw, n * sizeof(double));
    hipMalloc(&dg, n * sizeof(double));
    hipMalloc(&dn, sizeof(double));
    hipMemcpy(dw, w, n * sizeof(double), hipMemcpyHostToDevice);
    hipMemcpy(dg, g, n * sizeof(double), hipMemcpyHostToDevice);
    squared_norm<<<1, 128>>>(dg, dn, n);
    step<<<(n + 127) / 128, 128>>>(dw, dg, dn, lr, max_norm, n);
    hipMemcpy(w, dw, n * sizeof(double), hipMemcpyDeviceToHost);
    hipFree(dw);
    hipFree(dg);
    hipFree(dn);
}
