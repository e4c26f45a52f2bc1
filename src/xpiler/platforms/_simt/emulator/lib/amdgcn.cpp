// AMD's cross-lane moves.
#include "xp_simt.h"
#ifdef XP_HIP
#include "xp_amdgcn.h"

namespace {
struct Record {
  int value, old, operand, row_mask, bank_mask, result;
  bool bound_control;
};
typedef int (*Source)(int lane, int operand);      // lane that a value comes from, negative: none

Record* at(void** records, int lane) {
  return lane < 0 || lane >= XP_WARP_SIZE ? nullptr : static_cast<Record*>(records[lane]);
}
template <class F> void each(void** records, F f) {
  for (int lane = 0; lane < XP_WARP_SIZE; ++lane)
    if (records[lane]) f(lane, *static_cast<Record*>(records[lane]));
}
int run(Record r, xprt::WarpOp op, const char* what, int line) {
  xprt::warp_collective_active(&r, op, what, line);
  return r.result;
}

void first_lane(void** records, xprt_u64) {
  bool found = false;
  int value = 0;
  each(records, [&](int, Record& r) {
    if (!found) value = r.value;
    found = true;
    r.result = value;
  });
}
void pull(void** records, xprt_u64) {
  each(records, [&](int, Record& r) {
    const Record* source = at(records, r.operand & (XP_WARP_SIZE - 1));
    r.result = source ? source->value : 0;         // an inactive lane reads as 0
  });
}
void push(void** records, xprt_u64) {
  each(records, [](int, Record& r) { r.result = 0; });
  each(records, [&](int, Record& r) {
    if (Record* target = at(records, r.operand & (XP_WARP_SIZE - 1))) target->result = r.value;
  });
}
// Bit 15 clear: ((lane & and) | or) ^ xor within 32 lanes; 0x8000: a permutation of each four lanes.
int swizzled(int lane, int pattern) {
  if (pattern & 0x8000) return (lane & ~3) | (pattern >> (2 * (lane & 3)) & 3);
  return (lane & ~31) | ((((lane & 31) & (pattern & 31)) | (pattern >> 5 & 31)) ^ (pattern >> 10 & 31));
}
void swizzle(void** records, xprt_u64) {
  each(records, [&](int lane, Record& r) {
    const Record* source = at(records, swizzled(lane, r.operand));
    r.result = source ? source->value : 0;
  });
}

// Data-parallel primitives, by the control word of the instruction set manual. Rows are 16 lanes. -2: not known.
int dpp_source(int lane, int control) {
  const int row = lane & ~15, in_row = lane & 15, n = control & 15;
  if (control < 0x100) return (lane & ~3) | (control >> (2 * (lane & 3)) & 3);                    // quad_perm
  if (control > 0x100 && control < 0x110) return in_row + n < 16 ? lane + n : -1;                 // row_shl
  if (control > 0x110 && control < 0x120) return in_row >= n ? lane - n : -1;                     // row_shr
  if (control > 0x120 && control < 0x130) return row | ((in_row - n) & 15);                       // row_ror
  if (control >= 0x150 && control < 0x160) return row | n;                                        // row_newbcast, row_share
  if (control >= 0x160 && control < 0x170) return row | (in_row ^ n);                             // row_xmask
  switch (control) {
    case 0x130: return lane + 1 < XP_WARP_SIZE ? lane + 1 : -1;                                   // wave_shl
    case 0x134: return (lane + 1) % XP_WARP_SIZE;                                                 // wave_rol
    case 0x138: return lane - 1;                                                                  // wave_shr
    case 0x13c: return (lane + XP_WARP_SIZE - 1) % XP_WARP_SIZE;                                  // wave_ror
    case 0x140: return row | (15 - in_row);                                                       // row_mirror
    case 0x141: return (lane & ~7) | (7 - (lane & 7));                                            // row_half_mirror
    case 0x142: return row - 1;                                                                   // row_bcast:15
    case 0x143: return lane >= 32 ? (lane & ~31) - 1 : -1;                                        // row_bcast:31
    default: return -2;
  }
}
void dpp(void** records, xprt_u64) {
  each(records, [&](int lane, Record& r) {
    const bool enabled = (r.row_mask >> (lane / 16 & 3) & 1) && (r.bank_mask >> (lane / 4 & 3) & 1);
    const Record* source = at(records, dpp_source(lane, r.operand));
    r.result = !enabled ? r.old : source ? source->value : r.bound_control ? 0 : r.old;
  });
}
}  // namespace

int __builtin_amdgcn_readfirstlane(int v, int line) { return run({v, 0, 0, 0, 0, 0, false}, first_lane, "readfirstlane", line); }
int __builtin_amdgcn_readlane(int v, int lane, int line) { return run({v, 0, lane, 0, 0, 0, false}, pull, "readlane", line); }
int __builtin_amdgcn_ds_bpermute(int address, int v, int line) {
  return run({v, 0, address >> 2, 0, 0, 0, false}, pull, "ds_bpermute", line);
}
int __builtin_amdgcn_ds_permute(int address, int v, int line) {
  return run({v, 0, address >> 2, 0, 0, 0, false}, push, "ds_permute", line);
}
int __builtin_amdgcn_ds_swizzle(int v, int pattern, int line) {
  if ((pattern & 0x8000) && (pattern & 0x7f00)) xprt::trap("unsupported", "this form of ds_swizzle", line);
  return run({v, 0, pattern, 0, 0, 0, false}, swizzle, "ds_swizzle", line);
}
int __builtin_amdgcn_update_dpp(int old, int v, int control, int row_mask, int bank_mask, bool bound_control, int line) {
  if (dpp_source(0, control) == -2) xprt::trap("unsupported", "this DPP control word", line);
  return run({v, old, control, row_mask, bank_mask, 0, bound_control}, dpp, "dpp", line);
}
// Selector bytes 0..3 pick from `low`, 4..7 from `high`, 12 is 0, above are 0xff; 8..11 spread a sign.
unsigned __builtin_amdgcn_perm(unsigned high, unsigned low, unsigned selector) {
  const unsigned long long bytes = (unsigned long long)high << 32 | low;
  unsigned r = 0;
  for (int i = 0; i < 4; ++i) {
    const unsigned s = selector >> (8 * i) & 0xff;
    unsigned byte = s < 8 ? (unsigned)(bytes >> (8 * s)) & 0xff : s > 12 ? 0xff : 0;
    if (s >= 8 && s < 12) byte = bytes >> (16 * (s - 8) + 15) & 1 ? 0xff : 0;
    r |= byte << (8 * i);
  }
  return r;
}
#endif
