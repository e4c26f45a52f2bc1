// Votes of the 32 lanes that were a warp: their half of the wave's ballot.
__device__ inline unsigned xp_ballot_sync(unsigned mask, int vote) {
  return (unsigned)(__ballot(vote) >> (__lane_id() & 32u)) & mask;
}
__device__ inline unsigned xp_activemask() { return xp_ballot_sync(0xffffffffu, 1); }
