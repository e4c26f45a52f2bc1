__device__ inline void xp_nanosleep(unsigned) { __builtin_amdgcn_s_sleep(1); }
