#include <cuda_pipeline.h>
__device__ inline void xp_cp_async(unsigned to, const void* from, int bytes) {
  void* shared = __cvta_shared_to_generic(to);
  if (bytes == 16) __pipeline_memcpy_async(shared, from, 16);
  else if (bytes == 8) __pipeline_memcpy_async(shared, from, 8);
  else __pipeline_memcpy_async(shared, from, 4);
}
