// Atomic operations on GDRAM, element by element.
#include "core.h"
#include "../xp_bang_atomic.h"

extern "C" int snprintf(char*, size_t, const char*, ...);

namespace xp_bang {
namespace {
const Count widths[types] = {4, 2, 2, 1, 1, 2, 2, 4, 4, 8, 8};

// Wraps as the operation's definition says: inc runs to `v` and starts again, dec from `v`.
template <class V> V result(Atomic op, V old, V v, V compare) {
  switch (op) {
    case atomic_add: return (V)(old + v);
    case atomic_inc: return old >= v ? V(0) : (V)(old + 1);
    case atomic_dec: return old == V(0) || old > v ? v : (V)(old - 1);
    case atomic_min: return old != old ? v : v < old ? v : old;
    case atomic_max: return old != old ? v : old < v ? v : old;
    case atomic_nan_min: return old != old || v != v ? (V)(old + v) : v < old ? v : old;
    case atomic_nan_max: return old != old || v != v ? (V)(old + v) : old < v ? v : old;
    case atomic_exch: return v;
    case atomic_cas: return old == compare ? v : old;
    default: return old;
  }
}
template <class V> V on_bits(Atomic op, V old, V v) { return op == atomic_and ? old & v : op == atomic_or ? old | v : old ^ v; }

template <class T> void step(Atomic op, void* at, const void* v, const void* compare) {
  T old, with, expected;
  __builtin_memcpy(&old, at, sizeof(T));
  __builtin_memcpy(&with, v, sizeof(T));
  __builtin_memcpy(&expected, compare ? compare : v, sizeof(T));
  T now = old;
  if (op == atomic_exch) now = with;
  else put(now, result(op, value(old), decltype(value(old))(value(with)), decltype(value(old))(value(expected))));
  if (op == atomic_cas && value(old) != value(expected)) now = old;
  __builtin_memcpy(at, &now, sizeof(T));
}
template <class U> void bit_step(Atomic op, void* at, const void* v) {
  U old, with;
  __builtin_memcpy(&old, at, sizeof(U));
  __builtin_memcpy(&with, v, sizeof(U));
  old = (U)on_bits<U>(op, old, with);
  __builtin_memcpy(at, &old, sizeof(U));
}

void one(Atomic op, int type, void* at, const void* v, const void* compare) {
  if (op == atomic_and || op == atomic_or || op == atomic_xor) return widths[type] == 2 ? bit_step<u16>(op, at, v) : bit_step<u32>(op, at, v);
  switch (type) {
    case t_f32: return step<float>(op, at, v, compare);
    case t_f16: return step<f16>(op, at, v, compare);
    case t_bf16: return step<bf16>(op, at, v, compare);
    case t_i16: return step<short>(op, at, v, compare);
    case t_u16: return step<u16>(op, at, v, compare);
    case t_i32: return step<int>(op, at, v, compare);
    default: return step<u32>(op, at, v, compare);
  }
}
}  // namespace

void atomic(Atomic op, const char* name, int type, void* old, void* at, const void* compare, const void* values, bool vector, Count n, int line) {
  Op o(name, line);
  const Count w = widths[type];
  o.count(n, 128);
  if (!o) return;
  if (memory_of(at) != gdram) {
    char text[160];
    snprintf(text, sizeof text, "%s: the target must lie in GDRAM; it lies in %s", name, memory_name(memory_of(at)));
    fault("wrong_space", text, line, at);
    return;
  }
  o.aligned(at, w, "target");
  if (vector) o.reads(values, n * w);
  if (old) o.writes(old, n * w);
  if (!o) return;
  if (vector) xprt::unwritten(values, (xprt_size)(n * w), line);
  tally(count_atomic, n);
  for (Count i = 0; i < n; ++i) {
    char* to = static_cast<char*>(at) + i * w;
    if (!xprt::atomic(to, (xprt_size)w, line)) return;
    if (old) __builtin_memcpy(static_cast<char*>(old) + i * w, to, (xprt_size)w);
    one(op, type, to, static_cast<const char*>(values) + (vector ? i * w : 0), compare);
  }
}
}  // namespace xp_bang
