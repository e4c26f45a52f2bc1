// Barriers, fences, votes, shuffles: everything by which threads of a block or a warp meet.
//
// Each call passes the line it stands at (the default argument is evaluated at the call). A collective's body runs
// once, by the last lane that arrives; the bodies are in lib/warp.cpp.
#ifndef XP_SYNC_H
#define XP_SYNC_H
#define XP_LINE int xp_line = __builtin_LINE()

inline void __syncthreads(XP_LINE) { xprt::block_barrier(xp_line); }
inline int __syncthreads_count(int p, XP_LINE) {
  return (int)xprt::block_barrier_reduce(xprt::reduce_count, p != 0, xp_line);
}
inline int __syncthreads_and(int p, XP_LINE) {
  return (int)xprt::block_barrier_reduce(xprt::reduce_and, p != 0, xp_line);
}
inline int __syncthreads_or(int p, XP_LINE) {
  return (int)xprt::block_barrier_reduce(xprt::reduce_or, p != 0, xp_line);
}
inline void __threadfence_block() { xprt::fence(xprt::scope_block); }
inline void __threadfence() { xprt::fence(xprt::scope_device); }
inline void __threadfence_system() { xprt::fence(xprt::scope_system); }
inline void __nanosleep(unsigned) { xprt::yield(); }
[[noreturn]] inline void __trap(XP_LINE) { xprt::trap("abort", "the kernel called __trap()", xp_line); }
inline void __brkpt() {}

extern "C" long clock() noexcept(true);
long long int clock64();
unsigned long long __globaltimer();

namespace xp_simt {
unsigned lane();                        // of the running thread in its warp
// A mask as the user gave it; `active`: no mask, the lanes that are together.
struct Group { u64 mask; bool active; };
constexpr Group together = {0, true};

enum ShuffleMode { shuffle_index, shuffle_up, shuffle_down, shuffle_xor };
u64 shuffle_bits(Group group, u64 value, ShuffleMode mode, int operand, int segment, const char* what, int line);
template <class T>
inline T shuffle(Group group, T value, ShuffleMode mode, int operand, int segment, const char* what, int line) {
  static_assert(sizeof(T) <= 8, "shuffles move values of at most 8 bytes");
  u64 word = 0;
  __builtin_memcpy(&word, &value, sizeof value);
  word = shuffle_bits(group, word, mode, operand, segment, what, line);
  __builtin_memcpy(&value, &word, sizeof value);
  return value;
}
u64 ballot(Group group, bool predicate, const char* what, int line);     // lanes whose predicate holds
u64 participants(Group group, const char* what, int line);               // lanes that take part
u64 match_any(Group group, u64 value, const char* what, int line);       // lanes with the same value
enum ReduceMode { reduce_add, reduce_min, reduce_max, reduce_smin, reduce_smax, reduce_and, reduce_or, reduce_xor };
u32 reduce(Group group, u32 value, ReduceMode mode, const char* what, int line);
void warp_barrier(Group group, const char* what, int line);
}  // namespace xp_simt

#if XP_WARP_SIZE == 64
typedef xprt_u64 xp_lane_mask;
#else
typedef unsigned xp_lane_mask;
#endif

#ifdef XP_HIP
#define XP_MASK unsigned long long
#else
#define XP_MASK unsigned
#endif
#define XP_GROUP (xp_simt::Group{mask, false})

inline void __syncwarp(XP_MASK mask = (XP_MASK)xp_simt::all_lanes, XP_LINE) {
  xp_simt::warp_barrier(XP_GROUP, "__syncwarp", xp_line);
}
#define XP_SHUFFLE(name, mode, type)                                                                             \
  template <class T> inline T name##_sync(XP_MASK mask, T value, type operand, int segment = XP_WARP_SIZE, XP_LINE) { \
    return xp_simt::shuffle(XP_GROUP, value, xp_simt::mode, (int)operand, segment, #name "_sync", xp_line);      \
  }                                                                                                              \
  template <class T> inline T name(T value, type operand, int segment = XP_WARP_SIZE, XP_LINE) {                 \
    return xp_simt::shuffle(xp_simt::together, value, xp_simt::mode, (int)operand, segment, #name, xp_line);     \
  }
XP_SHUFFLE(__shfl, shuffle_index, int)
XP_SHUFFLE(__shfl_up, shuffle_up, unsigned)
XP_SHUFFLE(__shfl_down, shuffle_down, unsigned)
XP_SHUFFLE(__shfl_xor, shuffle_xor, int)
#undef XP_SHUFFLE

inline xp_lane_mask __ballot_sync(XP_MASK mask, int p, XP_LINE) {
  return (xp_lane_mask)xp_simt::ballot(XP_GROUP, p != 0, "__ballot_sync", xp_line);
}
inline int __any_sync(XP_MASK mask, int p, XP_LINE) {
  return xp_simt::ballot(XP_GROUP, p != 0, "__any_sync", xp_line) != 0;
}
inline int __all_sync(XP_MASK mask, int p, XP_LINE) {
  return xp_simt::ballot(XP_GROUP, p == 0, "__all_sync", xp_line) == 0;
}
inline xp_lane_mask __ballot(int p, XP_LINE) {
  return (xp_lane_mask)xp_simt::ballot(xp_simt::together, p != 0, "__ballot", xp_line);
}
inline int __any(int p, XP_LINE) { return xp_simt::ballot(xp_simt::together, p != 0, "__any", xp_line) != 0; }
inline int __all(int p, XP_LINE) { return xp_simt::ballot(xp_simt::together, p == 0, "__all", xp_line) == 0; }
inline xp_lane_mask __activemask(XP_LINE) {
  return (xp_lane_mask)xp_simt::participants(xp_simt::together, "__activemask", xp_line);
}
template <class T> inline xp_lane_mask __match_any_sync(XP_MASK mask, T value, XP_LINE) {
  xp_simt::u64 word = 0;
  __builtin_memcpy(&word, &value, sizeof value);
  return (xp_lane_mask)xp_simt::match_any(XP_GROUP, word, "__match_any_sync", xp_line);
}
template <class T> inline xp_lane_mask __match_all_sync(XP_MASK mask, T value, int* all_equal, XP_LINE) {
  xp_simt::u64 word = 0;
  __builtin_memcpy(&word, &value, sizeof value);
  const xp_simt::u64 same = xp_simt::match_any(XP_GROUP, word, "__match_all_sync", xp_line);
  const xp_simt::u64 here = mask & xprt::live_lanes();
  *all_equal = (same & here) == here;
  return *all_equal ? (xp_lane_mask)here : 0;
}
#define XP_REDUCE(name, unsigned_mode, signed_mode)                                                               \
  inline unsigned __reduce_##name##_sync(XP_MASK mask, unsigned v, XP_LINE) {                                     \
    return xp_simt::reduce(XP_GROUP, v, xp_simt::unsigned_mode, "__reduce_" #name "_sync", xp_line);              \
  }                                                                                                               \
  inline int __reduce_##name##_sync(XP_MASK mask, int v, XP_LINE) {                                               \
    return (int)xp_simt::reduce(XP_GROUP, (unsigned)v, xp_simt::signed_mode, "__reduce_" #name "_sync", xp_line); \
  }
XP_REDUCE(add, reduce_add, reduce_add)
XP_REDUCE(min, reduce_min, reduce_smin)
XP_REDUCE(max, reduce_max, reduce_smax)
XP_REDUCE(and, reduce_and, reduce_and)
XP_REDUCE(or, reduce_or, reduce_or)
XP_REDUCE(xor, reduce_xor, reduce_xor)
#undef XP_REDUCE
#undef XP_GROUP
#endif
