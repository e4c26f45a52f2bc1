#include "cuda_runtime.h"
#include "xp_pipeline.h"
