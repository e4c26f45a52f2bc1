// Atomic operations on GDRAM.
#pragma once

// -- atomics ----------------------------------------------------------------------------------------

#define XP_ATOMIC(op)                                                                           \
  template <class T> inline void __bang_atomic_##op(T* old, T* at, T value) {                   \
    old[0] = __xp_atomic_##op(at, value);                                                       \
  }                                                                                             \
  template <class T> inline void __bang_atomic_##op(T* old, T* at, const T* src, int n) {       \
    for (int i = 0; i < n; i++) old[i] = __xp_atomic_##op(at + i, src[i]);                      \
  }                                                                                             \
  template <class T, class V> inline void __bang_atomic_reduce_##op(T* at, V value) {           \
    __xp_atomic_##op(at, (T)value);                                                             \
  }                                                                                             \
  template <class T> inline void __bang_atomic_reduce_##op(T* at, const T* src, int n) {        \
    for (int i = 0; i < n; i++) __xp_atomic_##op(at + i, src[i]);                               \
  }
XP_ATOMIC(add)
XP_ATOMIC(min)
XP_ATOMIC(max)
XP_ATOMIC(and)
XP_ATOMIC(or)
XP_ATOMIC(xor)
XP_ATOMIC(exch)
XP_ATOMIC(inc)
XP_ATOMIC(dec)
template <class T> inline void __bang_atomic_cas(T* old, T* at, T expected, T value) {
  old[0] = __xp_atomic_cas(at, expected, value);
}
