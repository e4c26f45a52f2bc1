// needs: match_any
template <class T> __device__ inline unsigned xp_match_all_sync(unsigned mask, T value, int* all_equal) {
  const unsigned here = xp_ballot_sync(mask, 1);
  *all_equal = xp_match_any_sync(mask, value) == here;
  *all_equal = xp_ballot_sync(mask, !*all_equal) == 0;
  return *all_equal ? here : 0;
}
