#include "cuda_runtime.h"
#include "xp_cooperative_groups.h"
