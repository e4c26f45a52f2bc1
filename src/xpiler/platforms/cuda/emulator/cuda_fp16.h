#include "cuda_runtime.h"
#include "xp_half.h"
