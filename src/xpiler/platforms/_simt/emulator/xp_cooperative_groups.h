// cooperative_groups: blocks, tiles, coalesced groups, the grid; reductions, scans and asynchronous copies of groups.
#ifndef XP_COOPERATIVE_GROUPS_H
#define XP_COOPERATIVE_GROUPS_H
#include "xp_simt.h"

namespace xp_simt {
unsigned block_thread();                     // rank of the thread in its block
u64 live_lanes();
void copy_together(void* to, const void* from, size_t bytes, unsigned rank, unsigned threads, int line);
void wait_together(int line);
// Values of at most 16 bytes between lanes of a group, by rank.
inline unsigned lanes_below(u64 mask, unsigned lane_number) {
  return (unsigned)__builtin_popcountll(mask & ((1ull << lane_number) - 1));
}
int nth_lane(u64 mask, unsigned rank);       // lane of the rank-th member, -1 if there is none
}  // namespace xp_simt

namespace cooperative_groups {
using xp_simt::u64;

struct thread_block {
  typedef unsigned size_type;
  static void sync(XP_LINE) { xprt::block_barrier(xp_line); }
  static unsigned thread_rank() { return xp_simt::block_thread(); }
  static unsigned size() { return blockDim.x * blockDim.y * blockDim.z; }
  static unsigned num_threads() { return size(); }
  static dim3 group_index() { return dim3(blockIdx.x, blockIdx.y, blockIdx.z); }
  static dim3 thread_index() { return dim3(threadIdx.x, threadIdx.y, threadIdx.z); }
  static dim3 group_dim() { return dim3(blockDim.x, blockDim.y, blockDim.z); }
  static dim3 dim_threads() { return group_dim(); }
  static bool is_valid() { return true; }
};
inline thread_block this_thread_block() { return thread_block(); }
template <unsigned Threads> struct block_tile_memory { char scratch[8]; };
template <unsigned Threads> inline thread_block this_thread_block(block_tile_memory<Threads>&) { return thread_block(); }

struct grid_group {
  static void sync(XP_LINE) { xprt::grid_barrier(xp_line); }
  static bool is_valid() { return true; }
  static unsigned long long num_blocks() { return 1ull * gridDim.x * gridDim.y * gridDim.z; }
  static unsigned long long block_rank() {
    return blockIdx.x + 1ull * gridDim.x * (blockIdx.y + 1ull * gridDim.y * blockIdx.z);
  }
  static unsigned long long size() { return num_blocks() * thread_block::size(); }
  static unsigned long long num_threads() { return size(); }
  static unsigned long long thread_rank() { return block_rank() * thread_block::size() + thread_block::thread_rank(); }
  static dim3 group_dim() { return dim3(gridDim.x, gridDim.y, gridDim.z); }
  static dim3 dim_blocks() { return group_dim(); }
  static dim3 block_index() { return thread_block::group_index(); }
};
inline grid_group this_grid() { return grid_group(); }

// A part of a warp: the lanes in `mask`.
struct xp_lanes {
  u64 mask;
  unsigned lane;
  xp_simt::Group group() const { return {mask, false}; }
  unsigned rank() const { return xp_simt::lanes_below(mask, lane); }
  unsigned count() const { return (unsigned)__builtin_popcountll(mask); }
  template <class T> T take(T v, int source_lane, const char* what, int line) const {
    return xp_simt::shuffle(group(), v, xp_simt::shuffle_index, source_lane < 0 ? (int)lane : source_lane, XP_WARP_SIZE, what, line);
  }
  u64 packed(u64 set) const {                  // lanes of the warp -> members of the group
    u64 r = 0;
    for (unsigned m = 0; m < count(); ++m) r |= (set >> xp_simt::nth_lane(mask, m) & 1) << m;
    return r;
  }
};

// What tiles and coalesced groups have in common; members are numbered by rank.
struct xp_warp_group {
  xp_lanes lanes;
  void sync(XP_LINE) const { xp_simt::warp_barrier(lanes.group(), "group.sync", xp_line); }
  unsigned thread_rank() const { return lanes.rank(); }
  unsigned size() const { return lanes.count(); }
  unsigned num_threads() const { return lanes.count(); }
  template <class T> T shfl(T v, int rank, XP_LINE) const {
    return lanes.take(v, xp_simt::nth_lane(lanes.mask, (unsigned)rank % lanes.count()), "group.shfl", xp_line);
  }
  template <class T> T shfl_up(T v, unsigned by, XP_LINE) const {
    const unsigned r = lanes.rank();
    return lanes.take(v, r < by ? -1 : xp_simt::nth_lane(lanes.mask, r - by), "group.shfl_up", xp_line);
  }
  template <class T> T shfl_down(T v, unsigned by, XP_LINE) const {
    const unsigned to = lanes.rank() + by;
    return lanes.take(v, to >= lanes.count() ? -1 : xp_simt::nth_lane(lanes.mask, to), "group.shfl_down", xp_line);
  }
  template <class T> T shfl_xor(T v, unsigned bits, XP_LINE) const {
    const unsigned to = lanes.rank() ^ bits;
    return lanes.take(v, to >= lanes.count() ? -1 : xp_simt::nth_lane(lanes.mask, to), "group.shfl_xor", xp_line);
  }
  bool any(int p, XP_LINE) const { return xp_simt::ballot(lanes.group(), p != 0, "group.any", xp_line) != 0; }
  bool all(int p, XP_LINE) const { return xp_simt::ballot(lanes.group(), p == 0, "group.all", xp_line) == 0; }
  xp_lane_mask ballot(int p, XP_LINE) const {
    return (xp_lane_mask)lanes.packed(xp_simt::ballot(lanes.group(), p != 0, "group.ballot", xp_line));
  }
  template <class T> xp_lane_mask match_any(T v, XP_LINE) const {
    u64 word = 0;
    __builtin_memcpy(&word, &v, sizeof v);
    return (xp_lane_mask)lanes.packed(xp_simt::match_any(lanes.group(), word, "group.match_any", xp_line));
  }
  static bool is_valid() { return true; }
};
struct coalesced_group : xp_warp_group {
  unsigned meta_group_rank() const { return 0; }
  unsigned meta_group_size() const { return 1; }
};
inline coalesced_group coalesced_threads(XP_LINE) {
  coalesced_group g;
  g.lanes = {xp_simt::participants(xp_simt::together, "coalesced_threads", xp_line), xp_simt::lane()};
  return g;
}

template <unsigned Size, class Parent = thread_block> struct thread_block_tile : xp_warp_group {
  static_assert(Size && !(Size & (Size - 1)) && Size <= XP_WARP_SIZE, "a tile has a power of two of threads, up to a warp");
  static constexpr unsigned size() { return Size; }
  static constexpr unsigned num_threads() { return Size; }
  template <class Other> operator thread_block_tile<Size, Other>() const {
    thread_block_tile<Size, Other> t;
    t.lanes = lanes;
    return t;
  }
  unsigned meta_group_rank() const { return xp_simt::block_thread() / Size; }
  unsigned meta_group_size() const { return (thread_block::size() + Size - 1) / Size; }
};
template <unsigned Size, class Parent> inline thread_block_tile<Size, Parent> tiled_partition(const Parent&) {
  thread_block_tile<Size, Parent> t;
  const unsigned lane = xp_simt::lane(), first = lane / Size * Size;
  const u64 ones = Size == 64 ? ~0ull : (1ull << (Size % 64)) - 1;
  t.lanes = {ones << first, lane};
  return t;
}
// Any of the above, chosen at run time.
struct thread_group {
  bool block;
  xp_lanes lanes;
  thread_group(const thread_block&) : block(true), lanes{0, 0} {}
  thread_group(const xp_warp_group& g) : block(false), lanes(g.lanes) {}
  void sync(XP_LINE) const {
    if (block) xprt::block_barrier(xp_line);
    else xp_simt::warp_barrier(lanes.group(), "group.sync", xp_line);
  }
  unsigned thread_rank() const { return block ? xp_simt::block_thread() : lanes.rank(); }
  unsigned size() const { return block ? thread_block::size() : lanes.count(); }
  unsigned num_threads() const { return size(); }
  static bool is_valid() { return true; }
};
inline thread_group tiled_partition(const thread_group& parent, unsigned size) {
  xp_warp_group t;
  const unsigned lane = xp_simt::lane(), first = lane / size * size;
  t.lanes = {(size >= 64 ? ~0ull : (1ull << size) - 1) << first, lane};
  (void)parent;
  return t;
}
template <class G> inline coalesced_group binary_partition(const G& g, bool p, XP_LINE) {
  const u64 yes = xp_simt::ballot(g.lanes.group(), p, "binary_partition", xp_line);
  coalesced_group r;
  r.lanes = {p ? yes : g.lanes.mask & ~yes, g.lanes.lane};
  return r;
}
template <class G> inline coalesced_group labeled_partition(const G& g, int label, XP_LINE) {
  coalesced_group r;
  r.lanes = {xp_simt::match_any(g.lanes.group(), (u64)(unsigned)label, "labeled_partition", xp_line), g.lanes.lane};
  return r;
}
template <class G> inline auto sync(const G& g, XP_LINE) -> decltype(g.sync(xp_line)) { g.sync(xp_line); }

// ---- <cooperative_groups/reduce.h>, <cooperative_groups/scan.h> --------------------------------------------
template <class T = void> struct plus { T operator()(T a, T b) const { return a + b; } };
template <class T = void> struct less { T operator()(T a, T b) const { return b < a ? b : a; } };
template <class T = void> struct greater { T operator()(T a, T b) const { return a < b ? b : a; } };
template <class T = void> struct bit_and { T operator()(T a, T b) const { return a & b; } };
template <class T = void> struct bit_or { T operator()(T a, T b) const { return a | b; } };
template <class T = void> struct bit_xor { T operator()(T a, T b) const { return a ^ b; } };

// A butterfly where the group is a power of two, else in order of rank.
template <class G, class T, class Op> inline T reduce(const G& g, T v, Op op, XP_LINE) {
  const unsigned n = g.lanes.count();
  if (!(n & (n - 1))) {
    for (unsigned step = n / 2; step; step /= 2) v = op(v, g.shfl_xor(v, step, xp_line));
    return v;
  }
  T total = g.shfl(v, 0, xp_line);
  for (unsigned r = 1; r < n; ++r) total = op(total, g.shfl(v, (int)r, xp_line));
  return total;
}
template <class G, class T, class Op> inline T inclusive_scan(const G& g, T v, Op op, XP_LINE) {
  for (unsigned step = 1; step < g.lanes.count(); step *= 2) {
    const T other = g.shfl_up(v, step, xp_line);
    if (g.lanes.rank() >= step) v = op(other, v);
  }
  return v;
}
template <class G, class T> inline T inclusive_scan(const G& g, T v, XP_LINE) {
  return inclusive_scan(g, v, plus<T>(), xp_line);
}
template <class G, class T, class Op> inline T exclusive_scan(const G& g, T v, Op op, XP_LINE) {
  const T before = g.shfl_up(inclusive_scan(g, v, op, xp_line), 1, xp_line);
  return g.lanes.rank() ? before : T();
}
template <class G, class T> inline T exclusive_scan(const G& g, T v, XP_LINE) {
  return exclusive_scan(g, v, plus<T>(), xp_line);
}

// ---- <cooperative_groups/memcpy_async.h> -------------------------------------------------------------------
template <class G, class T> inline void memcpy_async(const G& g, T* to, const T* from, size_t bytes, XP_LINE) {
  xp_simt::copy_together(to, from, bytes, (unsigned)g.thread_rank(), (unsigned)g.size(), xp_line);
}
template <class G, class T>
inline void memcpy_async(const G& g, T* to, size_t room, const T* from, size_t count, XP_LINE) {
  const size_t n = room < count ? room : count;
  xp_simt::copy_together(to, from, n * sizeof(T), (unsigned)g.thread_rank(), (unsigned)g.size(), xp_line);
}
template <class G> inline void wait(const G& g, XP_LINE) {
  xp_simt::wait_together(xp_line);
  g.sync(xp_line);
}
template <unsigned Stages, class G> inline void wait_prior(const G& g, XP_LINE) {
  xprt::async_wait(Stages, xp_line);
  g.sync(xp_line);
}
}  // namespace cooperative_groups
#endif
