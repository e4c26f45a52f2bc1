// Atomic functions. Threads take turns, so each is a plain update of memory that the runtime knows to be atomic.
#ifndef XP_ATOMICS_H
#define XP_ATOMICS_H
namespace xp_simt {
template <class T, class F> XPRT_QUIET inline T atomic(T* p, int line, F next) {
  if (!xprt::atomic(p, sizeof(T), line)) return T();
  const T old = *p;
  *p = next(old);
  return old;
}
}  // namespace xp_simt

#define XP_ATOMIC_ONE(name, T, expression)                                      \
  inline T name(T* p, T v, XP_LINE) {                                           \
    return xp_simt::atomic(p, xp_line, [=](T old) XPRT_QUIET -> T { return expression; }); \
  }
#define XP_ATOMIC(name, T, expression)     \
  XP_ATOMIC_ONE(name, T, expression)       \
  XP_ATOMIC_ONE(name##_block, T, expression) \
  XP_ATOMIC_ONE(name##_system, T, expression)
#define XP_ATOMIC_ARITHMETIC(T)             \
  XP_ATOMIC(atomicAdd, T, (T)(old + v))     \
  XP_ATOMIC(atomicSub, T, (T)(old - v))     \
  XP_ATOMIC(atomicExch, T, ((void)old, v))  \
  XP_ATOMIC(atomicMin, T, v < old ? v : old) \
  XP_ATOMIC(atomicMax, T, v > old ? v : old)
#define XP_ATOMIC_CAS(T)                                                                                    \
  XP_ATOMIC_CAS_ONE(atomicCAS, T) XP_ATOMIC_CAS_ONE(atomicCAS_block, T) XP_ATOMIC_CAS_ONE(atomicCAS_system, T)
#define XP_ATOMIC_CAS_ONE(name, T)                                                                          \
  inline T name(T* p, T expected, T v, XP_LINE) {                                                           \
    return xp_simt::atomic(p, xp_line, [=](T old) XPRT_QUIET -> T { return old == expected ? v : old; });   \
  }
#define XP_ATOMIC_INTEGER(T)        \
  XP_ATOMIC_ARITHMETIC(T)           \
  XP_ATOMIC(atomicAnd, T, (T)(old & v)) \
  XP_ATOMIC(atomicOr, T, (T)(old | v))  \
  XP_ATOMIC(atomicXor, T, (T)(old ^ v)) \
  XP_ATOMIC_CAS(T)

XP_ATOMIC_INTEGER(int)
XP_ATOMIC_INTEGER(unsigned)
XP_ATOMIC_INTEGER(unsigned long)
XP_ATOMIC_INTEGER(long long)
XP_ATOMIC_INTEGER(unsigned long long)
XP_ATOMIC_ARITHMETIC(float)
XP_ATOMIC_ARITHMETIC(double)
XP_ATOMIC_CAS(unsigned short)
XP_ATOMIC(atomicInc, unsigned, old >= v ? 0u : old + 1)
XP_ATOMIC(atomicDec, unsigned, old == 0 || old > v ? v : old - 1)
#endif
