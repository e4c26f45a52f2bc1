// Copies between memories, fills, and the helpers of all parts.
#pragma once

// -- helpers ----------------------------------------------------------------------------------

// The element in which bytes are copied: what either side says, when it says more than "bytes".
template <class D, class S> struct xp_unit { typedef D type; };
template <class S> struct xp_unit<void, S> { typedef S type; };
template <class S> struct xp_unit<char, S> { typedef S type; };
template <class S> struct xp_unit<signed char, S> { typedef S type; };
template <class S> struct xp_unit<unsigned char, S> { typedef S type; };
template <> struct xp_unit<void, void> { typedef unsigned char type; };
template <> struct xp_unit<char, void> { typedef char type; };
template <> struct xp_unit<signed char, void> { typedef signed char type; };
template <> struct xp_unit<unsigned char, void> { typedef unsigned char type; };
template <class T> struct xp_plain { typedef T type; };
template <class T> struct xp_plain<const T> { typedef T type; };
template <class T> struct xp_count { static constexpr int group = 128 / sizeof(T); };
template <class T> struct xp_index { typedef unsigned type; };
template <> struct xp_index<half> { typedef unsigned short type; };
template <> struct xp_index<bfloat16_t> { typedef unsigned short type; };

// `size` bytes from src to dst, in elements and a rest of bytes.
template <class E> inline void xp_copy_bytes(E* dst, const E* src, int size) {
  for (int i = 0; i < size / (int)sizeof(E); i++) dst[i] = src[i];
  if (size % (int)sizeof(E) != 0) {
    for (int i = size / (int)sizeof(E) * (int)sizeof(E); i < size; i++)
      ((char*)dst)[i] = ((const char*)src)[i];
  }
}

// The place `bytes` behind p.
template <class E, class P> inline E* xp_at(P* p, int bytes) { return (E*)((char*)p + bytes); }
template <class E, class P> inline const E* xp_at(const P* p, int bytes) {
  return (const E*)((const char*)p + bytes);
}

// -- copies -----------------------------------------------------------------------------------

template <class D, class S>
inline void __memcpy(D* dst, const S* src, int bytes, mluMemcpyDirection_t dir) {
  typedef typename xp_unit<D, S>::type E;
  xp_copy_bytes<E>((E*)dst, (const E*)src, bytes);
}
template <class D, class S>
inline void __memcpy(D* dst, const S* src, int bytes, mluMemcpyDirection_t dir, int dst_stride,
                     int src_stride, int segments) {
  typedef typename xp_unit<D, S>::type E;
  for (int s = 0; s <= segments; s++)
    xp_copy_bytes<E>(xp_at<E>(dst, s * dst_stride), xp_at<E>(src, s * src_stride), bytes);
}
template <class D, class S>
inline void __memcpy(D* dst, const S* src, int bytes, mluMemcpyDirection_t dir, int dst_stride0,
                     int dst_segments1, int dst_stride1, int dst_segments2, int src_stride0,
                     int src_segments1, int src_stride1, int src_segments2) {
  typedef typename xp_unit<D, S>::type E;
  for (int s = 0; s < (dst_segments1 + 1) * (dst_segments2 + 1); s++)
    xp_copy_bytes<E>(xp_at<E>(dst, s % (dst_segments1 + 1) * dst_stride0 +
                                       s / (dst_segments1 + 1) * dst_stride1),
                     xp_at<E>(src, s % (src_segments1 + 1) * src_stride0 +
                                       s / (src_segments1 + 1) * src_stride1),
                     bytes);
}
template <class D, class S>
inline void __memcpy_async(D* dst, const S* src, int bytes, mluMemcpyDirection_t dir) {
  __memcpy(dst, src, bytes, dir);
}
template <class D, class S>
inline void __memcpy_async(D* dst, const S* src, int bytes, mluMemcpyDirection_t dir,
                           int dst_stride, int src_stride, int segments) {
  __memcpy(dst, src, bytes, dir, dst_stride, src_stride, segments);
}
template <class D, class S>
inline void __memcpy_async(D* dst, const S* src, int bytes, mluMemcpyDirection_t dir,
                           int dst_stride0, int dst_segments1, int dst_stride1, int dst_segments2,
                           int src_stride0, int src_segments1, int src_stride1,
                           int src_segments2) {
  __memcpy(dst, src, bytes, dir, dst_stride0, dst_segments1, dst_stride1, dst_segments2,
           src_stride0, src_segments1, src_stride1, src_segments2);
}
template <class D, class S> inline void __bang_move(D* dst, const S* src, int bytes) {
  __memcpy(dst, src, bytes, NRAM2NRAM);
}
template <class D, class S>
inline void __bang_move(D* dst, const S* src, int bytes, int dst_stride, int src_stride,
                        int segments) {
  __memcpy(dst, src, bytes, NRAM2NRAM, dst_stride, src_stride, segments);
}

// segment k: `bytes` bytes from src + offset[k] to dst + k * dst_stride
template <class D, class S, class O>
inline void __gather(D* dst, const S* src, const O* offset, int bytes, mluMemcpyDirection_t dir,
                     int dst_stride, int count) {
  typedef typename xp_unit<D, S>::type E;
  for (int k = 0; k < count; k++)
    xp_copy_bytes<E>(xp_at<E>(dst, k * dst_stride), xp_at<E>(src, offset[k]), bytes);
}
template <class D, class S, class O>
inline void __scatter(D* dst, const S* src, const O* offset, int bytes, mluMemcpyDirection_t dir,
                      int src_stride, int count) {
  typedef typename xp_unit<D, S>::type E;
  for (int k = 0; k < count; k++)
    xp_copy_bytes<E>(xp_at<E>(dst, offset[k]), xp_at<E>(src, k * src_stride), bytes);
}

template <class T> inline T __load_nram(const T* p) { return *p; }
template <class T> inline T __load_gdram(const T* p) { return *p; }
template <class T> inline T __load_sram(const T* p) { return *p; }
template <class T> inline void __store_nram(T* p, T value) { *p = value; }
template <class T> inline void __store_gdram(T* p, T value) { *p = value; }
template <class T> inline void __store_sram(T* p, T value) { *p = value; }

// -- fills ------------------------------------------------------------------------------------

#define XP_FILL(name)                                                     \
  template <class T, class V> inline void name(T* dst, int n, V value) {  \
    for (int i = 0; i < n; i++) dst[i] = (T)value;                        \
  }
XP_FILL(__memset_nram)
XP_FILL(__nramset)
XP_FILL(__sramset)
XP_FILL(__gdramset)
XP_FILL(__ldramset)
XP_FILL(__bang_write_value)
template <class T> inline void __bang_write_zero(T* dst, int n) {
  for (int i = 0; i < n; i++) dst[i] = (T)0;
}
#define XP_FILL_STRIDED(name)                                                           \
  template <class T, class V>                                                           \
  inline void name(T* dst, int n, V value, int stride, int segments) {                  \
    for (int s = 0; s <= segments; s++)                                                 \
      for (int i = 0; i < n; i++) ((T*)((char*)dst + s * stride))[i] = (T)value;        \
  }
XP_FILL_STRIDED(__nramset_async)
XP_FILL_STRIDED(__gdramset)
template <class T> inline void __bang_incseq(T* dst, int n) {
  for (int i = 0; i < n; i++) dst[i] = (T)i;
}
