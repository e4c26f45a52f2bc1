// Shared by the parts of the library: cores, their memories, the checks that every instruction makes, counting.
#pragma once
#if !defined(__clang__)
// The program is linked with --wrap=memcpy,...; these calls, and those that the compiler makes by itself, mean the real ones.
extern "C" {
void* memcpy(void*, const void*, __SIZE_TYPE__) noexcept __asm__("__real_memcpy");
void* memmove(void*, const void*, __SIZE_TYPE__) noexcept __asm__("__real_memmove");
void* memset(void*, int, __SIZE_TYPE__) noexcept __asm__("__real_memset");
}
#endif
#include "../xp_bang_core.h"
extern "C" void* xp_realloc(void*, __SIZE_TYPE__) __asm__("__real_realloc");     // not the program's watched heap

namespace xp_bang {
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef xprt_u64 u64;

constexpr int arch = __BANG_ARCH__;
constexpr bool old_arch = arch < 300;              // 2xx: alignments and multiples that later ones do not ask for

enum { cores_max = 64 };

// What vector and matrix instructions touched since the last fence.
struct Touched { const char *lo, *hi; bool write; int line; };

struct Core {
  unsigned lane, cluster;
  bool memory;                                     // the cluster's fifth core
  xprt::Scratch *nram, *wram, *ldram;
  unsigned used;                                   // memories that the running task has asked for, by bit
  Touched touched[64];
  unsigned touched_count, touched_next;
  u32 tables;                                      // active functions used, by bit
};
extern Core* here;
extern Core cores[cores_max];
bool in_union();

// ---- checks ----
const char* memory_name(unsigned memory);
unsigned memory_of(const void* p);
void fault(const char* kind, const char* text, int line, const void* p = nullptr);
void remark(const char* kind, const char* text, int line, const void* p = nullptr);

// One instruction of the vector or matrix unit: what it reads and writes must lie where the instruction wants it.
struct Op {
  const char* name;
  int line;
  bool ok;                                         // else the instruction is left out
  Op(const char* name, int line);
  ~Op();                                           // what it wrote is initialised now, unless that travelled
  Op& in(Memory memory, const void* p, Count bytes, bool write, const char* what);
  Op& reads(const void* p, Count bytes) { return in(nram, p, bytes, false, "source"); }
  Op& writes(void* p, Count bytes) { return in(nram, p, bytes, true, "destination"); }
  Op& weights(const void* p, Count bytes) { return in(wram, p, bytes, false, "weight"); }
  Op& count(Count n, Count element);               // of elements: positive; multiples where the architecture asks for them
  Op& want(bool condition, const char* rule);
  Op& multiple(Count value, Count of, const char* what);
  Op& aligned(const void* p, Count to, const char* what);
  Op& apart(const void* a, Count an, const void* b, Count bn);     // may not overlap
  Op& in_step(const void* a, const void* b, Count bytes);          // the same place, or apart
  Op& deprecated(const char* instead);
  Op& needs_arch(int least);
  // Element i of dst (of `w` bytes) was written if that of each source was.
  void travel(void* dst, Count w, const void* a, Count aw, const void* b, Count bw, Count n);
  explicit operator bool() const { return ok; }
  struct { void* p; Count bytes; } out[4];
  int outs = 0;
  bool travelled = false;
};

// Were all bytes written before? Only then nothing has to travel with the data.
bool all_written(const void* p, Count bytes);

// ---- copies (copy.cpp) ----
void drain(unsigned pipes);
void drain_all();
u64 job();                                         // number of the running job
void job_ends();
void check_order(const void* p, Count bytes, bool write, int line);

// ---- counting ----
enum Counter {
  count_vector_f32, count_vector_f16, count_vector_int, count_vector_bytes, count_active, count_reduce, count_mac_f32, count_mac_f16, count_mac_int,
  count_convert, count_move, count_atomic, count_copies, count_instructions, count_syncs,
  count_dma, count_dma_last = count_dma + 23, counters_max
};
extern u64 counted[counters_max];
inline void tally(Counter c, Count n) { counted[c] += (u64)n; }
Counter vector_class(Count type);

// ---- numbers ----
template <class To, class From> inline To bits(From from) {
  static_assert(sizeof(To) == sizeof(From), "sizes differ");
  To to;
  __builtin_memcpy(&to, &from, sizeof to);
  return to;
}
struct f16 { u16 x; };
struct bf16 { u16 x; };
inline float value(float f) { return f; }
inline float value(f16 h) {
  const u32 magnitude = (u32)(h.x & 0x7fff) << 13, sign = (u32)(h.x & 0x8000) << 16;
  const float scaled = bits<float>(magnitude) * 0x1p112f;
  return bits<float>((magnitude >= 0x0f800000u ? magnitude | 0x7f800000u : bits<u32>(scaled)) | sign);
}
inline float value(bf16 b) { return bits<float>((u32)b.x << 16); }
inline int value(signed char v) { return v; }
inline int value(u8 v) { return v; }
inline int value(short v) { return v; }
inline int value(u16 v) { return v; }
inline int value(int v) { return v; }
inline u32 value(u32 v) { return v; }
inline long long value(long long v) { return v; }
inline u64 value(u64 v) { return v; }
inline void put(float& to, float f) { to = f; }
inline void put(f16& to, float f) {
  u32 u = bits<u32>(f);
  const u16 sign = (u16)(u >> 16 & 0x8000);
  u &= 0x7fffffffu;
  if (u > 0x7f800000u) to.x = sign | 0x7e00;
  else if (u >= 0x477ff000u) to.x = sign | 0x7c00;
  else if (u < 0x38800000u) to.x = (u16)(sign | (bits<u32>(bits<float>(u) + 0.5f) - 0x3f000000u));
  else to.x = (u16)(sign | ((u - 0x38000000u + 0xfff + (u >> 13 & 1)) >> 13));
}
inline void put(bf16& to, float f) {
  const u32 u = bits<u32>(f);
  to.x = (u & 0x7fffffffu) > 0x7f800000u ? (u16)(u >> 16 | 0x40) : (u16)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}
template <class T, class V> inline void put(T& to, V v) { to = (T)v; }
}  // namespace xp_bang
