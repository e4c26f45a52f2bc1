// A shared address as a number. AMD: shared memory fills one aperture of 4 GiB, so the lower half of a pointer is the
// address and the upper half is that of any other shared variable.
__device__ inline unsigned xp_shared_address(const void* p) { return (unsigned)(size_t)p; }
__device__ inline char* xp_shared_pointer(unsigned address) {
  __shared__ int here;
  return (char*)(((size_t)&here & ~(size_t)0xffffffffu) | address);
}
