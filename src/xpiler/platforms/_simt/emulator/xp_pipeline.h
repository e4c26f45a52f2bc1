// <cuda_pipeline_primitives.h>: asynchronous copies to shared memory by functions.
#ifndef XP_PIPELINE_H
#define XP_PIPELINE_H
#include "xp_simt.h"
inline void __pipeline_memcpy_async(void* shared, const void* global, size_t bytes, size_t zero_fill = 0, XP_LINE) {
  xprt::aligned(shared, bytes, xp_line);
  xprt::aligned(global, bytes, xp_line);
  xprt::async_copy(shared, global, bytes, bytes - zero_fill, xp_line);
}
inline void __pipeline_commit() { xprt::async_commit(); }
inline void __pipeline_wait_prior(size_t groups, XP_LINE) { xprt::async_wait((unsigned)groups, xp_line); }
#endif
