// Copies: where both ends must lie, what they touch, when the data moves.
//
// A copy that is asynchronous belongs to one of the core's pipes. From its issue on its target is in flight (nobody may touch it) and its
// source is being read (nobody may write it) until a fence; copies of the same pipe keep their order. When the data moves is the run's
// choice: at once, or not before the fence.
#include "core.h"
#include "../xp_bang_memory.h"

extern "C" {
int snprintf(char*, size_t, const char*, ...);
extern const unsigned xp_bang_core_id;
}

namespace xp_bang {
namespace {
struct Ends { Memory from, to; };
const Ends directions[] = {
    {gdram, nram}, {nram, gdram}, {ldram, nram}, {nram, ldram}, {gdram, wram}, {wram, gdram}, {ldram, wram}, {wram, ldram},
    {nram, nram}, {nram, wram}, {wram, nram}, {gdram, sram}, {sram, gdram}, {ldram, sram}, {sram, ldram}, {sram, nram},
    {nram, sram}, {sram, wram}, {wram, sram}, {gdram, gdram}, {gdram, ldram}, {ldram, gdram}, {ldram, ldram}, {sram, sram}};
enum { directions_count = 24 };

bool off_chip(Memory m) { return m == gdram || m == ldram; }
// Done by the cluster's memory core; the others pass such an instruction by.
bool by_memory_core(const Ends& e) { return (e.from == sram || e.to == sram) && (off_chip(e.from) || off_chip(e.to) || e.from == e.to); }

unsigned pipe_of(const Ends& e, bool flat) {
  if (off_chip(e.from) || off_chip(e.to)) return pipe_io;
  return e.from == nram && e.to == nram && flat ? pipe_compute : pipe_move;
}

struct Copy {
  const char* name;
  char* dst;
  const char* src;
  Count size, segments;
  Layout to, from;
  Ends ends;
  bool flat, async;                                 // flat: one segment
  int line;
};

Count offset(const Layout& l, Count t) { return t % (l.n0 + 1) * l.s0 + t / (l.n0 + 1) * l.s1; }

bool wrong(const Copy& c, const char* kind, const char* rule, const void* p = nullptr) {
  char text[200];
  snprintf(text, sizeof text, "%s: %s", c.name, rule);
  fault(kind, text, c.line, p);
  return false;
}

bool lies(const Copy& c, const void* p, Memory wanted, const char* what) {
  const unsigned is = memory_of(p);
  if (is == wanted) return true;
  char text[160];
  snprintf(text, sizeof text, "the direction says that the %s lies in %s; it lies in %s", what, memory_name(wanted), memory_name(is));
  return wrong(c, "wrong_space", text, is == xprt::place_unknown ? nullptr : p);
}

// Each run of bytes that one side touches; neighbouring segments are told as one.
template <class F> bool each_run(const char* base, const Layout& l, Count size, Count segments, F f) {
  if (l.s0 == 0 && l.s1 == 0) return f(base, size);
  Count start = 0, length = 0;
  bool open = false;
  for (Count t = 0; t < segments; ++t) {
    const Count at = offset(l, t);
    if (open && at == start + length) {
      length += size;
      continue;
    }
    if (open && !f(base + start, length)) return false;
    start = at, length = size, open = true;
  }
  return f(base + start, length);
}

bool rules(const Copy& c) {
  if (c.size <= 0) return wrong(c, "operand", "the size must be positive");
  if (c.to.n0 < 0 || c.to.n1 < 0 || c.from.n0 < 0 || c.from.n1 < 0) return wrong(c, "operand", "a negative number of segments");
  if (c.to.n0 > 65535 || c.from.n0 > 65535) return wrong(c, "operand", "more than 65536 segments");
  if (c.segments != (c.from.n0 + 1) * (c.from.n1 + 1)) return wrong(c, "operand", "source and destination have different numbers of segments");
  const bool step = c.to.n0 == 0 || c.to.s0 >= c.size || -c.to.s0 >= c.size;
  if (!c.flat && !step) return wrong(c, "operand", "the destination's segments overlap: its stride is less than the size of a segment");
  if (c.to.n1 && c.to.s1 < c.size && -c.to.s1 < c.size) return wrong(c, "operand", "the destination's outer segments overlap");
  bool good = true;
  const void* const in_wram[] = {c.ends.to == wram ? c.dst : nullptr, c.ends.from == wram ? c.src : nullptr};
  for (const void* p : in_wram) {
    if (!p) continue;
    if (reinterpret_cast<xprt_size>(p) % 8) good = wrong(c, "misaligned", "addresses in WRAM are multiples of 8 bytes", p);
    if (c.flat && c.size % (old_arch ? 64 : 16))
      good = wrong(c, "operand", old_arch ? "the size of a copy to or from WRAM is a multiple of 64 bytes"
                                          : "the size of a copy to or from WRAM is a multiple of 16 bytes", p);
  }
  if (!c.flat && c.ends.to == wram && (c.to.s0 % 8 || c.to.s1 % 8)) good = wrong(c, "misaligned", "strides in WRAM are multiples of 8 bytes", c.dst);
  if (old_arch && c.flat && c.ends.from == nram && c.ends.to == nram && c.size % 128) good = wrong(c, "operand", "the size of a copy inside NRAM is a multiple of 128 bytes");
  return good;
}

bool overlaps(const Copy& c) {
  if (c.ends.from != c.ends.to) return false;
  const Count most = c.segments < 256 ? c.segments : 256;
  for (Count t = 0; t < most; ++t)
    for (Count u = 0; u < most; ++u) {
      const char *d = c.dst + offset(c.to, t), *s = c.src + offset(c.from, u);
      if (d < s + c.size && s < d + c.size) return true;
    }
  return false;
}

// ---- moving the data -----------------------------------------------------------------------------------------

void move_bytes(char* dst, const char* src, Count n) {
  if (all_written(src, n)) {
    xprt::initialise(dst, (xprt_size)n);
  } else {
    const u8* s = xprt::byte_states(src, (xprt_size)n);
    u8* d = xprt::byte_states(dst, (xprt_size)n);
    for (Count i = 0; d && i < n; ++i) d[i] = (u8)((d[i] & ~xprt::state_initialised) | (s[i] & xprt::state_initialised));
  }
  __builtin_memmove(dst, src, (xprt_size)n);
}

// One segment that goes to or from WRAM as a whole is dealt out to the 16 banks: part g to bank g, at a sixteenth of the offset.
// An array is kept bank after bank, so that a copy of a whole array changes nothing.
enum { banks = 16 };
bool dealt(const char* p, Count n, char** base, Count* bank, Count* at) {
  xprt_size bytes;
  if (XP_BANG_FLAT_WEIGHTS || !xprt::scratch_placed(p, base, &bytes) || bytes % banks || n % banks || (p - *base) % banks) return false;
  *bank = (Count)bytes / banks, *at = (p - *base) / banks;
  return (Count)bytes != n;
}

void move_segment(char* dst, const char* src, Count n, const Ends& ends, bool flat) {
  char* base;
  Count bank, at;
  if (flat && ends.to == wram && dealt(dst, n, &base, &bank, &at)) {
    for (Count g = 0; g < banks; ++g) move_bytes(base + g * bank + at, src + g * (n / banks), n / banks);
  } else if (flat && ends.from == wram && dealt(src, n, &base, &bank, &at)) {
    for (Count g = 0; g < banks; ++g) move_bytes(dst + g * (n / banks), base + g * bank + at, n / banks);
  } else {
    move_bytes(dst, src, n);
  }
}

void move_all(const Copy& c) {
  for (Count t = 0; t < c.segments; ++t) move_segment(c.dst + offset(c.to, t), c.src + offset(c.from, t), c.size, c.ends, c.flat);
}

// ---- what is in flight ------------------------------------------------------------------------------------------

struct Flying { Copy copy; bool moved; };
struct Flights { Flying* list; unsigned count, room; };
Flights flights[cores_max][2];

void mark(const char* base, const Layout& l, const Copy& c, u8 bit, bool on) {
  each_run(base, l, c.size, c.segments, [=](const char* p, Count n) {
    xprt::change_states(const_cast<char*>(p), (xprt_size)n, on ? bit : 0, on ? 0 : bit);
    return true;
  });
}
void mark_flight(const Copy& c, bool on) {
  mark(c.dst, c.to, c, xprt::state_pending, on);
  mark(c.src, c.from, c, xprt::state_leaving, on);
}
void mark_flights(unsigned pipe, bool on) {
  if (pipe == pipe_compute) return;
  Flights& f = flights[here->lane][pipe == pipe_move];
  for (unsigned i = 0; i < f.count; ++i) mark_flight(f.list[i].copy, on);
}

void launch_copy(const Copy& c, unsigned pipe) {
  Flights& f = flights[here->lane][pipe == pipe_move];
  if (f.count == f.room) {
    f.list = static_cast<Flying*>(xp_realloc(f.list, (f.room = f.room * 2 + 16) * sizeof(Flying)));
    if (!f.list) unknown("no memory for copies in flight", c.line);
  }
  f.list[f.count++] = {c, false};
}

// When the data of an asynchronous copy moves: the first schedule is the lazy one.
bool lazy() {
  const unsigned s = xprt::schedule();
  return s == 0 || (s > 1 && (xprt::random() & 1));
}

void land(unsigned which) {
  Flights& f = flights[here->lane][which];
  for (unsigned i = 0; i < f.count; ++i) mark_flight(f.list[i].copy, false);
  for (unsigned i = 0; i < f.count; ++i)
    if (!f.list[i].moved) move_all(f.list[i].copy);
  f.count = 0;
}

// Vector instructions run on while a copy starts: what they touched must have been fenced.
bool after_compute(const char* p, Count n, bool write, const Copy& c) {
  for (unsigned i = 0; i < here->touched_count; ++i) {
    const Touched& t = here->touched[i];
    if (t.hi <= p || p + n <= t.lo || !(write || t.write)) continue;
    if (!c.async) {                                  // it waits, and with it all that came before
      here->touched_count = here->touched_next = 0;
      return true;
    }
    char text[160];
    snprintf(text, sizeof text, "the copy %s what an instruction of line %d %s, and no fence stands between", write ? "overwrites" : "reads", t.line,
             t.write ? "writes" : "reads");
    return wrong(c, "missing_wait", text, p);
  }
  return true;
}

bool touched_ok(const Copy& c) {
  bool good = each_run(c.src, c.from, c.size, c.segments, [&](const char* p, Count n) {
    if (c.ends.from == nram) after_compute(p, n, false, c);
    if (!xprt::touch(p, (xprt_size)n, false, c.line)) return false;
    if (c.ends.to == gdram) xprt::unwritten(p, (xprt_size)n, c.line);
    return true;
  });
  good = each_run(c.dst, c.to, c.size, c.segments, [&](const char* p, Count n) {
    if (c.ends.to == nram) after_compute(p, n, true, c);
    return xprt::touch(const_cast<char*>(p), (xprt_size)n, true, c.line);
  }) && good;
  return good;
}

// ---- work of the memory core ---------------------------------------------------------------------------------------

// Copies that compute cores came by and left to the memory core: it has to come by, too.
struct Left { int line; bool done; };
Left left[64];
unsigned left_count;
u64 left_of;

void leave(int line, bool done) {
  if (left_of != job()) left_of = job(), left_count = 0;
  for (unsigned i = 0; i < left_count; ++i)
    if (left[i].line == line) {
      left[i].done |= done;
      return;
    }
  if (left_count < sizeof left / sizeof *left) left[left_count++] = {line, done};
}

bool skipped(const Ends& e) { return here->memory ? !by_memory_core(e) : by_memory_core(e) && in_union(); }

void run(Copy& c, int direction) {
  if (!here) xprt::trap("launch", "device code called from host code", c.line);
  if (direction < 0 || direction >= directions_count) {
    wrong(c, "operand", "no such direction");
    return;
  }
  c.ends = directions[direction];
  if (in_union() && by_memory_core(c.ends)) leave(c.line, here->memory);
  if (skipped(c.ends)) return;
  const unsigned pipe = pipe_of(c.ends, c.flat);
  if (!lies(c, c.src, c.ends.from, "source") || !lies(c, c.dst, c.ends.to, "destination") || !rules(c)) return;
  if (overlaps(c)) {
    wrong(c, "operand", "source and destination overlap", c.dst);
    return;
  }
  if (!c.async) drain(pipe);
  mark_flights(pipe, false);
  const bool good = touched_ok(c);
  mark_flights(pipe, true);
  if (!good) return;
  tally(count_copies, 1);
  tally(Counter(count_dma + direction), c.size * c.segments);
  if (!c.async || pipe == pipe_compute) {
    move_all(c);
    return;
  }
  launch_copy(c, pipe);
  mark_flight(c, true);
  Flights& f = flights[here->lane][pipe == pipe_move];
  // Copies of a pipe stay in order: this one can't move before those in front of it.
  bool ahead = false;
  for (unsigned i = 0; i + 1 < f.count; ++i) ahead |= !f.list[i].moved;
  if (!ahead && !lazy()) move_all(c), f.list[f.count - 1].moved = true;
}
}  // namespace

void drain(unsigned pipes) {
  if (pipes & pipe_io && flights[here->lane][0].count) land(0);
  if (pipes & pipe_move && flights[here->lane][1].count) land(1);
}
void drain_all() { drain(pipe_all); }

void job_ends() {
  for (unsigned i = 0; i < left_count && left_of == job(); ++i)
    if (!left[i].done)
      fault("operand", "a copy that only the memory core can make stands where it never comes: the compute cores pass it by", left[i].line);
}

// Remembered for the copies that follow (see after_compute).
void check_order(const void* p, Count bytes, bool write, int line) {
  const char* lo = static_cast<const char*>(p);
  for (unsigned i = 0; i < here->touched_count; ++i) {
    Touched& t = here->touched[i];
    if (t.lo <= lo && lo + bytes <= t.hi && (t.write || !write)) return;
  }
  const unsigned room = sizeof here->touched / sizeof *here->touched;
  const unsigned at = here->touched_count < room ? here->touched_count++ : here->touched_next++ % room;
  here->touched[at] = {lo, lo + bytes, write, line};
}

void copy_1d(const char* name, void* dst, const void* src, Count size, int direction, bool async, int line) {
  Copy c = {name, static_cast<char*>(dst), static_cast<const char*>(src), size, 1, {0, 0, 0, 0}, {0, 0, 0, 0}, {}, true, async, line};
  run(c, direction);
}
void copy_2d(const char* name, void* dst, const void* src, Count size, int direction, Count dst_stride, Count src_stride, Count segnum,
             bool async, int line) {
  Copy c = {name, static_cast<char*>(dst), static_cast<const char*>(src), size, segnum + 1, {dst_stride, segnum, 0, 0},
            {src_stride, segnum, 0, 0}, {}, false, async, line};
  run(c, direction);
}
void copy_3d(const char* name, void* dst, const void* src, Count size, int direction, Layout to, Layout from, bool async, int line) {
  Copy c = {name, static_cast<char*>(dst), static_cast<const char*>(src), size, (to.n0 + 1) * (to.n1 + 1), to, from, {}, false, async, line};
  if (old_arch) wrong(c, "operand", "the form with two strides a side is not there before architecture 3xx");
  run(c, direction);
}
void copy_cluster(const char*, void*, const void*, Count, int, Count, Count, Count, int, bool, int line) {
  unknown("a copy to another cluster's SRAM", line);
}

// ---- fills -------------------------------------------------------------------------------------------------------
void fill(const char* name, Memory memory, void* dst, Count n, const void* value, unsigned width, Count stride, Count segnum, bool async, int line) {
  if (!here) xprt::trap("launch", "device code called from host code", line);
  if (here->memory ? memory == nram : memory == sram && in_union()) return;
  Copy c = {name, static_cast<char*>(dst), nullptr, n * width, segnum + 1, {stride, segnum, 0, 0}, {0, segnum, 0, 0}, {memory, memory}, false, async, line};
  if (n <= 0 || segnum < 0) {
    wrong(c, "operand", "a count must be positive");
    return;
  }
  if (!lies(c, dst, memory, "destination")) return;
  if (segnum && stride < c.size) {
    wrong(c, "operand", "the segments overlap: the stride is less than the size of a segment");
    return;
  }
  const unsigned pipe = off_chip(memory) ? pipe_io : pipe_move;
  drain(pipe);
  const bool good = each_run(c.dst, c.to, c.size, c.segments, [&](const char* p, Count bytes) {
    if (memory == nram) after_compute(p, bytes, true, c);
    return xprt::touch(const_cast<char*>(p), (xprt_size)bytes, true, line);
  });
  if (!good) return;
  tally(count_instructions, 1), tally(count_vector_bytes, c.size * c.segments);
  for (Count s = 0; s <= segnum; ++s) {
    xprt::initialise(c.dst + s * stride, (xprt_size)c.size);
    for (Count i = 0; i < n; ++i) __builtin_memcpy(c.dst + s * stride + i * width, value, width);
  }
  if (!async) return;
  // The numbers are there already, but nobody may count on it: in flight until the fence, like a copy of a place to itself.
  c.src = c.dst, c.from = c.to;
  launch_copy(c, pipe);
  flights[here->lane][pipe == pipe_move].list[flights[here->lane][pipe == pipe_move].count - 1].moved = true;
  mark_flight(c, true);
}
}  // namespace xp_bang
