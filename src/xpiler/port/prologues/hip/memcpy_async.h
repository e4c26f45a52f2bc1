// needs: async
__device__ inline void xp_memcpy_async(void* to, const void* from, size_t bytes) {
  __builtin_memcpy(to, from, bytes);
}
