// needs: lane
// ldmatrix, one matrix of 8 x 8 at a time: lane 8 i + j holds the address of row j of matrix i.
__device__ inline unsigned xp_ldmatrix(unsigned address, int matrix) {
  const unsigned from = __shfl_sync(0xffffffffu, address, 8 * matrix + (int)(xp_lane() & 7u));
  unsigned pair;
  asm volatile("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%0}, [%1];" : "=r"(pair) : "r"(from) : "memory");
  return pair;
}
__device__ inline unsigned xp_ldmatrix_trans(unsigned address, int matrix) {
  const unsigned from = __shfl_sync(0xffffffffu, address, 8 * matrix + (int)(xp_lane() & 7u));
  unsigned pair;
  asm volatile("ldmatrix.sync.aligned.m8n8.x1.trans.shared.b16 {%0}, [%1];" : "=r"(pair) : "r"(from) : "memory");
  return pair;
}
