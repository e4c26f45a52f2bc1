// Shared by the parts of the runtime (all of them one translation unit, runtime.cpp). Uses the C library only,
// so that a program links without any C++ library.
#pragma once
#if !defined(__clang__)
// Linked with --wrap=memcpy,...: gcc's instrumentation leaves block operations to the C library's names. These calls, and those
// that the compiler makes by itself in this unit, mean the real ones.
extern "C" {
void* memcpy(void*, const void*, __SIZE_TYPE__) noexcept __asm__("__real_memcpy");
void* memmove(void*, const void*, __SIZE_TYPE__) noexcept __asm__("__real_memmove");
void* memset(void*, int, __SIZE_TYPE__) noexcept __asm__("__real_memset");
}
#endif
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

// The objects behind xprt_thread_index & co. are written here, so this unit must not see them as const.
#define xprt_thread_index xprt_thread_index_as_const
#define xprt_block_index xprt_block_index_as_const
#define xprt_block_extent xprt_block_extent_as_const
#define xprt_grid_extent xprt_grid_extent_as_const
#define xprt_warp_width xprt_warp_width_as_const
#include "xprt.h"
#undef xprt_thread_index
#undef xprt_block_index
#undef xprt_block_extent
#undef xprt_grid_extent
#undef xprt_warp_width

extern "C" {
extern xprt::Index3 xprt_thread_index, xprt_block_index, xprt_block_extent, xprt_grid_extent;
extern unsigned xprt_warp_width;
extern const char __ehdr_start;      // where the program is loaded; addresses in findings count from here
}

// The program's malloc and friends are wrapped at link time (see memory.cpp); the runtime's own heap is the real one.
extern "C" {
void* __real_malloc(size_t);
void* __real_calloc(size_t, size_t);
void* __real_realloc(void*, size_t);
void __real_free(void*);
}
static inline void* heap(size_t n) { return __real_malloc(n); }
static inline void* heap_zeroed(size_t n, size_t size) { return __real_calloc(n, size); }
static inline void* heap_resize(void* p, size_t n) { return __real_realloc(p, n); }
static inline void heap_free(void* p) { __real_free(p); }

#define NOINLINE __attribute__((noinline))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

