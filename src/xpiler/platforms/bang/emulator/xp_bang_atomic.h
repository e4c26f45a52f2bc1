// Atomic operations on GDRAM.
#ifndef XP_BANG_ATOMIC_H
#define XP_BANG_ATOMIC_H
#include "xp_bang_types.h"

namespace xp_bang {
enum Atomic {
  atomic_add, atomic_inc, atomic_dec, atomic_min, atomic_max, atomic_nan_min, atomic_nan_max, atomic_exch, atomic_and, atomic_or, atomic_xor, atomic_cas
};
// `old` null: the old values are not wanted. `vector`: values lie in NRAM, one an element; else one for all of them.
void atomic(Atomic op, const char* name, int type, void* old, void* at, const void* compare, const void* values, bool vector, Count n, int line);
}  // namespace xp_bang

#define XP_ATOMIC(op)                                                                                                              \
  template <class T, class = xp_bang::Only<T, xp_bang::atomics>>                                                                   \
  inline void __bang_atomic_##op(T* old, T* at, xp_bang::Value<T> value, XP_LINE) {                                                \
    xp_bang::atomic(xp_bang::atomic_##op, "__bang_atomic_" #op, xp_bang::TypeOf<T>::value, old, at, nullptr, &value, false, 1, xp_line); \
  }                                                                                                                                \
  template <class T, class = xp_bang::Only<T, xp_bang::atomics>>                                                                   \
  inline void __bang_atomic_##op(T* old, T* at, xp_bang::Value<T> value, xp_bang::Count n, XP_LINE) {                              \
    xp_bang::atomic(xp_bang::atomic_##op, "__bang_atomic_" #op, xp_bang::TypeOf<T>::value, old, at, nullptr, &value, false, n, xp_line); \
  }                                                                                                                                \
  template <class T, class = xp_bang::Only<T, xp_bang::atomics>>                                                                   \
  inline void __bang_atomic_##op(T* old, T* at, const T* src, xp_bang::Count n, XP_LINE) {                                         \
    xp_bang::atomic(xp_bang::atomic_##op, "__bang_atomic_" #op, xp_bang::TypeOf<T>::value, old, at, nullptr, src, true, n, xp_line); \
  }                                                                                                                                \
  template <class T, class = xp_bang::Only<T, xp_bang::atomics>>                                                                   \
  inline void __bang_atomic_reduce_##op(T* at, xp_bang::Value<T> value, XP_LINE) {                                                 \
    xp_bang::atomic(xp_bang::atomic_##op, "__bang_atomic_reduce_" #op, xp_bang::TypeOf<T>::value, nullptr, at, nullptr, &value, false, 1, xp_line); \
  }                                                                                                                                \
  template <class T, class = xp_bang::Only<T, xp_bang::atomics>>                                                                   \
  inline void __bang_atomic_reduce_##op(T* at, xp_bang::Value<T> value, xp_bang::Count n, XP_LINE) {                               \
    xp_bang::atomic(xp_bang::atomic_##op, "__bang_atomic_reduce_" #op, xp_bang::TypeOf<T>::value, nullptr, at, nullptr, &value, false, n, xp_line); \
  }                                                                                                                                \
  template <class T, class = xp_bang::Only<T, xp_bang::atomics>>                                                                   \
  inline void __bang_atomic_reduce_##op(T* at, const T* src, xp_bang::Count n, XP_LINE) {                                          \
    xp_bang::atomic(xp_bang::atomic_##op, "__bang_atomic_reduce_" #op, xp_bang::TypeOf<T>::value, nullptr, at, nullptr, src, true, n, xp_line); \
  }
XP_ATOMIC(add) XP_ATOMIC(inc) XP_ATOMIC(dec) XP_ATOMIC(min) XP_ATOMIC(max) XP_ATOMIC(nan_min) XP_ATOMIC(nan_max)
XP_ATOMIC(exch) XP_ATOMIC(and) XP_ATOMIC(or) XP_ATOMIC(xor)
#undef XP_ATOMIC
template <class T, class = xp_bang::Only<T, xp_bang::atomics>>
inline void __bang_atomic_cas(T* old, T* at, xp_bang::Value<T> compare, xp_bang::Value<T> value, XP_LINE) {
  xp_bang::atomic(xp_bang::atomic_cas, "__bang_atomic_cas", xp_bang::TypeOf<T>::value, old, at, &compare, &value, false, 1, xp_line);
}
#endif
