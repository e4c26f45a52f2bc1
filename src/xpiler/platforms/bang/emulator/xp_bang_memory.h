// Copies between memories, fills, scalar loads and stores by name.
#ifndef XP_BANG_MEMORY_H
#define XP_BANG_MEMORY_H
#include "xp_bang_types.h"

typedef enum mluMemcpyDirection_t {
  GDRAM2NRAM, NRAM2GDRAM, LDRAM2NRAM, NRAM2LDRAM, GDRAM2WRAM, WRAM2GDRAM, LDRAM2WRAM, WRAM2LDRAM,
  NRAM2NRAM, NRAM2WRAM, WRAM2NRAM, GDRAM2SRAM, SRAM2GDRAM, LDRAM2SRAM, SRAM2LDRAM, SRAM2NRAM,
  NRAM2SRAM, SRAM2WRAM, WRAM2SRAM, GDRAM2GDRAM, GDRAM2LDRAM, LDRAM2GDRAM, LDRAM2LDRAM, SRAM2SRAM
} mluMemcpyDirection_t;

namespace xp_bang {
// Segment t goes to dst + (t % (n0 + 1)) * s0 + (t / (n0 + 1)) * s1, and comes from the like of the source.
struct Layout { Count s0, n0, s1, n1; };
void copy_1d(const char* name, void* dst, const void* src, Count size, int direction, bool async, int line);
void copy_2d(const char* name, void* dst, const void* src, Count size, int direction, Count dst_stride, Count src_stride, Count segnum,
             bool async, int line);
void copy_3d(const char* name, void* dst, const void* src, Count size, int direction, Layout to, Layout from, bool async, int line);
void copy_cluster(const char* name, void* dst, const void* src, Count size, int direction, Count dst_stride, Count src_stride, Count segnum,
                  int cluster, bool async, int line);
void fill(const char* name, Memory memory, void* dst, Count n, const void* value, unsigned width, Count stride, Count segnum, bool async, int line);
}  // namespace xp_bang

#define XP_COPY(name, async)                                                                                                \
  inline void name(void* dst, const void* src, xp_bang::Count size, mluMemcpyDirection_t dir, XP_LINE) {                     \
    xp_bang::copy_1d(#name, dst, src, size, dir, async, xp_line);                                                           \
  }                                                                                                                         \
  inline void name(void* dst, const void* src, xp_bang::Count size, mluMemcpyDirection_t dir, xp_bang::Count dst_stride,     \
                   xp_bang::Count src_stride, xp_bang::Count segnum, XP_LINE) {                                             \
    xp_bang::copy_2d(#name, dst, src, size, dir, dst_stride, src_stride, segnum, async, xp_line);                           \
  }                                                                                                                         \
  inline void name(void* dst, const void* src, xp_bang::Count size, mluMemcpyDirection_t dir, xp_bang::Count dst_stride0,    \
                   xp_bang::Count dst_segnum1, xp_bang::Count dst_stride1, xp_bang::Count dst_segnum2,                      \
                   xp_bang::Count src_stride0, xp_bang::Count src_segnum1, xp_bang::Count src_stride1,                      \
                   xp_bang::Count src_segnum2, XP_LINE) {                                                                   \
    xp_bang::copy_3d(#name, dst, src, size, dir, {dst_stride0, dst_segnum1, dst_stride1, dst_segnum2},                      \
                     {src_stride0, src_segnum1, src_stride1, src_segnum2}, async, xp_line);                                 \
  }                                                                                                                         \
  inline void name(void* dst, const void* src, xp_bang::Count size, mluMemcpyDirection_t dir, xp_bang::Count dst_stride,     \
                   xp_bang::Count src_stride, xp_bang::Count segnum, int id_dst_cluster, XP_LINE) {                         \
    xp_bang::copy_cluster(#name, dst, src, size, dir, dst_stride, src_stride, segnum, id_dst_cluster, async, xp_line);      \
  }
XP_COPY(__memcpy, false)
XP_COPY(__memcpy_async, true)
#undef XP_COPY
inline void __bang_move(void* dst, const void* src, xp_bang::Count size, XP_LINE) {
  xp_bang::copy_1d("__bang_move", dst, src, size, NRAM2NRAM, false, xp_line);
}
inline void __bang_move(void* dst, const void* src, xp_bang::Count size, xp_bang::Count dst_stride, xp_bang::Count src_stride,
                        xp_bang::Count segnum, XP_LINE) {
  xp_bang::copy_2d("__bang_move", dst, src, size, NRAM2NRAM, dst_stride, src_stride, segnum, false, xp_line);
}
inline void __bang_move(void* dst, const void* src, xp_bang::Count size, xp_bang::Count dst_stride0, xp_bang::Count dst_segnum1,
                        xp_bang::Count dst_stride1, xp_bang::Count dst_segnum2, xp_bang::Count src_stride0,
                        xp_bang::Count src_segnum1, xp_bang::Count src_stride1, xp_bang::Count src_segnum2, XP_LINE) {
  xp_bang::copy_3d("__bang_move", dst, src, size, NRAM2NRAM, {dst_stride0, dst_segnum1, dst_stride1, dst_segnum2},
                   {src_stride0, src_segnum1, src_stride1, src_segnum2}, false, xp_line);
}

// ---- fills: n elements of the value's type -----------------------------------------------------------------
#define XP_FILL(name, memory, async)                                                                                        \
  template <class T> inline void name(void* dst, xp_bang::Count n, T value, XP_LINE) {                                      \
    const typename xp_bang::Stored<T>::type stored = value;                                                                 \
    xp_bang::fill(#name, xp_bang::memory, dst, n, &stored, sizeof stored, 0, 0, async, xp_line);                              \
  }                                                                                                                         \
  template <class T>                                                                                                        \
  inline void name(void* dst, xp_bang::Count n, T value, xp_bang::Count stride, xp_bang::Count segnum, XP_LINE) {           \
    const typename xp_bang::Stored<T>::type stored = value;                                                                 \
    xp_bang::fill(#name, xp_bang::memory, dst, n, &stored, sizeof stored, stride, segnum, async, xp_line);                    \
  }
XP_FILL(__memset_nram, nram, false)
XP_FILL(__nramset, nram, false)
XP_FILL(__nramset_async, nram, true)
XP_FILL(__gdramset, gdram, false)
XP_FILL(__gdramset_async, gdram, true)
XP_FILL(__sramset, sram, false)
XP_FILL(__sramset_async, sram, true)
XP_FILL(__ldramset, ldram, false)
XP_FILL(__ldramset_async, ldram, true)
#undef XP_FILL

// ---- one element -------------------------------------------------------------------------------------------
#define XP_ELEMENT(memory)                                                          \
  template <class T> inline T __load_##memory(const T* p) { return *p; }            \
  template <class T> inline void __store_##memory(T* p, typename xp_bang::Same<T>::type v) { *p = v; }
XP_ELEMENT(nram) XP_ELEMENT(gdram) XP_ELEMENT(sram) XP_ELEMENT(ldram)
#undef XP_ELEMENT
inline bool __is_dram(const void* p) { return xprt::place_of(p) <= xprt::place_common; }
#endif
