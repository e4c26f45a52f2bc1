#include <hip/hip_runtime.h>

// y = sign(x) on device buffers
__global__ void sign_kernel(const float* x, float* y, unsigned n) {
    for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
        float v = x[i];
        y[i] = (v == 0.0f) ? 0.0f : copysignf(1.0f, v);
    }
}

extern "C" void hip_sign(const float* x, float* y, unsigned n) {
    sign_kernel<<<2, 96>>>(x, y, n);
    (void)hipDeviceSynchronize();
}
