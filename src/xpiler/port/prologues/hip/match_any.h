// needs: ballot
template <class T> __device__ inline unsigned xp_match_any_sync(unsigned mask, T value) {
  const unsigned here = xp_ballot_sync(mask, 1);
  unsigned same = 0;
  for (int lane = 0; lane < 32; ++lane)
    if (__shfl(value, lane, 32) == value) same |= 1u << lane;
  return same & here;
}
