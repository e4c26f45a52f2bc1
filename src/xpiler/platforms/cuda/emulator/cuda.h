// The driver API's header, of which kernels use only the version.
#include "cuda_runtime.h"
#define CUDA_VERSION 12040
