// needs: ballot
__device__ inline int xp_any_sync(unsigned mask, int vote) { return xp_ballot_sync(mask, vote) != 0; }
