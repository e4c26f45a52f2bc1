// Inline PTX that touches memory: loads, stores, atomics, asynchronous copies. Every access is declared to the runtime.
#include "ptx.h"
#ifndef XP_HIP

namespace xp_simt {
namespace {
// Members of a vector operand, or the operand alone.
const PtxArgument& member(const Frame& f, const PtxArgument& a, int n) {
  return a.kind == is_list ? f.program->lists[a.index + n] : a;
}
int members(const PtxArgument& a) { return a.kind == is_list ? a.count : 1; }

u64 peek(const char* p, int bytes) {
  u64 v = 0;
  for (int i = 0; i < bytes; ++i) v |= (u64)(unsigned char)p[i] << (8 * i);
  return v;
}
void poke(char* p, u64 v, int bytes) {
  for (int i = 0; i < bytes; ++i) p[i] = (char)(v >> (8 * i));
}
void do_load(Frame& f, const PtxInstruction& i) {
  const PtxType t = i.type();
  const int n = members(*i.arguments[0]), bytes = t.bytes();
  const char* p = f.address(i, 1);
  xprt::aligned(p, (xprt_size)(n * bytes), f.line);
  const bool fine = xprt::read(p, (xprt_size)(n * bytes), f.line);
  for (int k = 0; k < n; ++k) {
    const u64 v = fine ? peek(p + k * bytes, bytes) : xprt::random();
    f.set(member(f, *i.arguments[0], k), t.kind == 's' ? (u64)to_signed(t, v) : v, t.kind == 's' ? 8 : bytes);
  }
}
void do_store(Frame& f, const PtxInstruction& i) {
  const int n = members(*i.arguments[1]), bytes = i.type().bytes();
  char* p = f.address(i, 0);
  xprt::aligned(p, (xprt_size)(n * bytes), f.line);
  if (!xprt::write(p, (xprt_size)(n * bytes), f.line)) return;
  for (int k = 0; k < n; ++k) poke(p + k * bytes, f.get(member(f, *i.arguments[1], k)), bytes);
}

u64 updated(Frame& f, const PtxInstruction& i, PtxType t, u64 old, u64 v, u64 second) {
  if (i.has("exch")) return v;
  if (i.has("cas")) return old == v ? second : old;
  if (i.has("and")) return old & v;
  if (i.has("or")) return old | v;
  if (i.has("xor")) return old ^ v;
  if (i.has("inc")) return old >= v ? 0 : old + 1;
  if (i.has("dec")) return old == 0 || old > v ? v : old - 1;
  const bool is_float = t.kind == 'f' || t.kind == 'h', add = i.has("add");
  if (!add && !i.has("min") && !i.has("max")) f.unsupported(i, "this atomic operation is not modelled");
  u64 r = 0;
  for (int p = 0; p < t.parts; ++p) {
    const PtxType one = {t.kind, t.bits, 1};
    const u64 a = old >> (p * t.bits), b = v >> (p * t.bits);
    u64 c;
    if (is_float) {
      const double x = to_double(one, a), y = to_double(one, b);
      c = from_double(one, add ? (t.bits == 32 ? (double)((float)x + (float)y) : x + y) : (x < y) == i.has("min") ? x : y);
    } else if (add) {
      c = a + b;
    } else {
      const bool less = t.kind == 's' ? to_signed(one, a) < to_signed(one, b) : a < b;
      c = less == i.has("min") ? a : b;
    }
    r |= (t.bits == 64 ? c : c & ((1ull << t.bits) - 1)) << (p * t.bits);
  }
  return r;
}
// atom d, [a], b [, c] and red [a], b
void do_atomic(Frame& f, const PtxInstruction& i) {
  const int at = same(i.part(0), "red") ? 0 : 1;
  const PtxType t = i.type();
  char* p = f.address(i, at);
  xprt::aligned(p, (xprt_size)t.bytes(), f.line);
  if (!xprt::atomic(p, (xprt_size)t.bytes(), f.line)) return;
  const u64 old = peek(p, t.bytes()), v = f.get(i, at + 1);
  const u64 mask = t.bytes() == 8 ? ~0ull : (1ull << (8 * t.bytes())) - 1;
  poke(p, updated(f, i, t, old, v & mask, i.arguments_count > at + 2 ? f.get(i, at + 2) & mask : 0), t.bytes());
  if (at) f.set(i, 0, old);
}

// cp.async.ca.shared.global [dst], [src], bytes [, valid]
void do_async_copy(Frame& f, const PtxInstruction& i) {
  const u64 bytes = f.get(i, 2);
  const u64 valid = i.arguments_count > 3 ? f.get(i, 3) & 0xffffffff : bytes;
  if ((bytes != 4 && bytes != 8 && bytes != 16) || (bytes != 16 && i.has("cg")) || valid > bytes)
    f.unsupported(i, "copies 4, 8 or 16 bytes (cg: 16), of which at most all are valid");
  char *to = f.address(i, 0), *from = f.address(i, 1);
  xprt::aligned(to, bytes, f.line);
  xprt::aligned(from, bytes, f.line);
  xprt::async_copy(to, from, bytes, valid, f.line);
}
void do_commit(Frame&, const PtxInstruction&) { xprt::async_commit(); }
void do_wait_group(Frame& f, const PtxInstruction& i) { xprt::async_wait((unsigned)f.get(i, 0), f.line); }
void do_wait_all(Frame& f, const PtxInstruction&) {
  xprt::async_commit();
  xprt::async_wait(0, f.line);
}
}  // namespace

Handler find_memory(const PtxInstruction& i) {
  const char* name = i.part(0);
  if (same(name, "cp") && same(i.part(1), "async")) {
    if (same(i.part(2), "commit_group")) return do_commit;
    if (same(i.part(2), "wait_group")) return do_wait_group;
    if (same(i.part(2), "wait_all")) return do_wait_all;
    return same(i.part(2), "ca") || same(i.part(2), "cg") ? do_async_copy : nullptr;
  }
  if (same(name, "ld") || same(name, "ldu")) return do_load;
  if (same(name, "st")) return do_store;
  return same(name, "atom") || same(name, "red") ? do_atomic : nullptr;
}
}  // namespace xp_simt
#endif
