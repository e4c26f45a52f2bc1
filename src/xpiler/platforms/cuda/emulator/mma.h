#include "cuda_runtime.h"
#include "xp_wmma.h"
