#include <hip/hip_runtime.h>

// 1 x 4 x 9 x 9 input, 6 filters 4 x 3 x 3, stride 1, padding 1
extern "C" __global__ void __launch_bounds__(81) conv(float* __restrict__ data, float* __restrict__ kernel, float* __restrict__ out) {
  float acc[1];
  acc[0] = 0.000000e+00f;
  for (int rc = 0; rc < 4; ++rc) {
    for (int ry = 0; ry < 3; ++ry) {
      for (int rx = 0; rx < 3; ++rx) {
        acc[0] = (acc[0] + (((((1 <= ((((int)threadIdx.x) / 9) + ry)) && (((((int)threadIdx.x) / 9) + ry) < 10)) && (1 <= (rx + (((int)threadIdx.x) % 9)))) && ((rx + (((int)threadIdx.x) % 9)) < 10)) ? data[(((((rc * 81) + (ry * 9)) + ((int)threadIdx.x)) + rx) - 10)] : 0.000000e+00f) * kernel[((((((int)blockIdx.x) * 36) + (rc * 9)) + (ry * 3)) + rx)]);
      }
    }
  }
  out[((((int)blockIdx.x) * 81) + ((int)threadIdx.x))] = acc[0];
}
