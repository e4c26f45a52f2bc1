// needs: async shared_address
__device__ inline void xp_cp_async(unsigned to, const void* from, int bytes) {
  char* shared = xp_shared_pointer(to);
  for (int i = 0; i < bytes; i += 4) *(int*)(shared + i) = *(const int*)((const char*)from + i);
}
