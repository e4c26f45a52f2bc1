// xprt: the core of every emulator. Runs SIMT threads as fibers on one CPU thread and watches memory.
//
// Language-neutral: knows lanes, warps, blocks, barriers, memory regions; no vendor's spelling. Surfaces
// (CUDA, HIP, BANG ...) are written on top of this header. It includes nothing from the system, because
// headers are most of the cost of every compile, and may itself be included from C++14 on.
#ifndef XPRT_H
#define XPRT_H

typedef __SIZE_TYPE__ xprt_size;
typedef __UINT64_TYPE__ xprt_u64;
typedef __UINT32_TYPE__ xprt_u32;

// A function marked XPRT_QUIET is never instrumented: its own loads and stores are not checked (say what
// it touches with xprt::read / xprt::write instead). Compilers do not inline it into instrumented code.
#if defined(__clang__)
#define XPRT_QUIET __attribute__((no_sanitize("thread"), disable_sanitizer_instrumentation))
#else
#define XPRT_QUIET __attribute__((no_sanitize("thread", "undefined")))
#endif

namespace xprt {

struct Index3 { unsigned x, y, z; };

// ---- who is running -------------------------------------------------------------------------------------
// The running SIMT thread. `index` is the thread's place in its block, `linear` the same flattened (x fastest),
// `warp` = linear / width, `lane` = linear % width.
struct Lane {
  Index3 index;
  unsigned linear, warp, lane;
  unsigned scratch[4];            // free for a surface: zero when the thread starts
};
}  // namespace xprt

// Where the running thread is. Plain objects, so that `threadIdx.x` can be a plain lvalue: a surface may give
// them a type and name of its own with the same layout,
//     extern "C" const uint3 threadIdx __asm__("xprt_thread_index");
// They change only when another thread runs, so a compiler may keep their value in a register. Reads of
// `const` objects are not instrumented: they cost nothing in a checked build.
extern "C" {
extern const xprt::Index3 xprt_thread_index;   // in the block
extern const xprt::Index3 xprt_block_index;    // in the grid
extern const xprt::Index3 xprt_block_extent;   // threads
extern const xprt::Index3 xprt_grid_extent;    // blocks
extern const unsigned xprt_warp_width;         // of this unit: 32 or 64
}
namespace xprt { struct Lane; }
// A surface may define this: it is called whenever another thread starts to run.
extern "C" void xprt_switched(const xprt::Lane& now) __attribute__((weak));

