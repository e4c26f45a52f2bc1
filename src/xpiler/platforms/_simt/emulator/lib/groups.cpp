// Helpers of cooperative groups and of the pipeline primitives.
#include "xp_simt.h"

namespace xp_simt {
unsigned block_thread() { return xprt::self().linear; }
u64 live_lanes() { return xprt::live_lanes(); }
int nth_lane(u64 mask, unsigned rank) {
  for (int lane = 0; lane < 64; ++lane)
    if (mask >> lane & 1 && rank-- == 0) return lane;
  return -1;
}
// Each thread of the group copies pieces of 4, 8 or 16 bytes, whatever both addresses allow; odd ends go byte by byte.
void copy_together(void* to, const void* from, size_t bytes, unsigned rank, unsigned threads, int line) {
  const size_t bits_set = (size_t)to | (size_t)from;
  const size_t piece = bits_set % 16 == 0 ? 16 : bits_set % 8 == 0 ? 8 : bits_set % 4 == 0 ? 4 : 1;
  const size_t whole = bytes / piece;
  for (size_t i = rank; i < whole; i += threads)
    xprt::async_copy((char*)to + i * piece, (const char*)from + i * piece, piece, piece, line);
  if (rank == 0)
    for (size_t i = whole * piece; i < bytes; ++i) xprt::async_copy((char*)to + i, (const char*)from + i, 1, 1, line);
  xprt::async_commit();
}
void wait_together(int line) { xprt::async_wait(0, line); }
}  // namespace xp_simt
