#include "hip/hip_runtime.h"
#include <cfloat>

template <typename T> struct MinOp {
  static __device__ T identity() { return T(DBL_MAX); }
  __device__ T operator()(T a, T b) const { return b < a ? b : a; }
};

template <typename T, class Op, unsigned N>
__device__ T blockReduce(T v, Op op) {
  __shared__ T tmp[N];
  tmp[threadIdx.x] = v;
  __syncthreads();
#pragma unroll
  for (unsigned s = N / 2; s > 0; s >>= 1) {
    if (threadIdx.x < s) tmp[threadIdx.x] = op(tmp[threadIdx.x], tmp[threadIdx.x + s]);
    __syncthreads();
  }
  return tmp[0];
}

__global__ void rowMin(const double* a, double* r, int cols) {
  double best = MinOp<double>::identity();
  MinOp<double> op;
  for (int c = threadIdx.x; c < cols; c += 64) best = op(best, a[blockIdx.x * cols + c]);
  best = blockReduce<double, MinOp<double>, 64>(best, op);
  if (threadIdx.x == 0) r[blockIdx.x] = best;
}

extern "C" void min_rows(const double* a, double* r, int rows, int cols) {
  double *da, *dr;
  hipMalloc((void**)&da, rows * cols * sizeof(double));
  hipMalloc((void**)&dr, rows * sizeof(double));
  hipMemcpy(da, a, rows * cols * sizeof(double), hipMemcpyHostToDevice);
  rowMin<<<rows, 64>>>(da, dr, cols);
  hipMemcpy(r, dr, rows * sizeof(double), hipMemcpyDeviceToHost);
  hipFree(da);
  hipFree(dr);
}
