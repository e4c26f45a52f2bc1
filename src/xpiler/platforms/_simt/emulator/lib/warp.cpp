// Warp collectives: what one lane's record says, and how all of them are answered at once.
#include "xp_simt.h"

namespace xp_simt {
namespace {
struct Record {
  u64 value, result;
  int operand, segment, mode;
};

u64 run(Group group, Record& record, xprt::WarpOp op, const char* what, int line) {
  if (group.active)
    xprt::warp_collective_active(&record, op, what, line);
  else
    xprt::warp_collective(group.mask, &record, op, what, line);
  return record.result;
}

template <class Visit> void each_lane(void** records, Visit visit) {
  for (unsigned lane = 0; lane < width; ++lane)
    if (records[lane]) visit(lane, *static_cast<Record*>(records[lane]));
}

// Source lane of a shuffle; the lane itself where the shift leaves its segment.
int source_of(int lane, const Record& r) {
  const int base = lane & -r.segment, end = base + r.segment;
  int from = lane;
  switch (r.mode) {
    case shuffle_index: return base + (r.operand & (r.segment - 1));
    case shuffle_up: from = lane - r.operand; break;
    case shuffle_down: from = lane + r.operand; break;
    case shuffle_xor: from = lane ^ r.operand; return from < end ? from : lane;
  }
  return from >= base && from < end ? from : lane;
}

void answer_shuffle(void** records, u64) {
  each_lane(records, [&](int lane, Record& r) {
    const Record* source = static_cast<Record*>(records[source_of(lane, r)]);
    r.result = source ? source->value : xprt::random();      // a lane that takes no part: undefined
  });
}
void answer_ballot(void** records, u64) {
  u64 set = 0;
  each_lane(records, [&](int lane, Record& r) { set |= (r.value & 1) << lane; });
  each_lane(records, [&](int, Record& r) { r.result = set; });
}
void answer_participants(void** records, u64) {
  u64 set = 0;
  each_lane(records, [&](int lane, Record&) { set |= 1ull << lane; });
  each_lane(records, [&](int, Record& r) { r.result = set; });
}
void answer_match(void** records, u64) {
  each_lane(records, [&](int, Record& mine) {
    u64 set = 0;
    each_lane(records, [&](int lane, Record& r) { set |= u64(r.value == mine.value) << lane; });
    mine.result = set;
  });
}
u32 combine(int mode, u32 a, u32 b) {
  switch (mode) {
    case reduce_add: return a + b;
    case reduce_min: return a < b ? a : b;
    case reduce_max: return a > b ? a : b;
    case reduce_smin: return (int)a < (int)b ? a : b;
    case reduce_smax: return (int)a > (int)b ? a : b;
    case reduce_and: return a & b;
    case reduce_or: return a | b;
    default: return a ^ b;
  }
}
void answer_reduce(void** records, u64) {
  bool first = true;
  u32 total = 0;
  each_lane(records, [&](int, Record& r) {
    total = first ? (u32)r.value : combine(r.mode, total, (u32)r.value);
    first = false;
  });
  each_lane(records, [&](int, Record& r) { r.result = total; });
}
void answer_nothing(void**, u64) {}
}  // namespace

unsigned lane() { return xprt::self().lane; }
u64 shuffle_bits(Group group, u64 value, ShuffleMode mode, int operand, int segment, const char* what, int line) {
  if (segment <= 0 || (segment & (segment - 1)) || segment > (int)width) {
    xprt::finding(xprt::severity_error, "divergent_collective", "width of a shuffle must be a power of two up to the warp", line);
    segment = width;
  }
  Record r = {value, 0, operand, segment, mode};
  return run(group, r, answer_shuffle, what, line);
}
u64 ballot(Group group, bool predicate, const char* what, int line) {
  Record r = {predicate, 0, 0, 0, 0};
  return run(group, r, answer_ballot, what, line);
}
u64 participants(Group group, const char* what, int line) {
  Record r = {};
  return run(group, r, answer_participants, what, line);
}
u64 match_any(Group group, u64 value, const char* what, int line) {
  Record r = {value, 0, 0, 0, 0};
  return run(group, r, answer_match, what, line);
}
u32 reduce(Group group, u32 value, ReduceMode mode, const char* what, int line) {
  Record r = {value, 0, 0, 0, mode};
  return (u32)run(group, r, answer_reduce, what, line);
}
void warp_barrier(Group group, const char* what, int line) {
  Record r = {};
  run(group, r, answer_nothing, what, line);
}
}  // namespace xp_simt

// Clocks count calls: a program that spins on one makes progress, and runs are repeatable.
static long long ticks;
long long int clock64() { return ticks += 64; }
unsigned long long __globaltimer() { return (unsigned long long)(ticks += 64); }