namespace xprt {

Lane& self();                                   // only inside a kernel
bool in_kernel();                               // false: host code
inline Index3 thread_idx() { return xprt_thread_index; }
inline Index3 block_idx() { return xprt_block_index; }
inline Index3 block_dim() { return xprt_block_extent; }
inline Index3 grid_dim() { return xprt_grid_extent; }
inline unsigned warp_width() { return xprt_warp_width; }
xprt_u64 live_lanes();                          // lanes of the running warp that exist and have not exited
unsigned dynamic_shared_bytes();                // of the running launch

// ---- launching ------------------------------------------------------------------------------------------
// Runs body(arg) once for each thread of each block, to the end, before it returns. Blocks run one after the
// other (order by schedule). A bad shape is an error finding, and the launch is left out; returns false then.
bool launch(Index3 grid, Index3 block, xprt_size dynamic_shared, void (*body)(void*), void* arg,
            const char* kernel, int line);
// The same with every block alive at once, so that grid_barrier() works (at most `cooperative_limit()` threads).
bool launch_cooperative(Index3 grid, Index3 block, xprt_size dynamic_shared, void (*body)(void*), void* arg,
                        const char* kernel, int line);
xprt_size cooperative_limit();

// Convenience for surfaces: a launch of any callable, `xprt::run(g, b, bytes, [&]{ k(a, b); }, "k", __LINE__)`.
template <class F> struct Thunk { XPRT_QUIET static void call(void* f) { (*static_cast<F*>(f))(); } };
template <class F>
inline bool run(Index3 grid, Index3 block, xprt_size dynamic_shared, F f, const char* kernel, int line,
                bool cooperative = false) {
  return cooperative ? launch_cooperative(grid, block, dynamic_shared, &Thunk<F>::call, &f, kernel, line)
                     : launch(grid, block, dynamic_shared, &Thunk<F>::call, &f, kernel, line);
}

// ---- synchronisation ------------------------------------------------------------------------------------
// Waits for every thread of the block that has not exited. Threads that arrive from different lines are a
// divergent barrier (error); it is also an error if some thread can never arrive.
void block_barrier(int line);
enum ReduceOp { reduce_count = 0, reduce_and = 1, reduce_or = 2 };
unsigned block_barrier_reduce(int op, unsigned value, int line);
// Barrier `id` (1..15) among exactly `threads` threads (PTX bar.sync id, n); arrive = do not wait (bar.arrive).
void named_barrier(unsigned id, unsigned threads, bool arrive_only, int line);
void grid_barrier(int line);

// Warp collective over the lanes named in `mask`. Each lane leaves a pointer to its record; the last one to
// arrive runs op(records, mask), records[width], null for a lane that is not in mask or has exited. Memory
// is ordered between the lanes that took part. Errors: own lane not in mask, lanes of one mask at different
// operations (`what`, compared as text), a named lane that never arrives.
// op runs unchecked: it may touch other lanes' records, but must not touch the program's memory; loads and stores
// that the instruction makes are declared by read()/write() from the lane that owns them, outside op.
typedef void (*WarpOp)(void** records, xprt_u64 mask);
void warp_collective(xprt_u64 mask, void* record, WarpOp op, const char* what, int line);
// The same with no mask (wave intrinsics, __activemask, legacy shuffles): taken by those lanes of the warp that
// reach the same operation together, as lock-step hardware would: it fires when no other lane of the warp can
// come; of several groups the one with the smallest line goes first.
void warp_collective_active(void* record, WarpOp op, const char* what, int line);

void yield();                                   // let others run: for sleep instructions and spin loops
enum Scope { scope_block = 0, scope_device = 1, scope_system = 2 };
void fence(Scope scope);                        // memory fence: with atomics, orders one block after another

// ---- memory of kernels ----------------------------------------------------------------------------------
// The block's array for one declaration; the same for all threads of the block. `key`: any address that is unique to the
// declaration and its template instantiation (that of a local static). Poisoned at block start, red zones around it.
void* shared_array(const void* key, xprt_size bytes, xprt_size align, const char* name);
void* dynamic_shared();                         // what the launch asked for, 128-byte aligned
xprt_size shared_bytes_used();                  // static arrays seen so far + dynamic

// Announce a __device__/__constant__ variable, so that findings name it. Call it before the first launch
// (an initialiser of a static object does). `constant`: kernels must not write it.
void register_global(void* p, xprt_size bytes, const char* name, bool constant, bool managed);
bool is_symbol(const void* p);          // a device variable by its name: what copies take only by their forms for symbols
void address_symbol(const void* p);     // the host asked for its address

// ---- memory of the host ---------------------------------------------------------------------------------
enum Space { space_device = 1, space_host = 2, space_both = 3 };     // who may dereference it
void* device_alloc(xprt_size bytes, Space space = space_device);     // null if it can't be had; ends at a guard page
bool device_free(void* p, int line = 0);                             // false, and a finding: not an allocation, freed twice
void copy(void* dst, const void* src, xprt_size bytes, int line = 0);   // memmove; both ends checked, any space
void fill(void* dst, int byte, xprt_size bytes, int line = 0);          // memset; checked, any space
// The size and base of the region that p points into; false if unknown.
bool region_of(const void* p, void** base, xprt_size* bytes, Space* space);

// ---- declared accesses ----------------------------------------------------------------------------------
// What an instruction that the compiler can't see touches (bounds, races, initialised). `p` and `bytes` exact.
// With checks off they do nothing. false: a finding was made, skip the access.
bool read(const void* p, xprt_size bytes, int line = 0);
bool write(void* p, xprt_size bytes, int line = 0);
bool atomic(void* p, xprt_size bytes, int line = 0);   // the next operation on p is atomic: no race with other atomics; yields now and then
void aligned(const void* p, xprt_size align, int line = 0);   // misaligned finding if it is not
void within(const void* p, xprt_size room, xprt_size bytes, int line = 0);   // array_bounds finding if p has no room for bytes

// Asynchronous copies to shared memory (cp.async): the data arrives at the wait; reading the target before is an
// error. bytes are written, of which the first `valid` come from src and the rest are zero.
void async_copy(void* dst, const void* src, xprt_size bytes, xprt_size valid, int line);
void async_commit();                            // closes the group of the copies issued so far
void async_wait(unsigned pending, int line);    // until at most `pending` of the newest groups are outstanding

// ---- scratchpads ----------------------------------------------------------------------------------------
// A memory beside the common one. `lane`: the thread of the block that it belongs to (Lane::linear), or every_lane. `scalar`: may plain
// loads and stores reach it? `tag` (from 16 on) is the surface's own number for the kind of memory.
enum : unsigned { every_lane = 0xffffffffu };
struct Scratch;
struct ScratchKind { const char* name; xprt_size capacity; unsigned tag, lane; bool scalar; };
Scratch* scratch_new(const ScratchKind& kind);
void scratch_owner(Scratch* s, unsigned lane);
void scratch_reset(Scratch* s);                 // when a block starts: poisoned; a new launch lays it out anew
// The array of one declaration (see shared_array). More than the capacity is a finding of kind "capacity".
void* scratch_array(Scratch* s, const void* key, xprt_size bytes, xprt_size align, const char* name, int line);
xprt_size scratch_bytes(const Scratch* s);      // declared so far
const Scratch* scratch_of(const void* p);       // null: not in one
bool scratch_placed(const void* p, char** base, xprt_size* bytes);        // the array that p points into
// Which memory an address lies in: the tag of a scratchpad of the running thread's, or one of these.
enum Place : unsigned { place_unknown, place_common, place_host, place_stack, place_image, place_other };
unsigned place_of(const void* p);
// What an instruction touches: bounds of the array, copies in flight, order among threads where the memory is shared. Whether bytes were
// ever written is no matter here: that may travel with the data (byte_states), or a write says initialise().
bool touch(const void* p, xprt_size bytes, bool write, int line);
void initialise(void* p, xprt_size bytes);
enum : unsigned char { state_initialised = 1, state_pending = 8, state_leaving = 16 };
unsigned char* byte_states(const void* p, xprt_size bytes);      // null: not watched
bool all_written(const void* p, xprt_size bytes);
void change_states(void* p, xprt_size bytes, unsigned char set, unsigned char clear);
void unwritten(const void* p, xprt_size bytes, int line);        // a note if one of the bytes was never written
// What the surface counts; written with the findings when the run ends.
void register_counter(const char* name, const xprt_u64* value);

// ---- findings -------------------------------------------------------------------------------------------
enum Severity { severity_note = 0, severity_error = 1 };
// kind: a short word ("assert", "misaligned" ...): see XP05.toml. line 0: the line of the caller.
void finding(Severity severity, const char* kind, const char* message, int line);
void place_finding(Severity severity, const char* kind, const char* message, const void* p, int line);      // names the memory
[[noreturn]] void trap(const char* kind, const char* message, int line);   // an error finding, then the run ends

xprt_u64 random();                              // seeded by the run's seed: for anything that is unspecified
xprt_u64 layout_seed();                         // the run's seed itself: for permutations that must stay the same
bool checks();                                  // a checked run
unsigned schedule();                            // the run's schedule: 0 is the plain one

// Runs f unchecked (a surface's own bookkeeping on memory that the program can't see).
struct Unchecked { Unchecked(); ~Unchecked(); Unchecked(const Unchecked&) = delete; unsigned depth; };

}  // namespace xprt
#include "xprt_call.h"
#endif
