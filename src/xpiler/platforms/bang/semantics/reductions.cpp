// Reductions to few values, and choosing elements.
#pragma once

// -- reductions -----------------------------------------------------------------------------------

// each group of 128 bytes: its sum in its first element, the others unchanged
template <class T> inline void __bang_reduce_sum(T* dst, const T* src, int n) {
  for (int g = 0; g < n / xp_count<T>::group; g++) {
    float sum = 0;
    for (int i = 0; i < xp_count<T>::group; i++) sum += (float)src[g * xp_count<T>::group + i];
    dst[g * xp_count<T>::group] = (T)sum;
  }
}
template <class T> inline T __bang_sum(const T* src, int n) {
  float sum = 0;
  for (int i = 0; i < n; i++) sum += (float)src[i];
  return (T)sum;
}
template <class T> inline T __bang_max(const T* src, int n) {
  T best = src[0];
  for (int i = 1; i < n; i++)
    if (best < src[i]) best = src[i];
  return best;
}
template <class T> inline T __bang_min(const T* src, int n) {
  T best = src[0];
  for (int i = 1; i < n; i++)
    if (src[i] < best) best = src[i];
  return best;
}
// the value, and the number of the first element that has it as the second 32-bit word
#define XP_ARG(name, op)                                                   \
  template <class T> inline void name(T* dst, const T* src, int n) {       \
    T best = src[0];                                                       \
    unsigned at = 0;                                                       \
    for (int i = 1; i < n; i++)                                            \
      if (src[i] op best) {                                                \
        best = src[i];                                                     \
        at = i;                                                            \
      }                                                                    \
    dst[0] = best;                                                         \
    if (sizeof(T) < sizeof(unsigned)) dst[1] = (T)0;                       \
    ((unsigned*)dst)[1] = at;                                              \
  }
XP_ARG(__bang_argmax, >)
XP_ARG(__bang_argmin, <)
XP_ARG(__bang_max, >)
XP_ARG(__bang_min, <)
template <class T> inline unsigned __bang_count(const T* src, int n) {
  unsigned count = 0;
  for (int i = 0; i < n; i++)
    if (src[i] != 0) count++;
  return count;
}
template <class T> inline unsigned __bang_findfirst1(const T* src, int n) {
  unsigned at = 0xffffffffu;
  for (int i = 0; i < n; i++)
    if (src[i] != 0 && at == 0xffffffffu) at = i;
  return at;
}
template <class T> inline unsigned __bang_findlast1(const T* src, int n) {
  unsigned at = 0xffffffffu;
  for (int i = 0; i < n; i++)
    if (src[i] != 0) at = i;
  return at;
}

// -- choosing elements ----------------------------------------------------------------------------

template <class T> inline unsigned __bang_filter(T* dst, const T* src, const T* mask, int n) {
  unsigned count = 0;
  for (int i = 0; i < n; i++)
    if (mask[i] != 0) {
      dst[count] = src[i];
      count++;
    }
  return count;
}
template <class T, class M>
inline unsigned __bang_filter_bitindex(T* dst, const T* src, const M* mask, int n) {
  unsigned count = 0;
  for (int i = 0; i < n; i++)
    if ((((const unsigned char*)mask)[i / 8] >> i % 8 & 1) != 0) {
      dst[count] = src[i];
      count++;
    }
  return count;
}
template <class T> inline void __bang_collect(T* dst, const T* src, const T* mask, int n) {
  __bang_filter(dst, src, mask, n);
}
// the count in the first 4 bytes, 124 bytes of zeros, then the chosen elements
template <class T> inline void __bang_select(T* dst, const T* src, const T* mask, int n) {
  unsigned count = 0;
  for (int i = 0; i < n; i++)
    if (mask[i] != 0) {
      dst[xp_count<T>::group + count] = src[i];
      count++;
    }
  ((unsigned*)dst)[0] = count;
  for (int i = 1; i < 32; i++) ((unsigned*)dst)[i] = 0;
}
template <class T, class M>
inline void __bang_maskmove(T* dst, const T* src, const M* mask, int bytes) {
  for (int i = 0; i < bytes; i++)
    if ((((const unsigned char*)mask)[i / 8] >> i % 8 & 1) != 0)
      ((char*)dst)[i] = ((const char*)src)[i];
}
template <class T, class I>
inline void __bang_lut(T* dst, const I* index, const T* table, int n, int length) {
  for (int i = 0; i < n; i++)
    if (index[i] < length) dst[i] = table[index[i]];
}