namespace xprt {

enum { max_block_threads = 1024, max_warp = 64, page = 4096, sites_kept = 16 };

// ---- run parameters (see main.cpp) ----------------------------------------------------------------------
struct Options {
  bool checks = false;
  unsigned poison = 0, schedule = 0;
  uint64_t seed = 0;
  unsigned shared_limit = 0;         // bytes a block may have; 0: no limit
};
static Options options;

static inline uint64_t mix(uint64_t x) {   // splitmix64: every seeded choice goes through it
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

// ---- memory ---------------------------------------------------------------------------------------------
// A stamp says who touched a granule and when:  block sequence number : 32 | thread : 10 | clock : 19 | flags : 3.
// The clock of a thread counts the synchronisations it took part in. 0 means never.
typedef uint64_t Stamp;
enum { clock_bits = 19, clock_shift = 3, thread_shift = 22, clock_limit = (1 << clock_bits) - 2 };
enum { flag_atomic = 4 };                                       // of a write
// Reads and atomics do not race among themselves, so one stamp may have to stand for several threads: how far they are spread.
enum { spread_one = 0, spread_warp = 1, spread_block = 2, spread_blocks = 3 };

// Where in the program: the offset of a code address from the program's start, or a line with the top bit set. 0: unknown.
typedef uint32_t Site;
enum : Site { site_is_line = 0x80000000u };
static inline Site site(uintptr_t pc, int line = 0) {
  return line > 0 ? site_is_line | Site(line) : pc ? Site(pc - uintptr_t(&__ehdr_start)) : 0;
}

// One granule's history: last write, last read, and what made them.
struct Cell { Stamp write, read; Site write_pc, read_pc; };

// State of one byte.
enum : uint8_t { byte_initialised = 1, byte_written = 2, byte_void = 4, byte_pending = 8, byte_leaving = 16, byte_read = 32 };

static const char by_malloc[] = "malloc", by_new[] = "operator new";     // names of host memory

enum RegionKind : uint8_t { region_buffer, region_device, region_host, region_shared, region_global, region_scratch, region_kinds };

// A piece of memory that the program may touch. Byte states exist in checked runs only, cells (24 bytes a granule) once a kernel has touched it.
// Granules start as 4 bytes and are split when something smaller is touched, so that neighbouring bytes never race.
struct Region {
  uintptr_t lo = 0, hi = 0;
  RegionKind kind = region_device;
  uint8_t space = space_device, shift = 2;
  bool live = true, constant = false;
  bool symbol = false;               // a device variable whose address nobody asked for: host code has its name only
  unsigned element = 1;
  const char* name = "";
  Site born[4] = {};                 // where it was allocated: innermost call first
  Scratch* scratch = nullptr;        // of region_scratch
  Cell* cells = nullptr;
  uint8_t* bytes = nullptr;
  char* map = nullptr;               // the mapping, guard pages included
  size_t map_bytes = 0;
  uintptr_t arrived = 0, arrived_from = 0;  // the latest transfer from the host into it: to where, and from where
  size_t arrived_bytes = 0;
  size_t size() const { return hi - lo; }
};

// ---- threads --------------------------------------------------------------------------------------------
enum State : uint8_t { fresh, ready, running, at_barrier, at_named, at_warp, at_active, at_grid, done };

struct Block;
struct AsyncCopies;

struct Thread : Lane {
  Block* block;
  void* sp;                          // saved stack pointer while it waits
  char* stack;                       // lowest usable address
  State state;
  int line;                          // where it waits
  const char* what;
  void* record;                      // of the warp collective it waits for
  WarpOp op;
  uint64_t mask;
  unsigned named;                    // barrier it waits at
  unsigned vote;
  // time, for the order of accesses
  Stamp stamp;                       // of its next access
  uint32_t clock, block_synced, warp_synced;
  uint32_t* known;                   // clocks of the warp's lanes known through partial collectives, or null
  unsigned spins;
  AsyncCopies* async;
};

// Lanes of one warp that wait for the same masked collective.
struct Group { uint64_t mask, arrived; const char* what; int line; };

struct Warp {
  uint64_t exists, exited;
  unsigned runnable;                 // lanes that are fresh, ready or running
  unsigned actives;                  // lanes that wait without a mask
  unsigned groups;
  Group group[max_warp];
};

struct Named { unsigned arrived, wanted; int line; };

struct SharedArray { const void* key; char* base; size_t bytes; const char* name; };
enum { max_shared_arrays = 64, max_named = 16 };

// Shared memory of one block: one region; arrays lie in it with red zones (byte_void) between them.
struct Arena {
  Region* region;
  uint32_t owner;                    // number of the launch that laid it out
  size_t used;                       // bytes from the start, red zones included
  size_t payload;                    // bytes that the program asked for
  char* dynamic;
  size_t dynamic_bytes;
  unsigned count;
  SharedArray arrays[max_shared_arrays];
};

struct Block {
  Index3 index;
  uint32_t seq, first_seq;           // stamps of this block: first_seq .. seq
  unsigned threads, live, warps;
  unsigned waiting;                  // at the block barrier
  int barrier_line;                  // line of the first one that waits
  bool divergent;
  int reduce_op;
  unsigned reduce_value;
  bool partial_sync;                 // Thread::known in use
  bool fenced;
  Thread* thread;
  Warp* warp;
  Named named[max_named];
  Arena* arena;
  uint64_t* acquired;                // earlier blocks of this launch that are ordered before it, or null
};

struct Launch {
  Index3 grid, block;
  size_t dynamic_shared;
  void (*body)(void*);
  void* arg;
  const char* kernel;
  int line;
  bool cooperative;
  uint64_t blocks;
};

static Thread* current;              // null: host code
static Thread* threads_pool;         // all threads of the launch
static unsigned threads_cap;
static Launch* launching;
static uint32_t launching_number;    // counts launches
static uint32_t next_seq = 1;        // of the next block to start
static uint32_t launch_seq = 1;      // stamps below it belong to earlier launches: ordered
static unsigned quiet = 1;           // > 0: accesses are not checked (1: for the whole of an unchecked run)

static void async_abandon(Thread* t);
static void settle_pending_slow();
static bool pending_active;          // a store whose value decides whether a race is benign is about to happen
static inline void settle_pending() { if (UNLIKELY(pending_active)) settle_pending_slow(); }
static void races_end_block(Block* first);
static void races_end_launch();
static Arena* arena_new();
static void arena_reset(Arena* a, size_t dynamic_shared);
static void arena_check(Arena* a);

// ---- findings (findings.cpp) ----------------------------------------------------------------------------
struct Report {
  Severity severity = severity_error;
  const char* kind = "";
  const char* message = "";
  Site site = 0, other_site = 0;
  int line = 0;                      // exact, where the compiler told it
  const char* file = nullptr;        // of a line that the compiler told (null: the program's text)
  const Region* region = nullptr;
  const char* array = nullptr;       // name of the shared array, where known
  int64_t offset = 0;                // bytes from the start of the region or array
  uint64_t extent = 0;               // bytes of it
  unsigned bytes = 0, element = 0;
  const char* access = "";           // read, write, atomic
  Stamp other = 0;
  Site caller = 0;                   // a further place, where `frame` may not tell all
  uintptr_t frame = 0;               // frame pointer to walk the calls from; 0: the reporter's own
};
static void report(const Report& r);
[[noreturn]] static void finish_run(int status);     // writes findings and leaves
[[noreturn]] static void fail(const char* what);     // the runtime itself can't go on

}  // namespace xprt
