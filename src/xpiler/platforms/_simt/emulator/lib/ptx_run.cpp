// Runs parsed inline PTX for one lane: operands, special registers, branches, barriers and warp operations.
#include "ptx.h"

namespace xp_simt {
void gcn_run(const char* text, int line) {
  static const char* const ignored[] = {"s_waitcnt", "s_nop", "s_setprio", "s_sleep", "s_sethalt", ";"};
  for (const char* p = text; *p;) {
    while (*p == ' ' || *p == '\t' || *p == '\n') ++p;
    bool fine = !*p;
    for (const char* name : ignored) {
      const xprt_size n = __builtin_strlen(name);
      fine |= !__builtin_strncmp(p, name, n);
    }
    if (!fine) {
      char message[160];
      __builtin_snprintf(message, sizeof message, "inline assembly of AMD GPUs is not modelled: \"%.80s\"", p);
      xprt::trap("unsupported", message, line);
    }
    while (*p && *p != '\n') ++p;
  }
}
}  // namespace xp_simt

#ifndef XP_HIP
namespace xp_simt {
namespace {
const char* const special_names[] = {
    "tid.x", "tid.y", "tid.z", "ntid.x", "ntid.y", "ntid.z", "ctaid.x", "ctaid.y", "ctaid.z", "nctaid.x", "nctaid.y",
    "nctaid.z", "laneid", "warpid", "nwarpid", "clock", "clock64", "globaltimer", "globaltimer_lo", "lanemask_eq",
    "lanemask_le", "lanemask_lt", "lanemask_ge", "lanemask_gt", "smid", "nsmid", "gridid", "dynamic_smem_size", "WARP_SZ",
};
}  // namespace

int special_number(const char* name, int length) {
  for (int i = 0; i < (int)(sizeof special_names / sizeof *special_names); ++i)
    if ((int)__builtin_strlen(special_names[i]) == length && !__builtin_memcmp(special_names[i], name, (size_t)length)) return i;
  return -1;
}
u64 special_register(int index) {
  const unsigned l = xprt::self().lane, bit = 1u << l, threads = blockDim.x * blockDim.y * blockDim.z;
  switch (index) {
    case 0: return threadIdx.x;   case 1: return threadIdx.y;   case 2: return threadIdx.z;
    case 3: return blockDim.x;    case 4: return blockDim.y;    case 5: return blockDim.z;
    case 6: return blockIdx.x;    case 7: return blockIdx.y;    case 8: return blockIdx.z;
    case 9: return gridDim.x;     case 10: return gridDim.y;    case 11: return gridDim.z;
    case 12: return l;            case 13: return xprt::self().warp;
    case 14: return (threads + 31) / 32;
    case 15: case 16: case 17: case 18: return (u64)clock64();
    case 19: return bit;          case 20: return bit | (bit - 1);   case 21: return bit - 1;
    case 22: return ~(bit - 1);   case 23: return ~(bit | (bit - 1));
    case 25: return 8;            case 27: return xprt::dynamic_shared_bytes();
    case 28: return 32;
    default: return 0;
  }
}

u64 Frame::get(const PtxArgument& a) const {
  switch (a.kind) {
    case is_given: return given[a.index].value;
    case is_register: return registers[a.index];
    case is_special: return special_register(a.index);
    case is_number: return a.value;
    default: return 0;
  }
}
void Frame::set(const PtxArgument& a, u64 value, int bytes) {
  if (bytes < 8) value &= (1ull << (8 * bytes)) - 1;
  if (a.kind == is_register) registers[a.index] = value;
  if (a.kind != is_given) return;
  PtxGiven& g = given[a.index];
  g.value = value;
  if (!g.place) xprt::trap("unsupported", "inline PTX writes to an input operand", line);
}
void Frame::set(const PtxInstruction& i, int n, u64 value) {
  const PtxType t = i.type();
  if (t.kind == 's' && t.bits < 32) set(*i.arguments[n], (u64)to_signed(t, value), 8);
  else set(*i.arguments[n], value, t.bytes());
}
char* Frame::address(const PtxInstruction& i, int n) const {
  const PtxArgument& a = *i.arguments[n];
  if (a.kind != is_address) unsupported(i, "an address was expected");
  bool shared = i.has("shared") || i.has("shared::cta");
  if (n == 1 && begins(i.opcode, "cp.async")) shared = false;          // its source is global
  const u64 at = get(*a.base) + (u64)a.offset;
  return static_cast<char*>(shared ? __cvta_shared_to_generic(at) : reinterpret_cast<void*>(at));
}
void Frame::unsupported(const PtxInstruction& i, const char* why) const {
  char text[200];
  __builtin_snprintf(text, sizeof text, "inline PTX: %s: %s", i.opcode, why);
  xprt::trap("unsupported", text, line);
}

namespace {
void do_nothing(Frame&, const PtxInstruction&) {}
void do_trap(Frame& f, const PtxInstruction&) { xprt::trap("abort", "the kernel executed trap", f.line); }
void do_sleep(Frame&, const PtxInstruction&) { xprt::yield(); }
void do_zero(Frame& f, const PtxInstruction& i) { f.set(*i.arguments[0], 0, 8); }
void do_branch(Frame& f, const PtxInstruction& i) {
  const int at = f.program->labels[i.arguments[0]->index].at;
  if (i.arguments[0]->kind != is_label || at < 0) f.unsupported(i, "no such label");
  if (at <= f.next) xprt::yield();
  f.next = at;
}
void do_fence(Frame&, const PtxInstruction& i) {
  xprt::fence(i.has("cta") ? xprt::scope_block : i.has("sys") ? xprt::scope_system : xprt::scope_device);
}
// bar.sync a [, threads]; barrier.cta.sync; bar.arrive a, threads
void do_barrier(Frame& f, const PtxInstruction& i) {
  const unsigned id = i.arguments_count ? (unsigned)f.get(i, 0) : 0;
  const bool arrive = i.has("arrive");
  if (id == 0 && i.arguments_count < 2 && !arrive) return xprt::block_barrier(f.line);
  const unsigned all = (blockDim.x * blockDim.y * blockDim.z + 31) / 32 * 32;
  xprt::named_barrier(id, i.arguments_count > 1 ? (unsigned)f.get(i, 1) : all, arrive, f.line);
}
Group lanes(const Frame& f, const PtxInstruction& i, int n) { return {(u32)f.get(i, n), false}; }
void do_warp_barrier(Frame& f, const PtxInstruction& i) { warp_barrier(lanes(f, i, 0), "bar.warp.sync", f.line); }
// shfl.sync.mode.b32 d[|p], a, b, c, mask: c holds the segment mask and the clamp.
void do_shuffle(Frame& f, const PtxInstruction& i) {
  const int mine = (int)xprt::self().lane, b = (int)f.get(i, 2) & 31, c = (int)f.get(i, 3);
  const int segment = c >> 8 & 31, clamp = c & 31, low = mine & segment, top = low | (clamp & ~segment);
  int from = mine;
  bool in_range = true;
  if (i.has("up")) { from = mine - b; in_range = from >= top; }
  else if (i.has("down")) { from = mine + b; in_range = from <= top; }
  else if (i.has("bfly")) { from = mine ^ b; in_range = from <= top; }
  else { from = low | (b & ~segment); in_range = from <= top; }
  const u64 v = shuffle_bits(lanes(f, i, 4), f.get(i, 1), shuffle_index, in_range ? from : mine, 32, "shfl.sync", f.line);
  f.set(i, 0, v);
  if (i.arguments[0]->second) f.set(*i.arguments[0]->second, in_range, 1);
}
void do_vote(Frame& f, const PtxInstruction& i) {
  const Group group = lanes(f, i, 2);
  const bool p = f.predicate(*i.arguments[1]);
  const u64 set = ballot(group, p, "vote.sync", f.line), here = group.mask & xprt::live_lanes();
  if (i.has("ballot")) return f.set(*i.arguments[0], set, 4);
  const bool result = i.has("all") ? (set & here) == here : i.has("any") ? set != 0 : set == 0 || (set & here) == here;
  f.set(*i.arguments[0], result, 1);
}
void do_active(Frame& f, const PtxInstruction& i) { f.set(i, 0, participants(together, "activemask", f.line)); }
void do_match(Frame& f, const PtxInstruction& i) {
  const Group group = lanes(f, i, 2);
  const u64 equal = match_any(group, f.get(i, 1), "match.sync", f.line), here = group.mask & xprt::live_lanes();
  const bool all = (equal & here) == here;
  f.set(*i.arguments[0], i.has("any") ? equal : all ? here : 0, 4);
  if (i.arguments[0]->second) f.set(*i.arguments[0]->second, all, 1);
}
void do_reduce(Frame& f, const PtxInstruction& i) {
  const bool is_signed = i.type().kind == 's';
  const ReduceMode mode = i.has("add") ? reduce_add : i.has("min") ? (is_signed ? reduce_smin : reduce_min)
                          : i.has("max") ? (is_signed ? reduce_smax : reduce_max) : i.has("and") ? reduce_and
                          : i.has("or") ? reduce_or : reduce_xor;
  f.set(i, 0, reduce(lanes(f, i, 2), (u32)f.get(i, 1), mode, "redux.sync", f.line));
}
struct Named { const char* name; Handler handler; };
}  // namespace

Handler find_handler(const PtxInstruction& i) {
  static const Named simple[] = {
      {"membar", do_fence}, {"fence", do_fence}, {"trap", do_trap}, {"nanosleep", do_sleep}, {"bra", do_branch},
      {"prefetch", do_nothing}, {"prefetchu", do_nothing}, {"griddepcontrol", do_nothing}, {"pmevent", do_nothing},
      {"createpolicy", do_zero}, {"bar", do_barrier}, {"barrier", do_barrier}, {"shfl", do_shuffle}, {"vote", do_vote},
      {"activemask", do_active}, {"match", do_match}, {"redux", do_reduce}, {"discard", do_nothing},
  };
  if (begins(i.opcode, "bar.warp.sync")) return do_warp_barrier;
  if (begins(i.opcode, "barrier.cluster") || begins(i.opcode, "fence.proxy") || i.has("red")) {
    if (!begins(i.opcode, "fence.proxy")) return nullptr;
  }
  for (const Named& n : simple)
    if (same(n.name, i.part(0))) return n.handler;
  if (Handler h = find_memory(i)) return h;
  if (Handler h = find_collective(i)) return h;
  return find_arithmetic(i.part(0));
}

void ptx_run(PtxProgram*& program, const char* text, bool extended, PtxGiven* given, int count, int line) {
  if (!program) program = ptx_parse(text, extended, given, count, line);
  Frame f;
  f.program = program;
  f.given = given;
  f.line = line;
  for (int r = 0; r < program->registers; ++r) f.registers[r] = 0;
  for (f.next = 0; f.next < program->count;) {
    const PtxInstruction& i = program->code[f.next++];
    if (i.guard < 0 || ((f.registers[i.guard] & 1) != 0) != i.guard_negated) i.run(f, i);
  }
  for (int k = 0; k < count; ++k)
    if (given[k].place) __builtin_memcpy(given[k].place, &given[k].value, (size_t)given[k].bytes);
}
}  // namespace xp_simt
#endif
