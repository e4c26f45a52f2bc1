// needs: shared_address lane
// ldmatrix: lane 8 i + j holds the address of row j of matrix i; lane l gets two neighbours of row l / 4.
__device__ inline unsigned xp_ldmatrix(unsigned address, int matrix) {
  const unsigned lane = xp_lane();
  const unsigned row = __shfl(address, 8 * matrix + (int)lane / 4, 32);
  return *(const unsigned*)(xp_shared_pointer(row) + 4 * (lane % 4));
}
__device__ inline unsigned xp_ldmatrix_trans(unsigned address, int matrix) {
  const int lane = (int)xp_lane();
  unsigned pair = 0;
  for (int i = 0; i < 2; ++i) {
    const unsigned row = __shfl(address, 8 * matrix + 2 * (lane % 4) + i, 32);
    pair |= (unsigned)*(const unsigned short*)(xp_shared_pointer(row) + 2 * (lane / 4)) << (16 * i);
  }
  return pair;
}
