// What every instrumented load and store goes through: is the address inside something that lives, was it written before it is
// read, and does another thread touch it with nothing that orders the two?
//
// Order is happens-before, exactly: block barriers order a block, warp collectives the lanes that took part, a launch everything
// before it. Atomic operations do not race with each other; with a device fence before them they order one block after another
// (the "last block finishes" idiom). Lanes of a warp are not in lock step: without __syncwarp they are unordered.
namespace xprt {

// ---- faults of a single access --------------------------------------------------------------------------

static void locate_scratch(const Scratch* s, uintptr_t at, const char** name, uintptr_t* start, uint64_t* bytes);
static bool scratch_access(Region* r, uintptr_t a, unsigned n, bool write, Site pc);
static uint64_t scalar_accesses[region_kinds];

static void describe_place(Report& f, const Region* r, uintptr_t a) {
  f.region = r;
  f.element = r->element;
  f.offset = int64_t(a - r->lo), f.extent = r->size();
  uintptr_t start;
  if (r->kind == region_scratch) {
    locate_scratch(r->scratch, a, &f.array, &start, &f.extent);
    f.offset = int64_t(a - start);
  }
  if (r->kind != region_shared || !current) return;
  locate_shared(current->block->arena, a, &f.array, &start, &f.extent);
  f.offset = int64_t(a - start);
}

static NOINLINE void place_fault(const char* kind, const char* message, const Region* r, uintptr_t a, unsigned n, bool write,
                                 Site pc, Severity severity = severity_error) {
  Report f;
  f.severity = severity, f.kind = kind, f.message = message, f.site = pc, f.bytes = n, f.access = write ? "write" : "read";
  if (r) describe_place(f, r, a);
  report(f);
}

static bool in_image(uintptr_t a);
static void flag(uint8_t* s, size_t n, uint8_t bits);

// The address is in no region: which other memory is it, and may the running code touch it?
static NOINLINE Region* outside(uintptr_t a, unsigned n, bool write, Site pc) {
  if (in_image(a)) return nullptr;                  // globals, literals
  if (a - uintptr_t(threads_pool) < threads_cap * sizeof(Thread)) return nullptr;      // what self() gave
  const char* kind = write ? "oob_write" : "oob_read";
  if (a < 65536) {
    place_fault("null_pointer", "a null pointer is dereferenced", nullptr, a, n, write, pc);
    finish_run(70);
  }
  if (current && a - host_stack_lo < host_stack_hi - host_stack_lo) {
    place_fault("wrong_space", "a kernel touches the host's stack", nullptr, a, n, write, pc);
    return nullptr;
  }
  Region* near = nearest_region(a);
  bool within = near && a >= near->lo && a < near->hi;
  if (within && !near->live) {
    place_fault("use_after_free", "the memory was freed before", near, a, n, write, pc);
    finish_run(70);
  }
  bool mapped = near && a >= uintptr_t(near->map) && a < uintptr_t(near->map) + near->map_bytes;
  if (!current && !within && !mapped) return nullptr;            // the C library's
  place_fault(kind, "", near, a, n, write, pc);
  bool harmless = mapped && a >= uintptr_t(near->map) + page && a + n <= uintptr_t(near->map) + near->map_bytes - page;
  if (!harmless) finish_run(70);                    // the access would crash, or hit something else
  return nullptr;
}

static Region* find_for(uintptr_t a, unsigned n, bool write, Site pc) {
  Region* r = find_region(a);
  if (!r || !r->live || a + n > r->hi) return outside(a, n, write, pc);
  cached(a) = r;
  return r;
}

// Some byte of the access is not plainly accessible and initialised.
static NOINLINE bool odd_state(Region* r, uintptr_t a, unsigned n, bool write, Site pc) {
  uint8_t all = 0, common = 0xff;
  for (unsigned i = 0; i < n; i++) {
    uint8_t s = r->bytes[a - r->lo + i];
    all |= s, common &= s;
  }
  if (all & byte_void) {
    place_fault(write ? "oob_write" : "oob_read", "", r, a, n, write, pc);
    return false;
  }
  if (all & byte_pending) place_fault("missing_wait", "an asynchronous copy to this place was not waited for", r, a, n, write, pc);
  if (write && all & byte_leaving) place_fault("missing_wait", "an asynchronous copy from this place was not waited for", r, a, n, write, pc);
  // The C++ library fills containers by copies that gcc expands where its instrumentation does not see them.
  bool by_library = r->kind == region_host && r->name == by_new;
  if (!write && !(common & byte_initialised) && !by_library)
    place_fault("uninitialised_read", "the value was never written", r, a, n, write, pc, severity_note);
  return true;
}

static NOINLINE void stack_access(uintptr_t a, unsigned n, bool write, Site pc) {
  if (quiet) return;
  place_fault("wrong_space", "a thread touches another thread's local variable", nullptr, a, n, write, pc);
}

// ---- races ----------------------------------------------------------------------------------------------

static bool acquired(const Block* b, uint32_t seq) {
  uint32_t k = seq - launch_seq;
  return b->acquired && k < launching->blocks && (b->acquired[k / 64] >> (k % 64) & 1);
}

// Did what stamp s tells happen before whatever thread t does now? `level`: how far the threads it stands for are spread.
static bool ordered(const Thread* t, Stamp s, unsigned level) {
  const Block* b = t->block;
  uint32_t seq = uint32_t(s >> 32);
  if (seq < launch_seq) return true;
  if (seq != b->seq) return (seq >= b->first_seq && seq < b->seq && !launching->cooperative) || (level < spread_blocks && acquired(b, seq));
  if (level == spread_blocks) return false;
  const Thread* u = b->thread + (s >> thread_shift & (max_block_threads - 1));
  uint32_t clock = uint32_t(s >> clock_shift) & ((1u << clock_bits) - 1);
  if (clock < u->block_synced) return true;
  if (level == spread_block) return false;
  if (u->warp == t->warp && (clock < u->warp_synced || (t->known && clock < t->known[u->lane]))) return true;
  return level == spread_one && u == t;
}

static inline bool same_thread(Stamp a, Stamp b) { return (a ^ b) >> thread_shift == 0; }

// A write that races with a write is benign if it stores the value that is there. That shows after the store, so the verdict
// waits for the next event.
static Report pending;
static uintptr_t pending_at;
static unsigned pending_bytes;
static uint8_t pending_old[16];
static Thread* pending_thread;

static NOINLINE void settle_pending_slow() {
  pending_active = false;
  Thread* now = current;
  current = pending_thread;
  if (memcmp(reinterpret_cast<void*>(pending_at), pending_old, pending_bytes) == 0) {
    pending.kind = "same_value_race", pending.severity = severity_note;
    pending.message = "threads write the same value with nothing that orders them";
  }
  report(pending);
  current = now;
}

static NOINLINE void race(Region* r, Stamp other, Site other_pc, const char* what, Severity severity, uintptr_t a,
                          unsigned n, const char* access, Site pc) {
  Report f;
  f.severity = severity, f.kind = severity == severity_note ? "atomic_race" : "race", f.message = what;
  f.site = pc, f.other_site = other_pc, f.other = other, f.bytes = n, f.access = access;
  describe_place(f, r, a);
  bool may_be_same = severity == severity_error && strcmp(what, "write after write") == 0 && n <= 16;
  if (!may_be_same) return report(f);
  pending = f;
  pending_active = true;
  pending_at = a, pending_bytes = n, pending_thread = current;
  memcpy(pending_old, reinterpret_cast<void*>(a), n);
}

static inline bool by_me_alone(Stamp s, const Thread* t) { return same_thread(s, t->stamp) && (s & 3) == spread_one; }

// How the threads that a stamp stands for are spread once t is one of them.
static inline unsigned spread(const Thread* t, Stamp s) {
  unsigned level = s & 3;
  if (!s || uint32_t(s >> 32) < launch_seq) return spread_one;
  if (uint32_t(s >> 32) != t->block->seq) return ordered(t, s, level) ? spread_one : spread_blocks;
  if (level == spread_blocks || ordered(t, s, level)) return level == spread_blocks ? level : unsigned(spread_one);
  unsigned warp = (s >> thread_shift & (max_block_threads - 1)) / xprt_warp_width;
  unsigned now = warp == t->warp ? spread_warp : spread_block;
  return now > level ? now : level;
}

static inline void note_write(Region* r, Cell& c, Thread* t, uintptr_t a, unsigned n, Site pc) {
  if (UNLIKELY(c.write && !by_me_alone(c.write, t) && !ordered(t, c.write, c.write & 3)))
    race(r, c.write, c.write_pc, c.write & flag_atomic ? "write after atomic" : "write after write", severity_error, a, n, "write", pc);
  else if (UNLIKELY(c.read && !by_me_alone(c.read, t) && !ordered(t, c.read, c.read & 3)))
    race(r, c.read, c.read_pc, "write after read", severity_error, a, n, "write", pc);
  c.write = t->stamp, c.write_pc = pc;
  c.read = 0;
}

static inline void note_atomic(Region* r, Cell& c, Thread* t, uintptr_t a, unsigned n, Site pc) {
  unsigned level = spread_one;
  if (c.write && !by_me_alone(c.write, t)) {
    if (c.write & flag_atomic) level = spread(t, c.write);
    else if (!ordered(t, c.write, c.write & 3)) race(r, c.write, c.write_pc, "atomic after write", severity_error, a, n, "atomic", pc);
  }
  if (c.read && !by_me_alone(c.read, t)) {
    if (ordered(t, c.read, c.read & 3)) c.read = 0;
    else race(r, c.read, c.read_pc, "atomic after read", severity_note, a, n, "atomic", pc);
  }
  c.write = t->stamp | flag_atomic | level, c.write_pc = pc;
}

static inline void note_read(Region* r, Cell& c, Thread* t, uintptr_t a, unsigned n, Site pc) {
  if (UNLIKELY(c.write && !by_me_alone(c.write, t) && !ordered(t, c.write, c.write & 3))) {
    bool atomic = c.write & flag_atomic;
    race(r, c.write, c.write_pc, atomic ? "read after atomic" : "read after write", atomic ? severity_note : severity_error, a, n, "read", pc);
    if (!atomic) c.write = 0;                       // told once; what follows is judged anew
  }
  unsigned level = spread_one;
  if (c.read && !by_me_alone(c.read, t)) level = spread(t, c.read);
  c.read = t->stamp | level, c.read_pc = pc;
}

enum Access { access_read, access_write, access_atomic, access_flag_read };

// A volatile read of a flag that another block set after a fence.
static inline void note_flag_read(Region* r, Cell& c, Thread* t, uintptr_t a, unsigned n, Site pc) {
  if (c.write & flag_atomic) return;
  note_read(r, c, t, a, n, pc);
}

static inline void note(Region* r, uintptr_t a, unsigned n, Access kind, Site pc) {
  Thread* t = current;
  // Cells are counted from an aligned address, so that aligned accesses of the region's granule fall into one.
  uintptr_t shift = r->shift, base = r->lo >> shift, first = (a >> shift) - base, last = ((a + n - 1) >> shift) - base;
  for (uintptr_t i = first; i <= last; i++) {
    Cell& c = r->cells[i];
    if (kind == access_read) note_read(r, c, t, a, n, pc);
    else if (kind == access_write) note_write(r, c, t, a, n, pc);
    else if (kind == access_atomic) note_atomic(r, c, t, a, n, pc);
    else note_flag_read(r, c, t, a, n, pc);
  }
}

// Shared memory belongs to one block: what an earlier block did there says nothing.
static inline void forget_other_blocks(Region* r, uintptr_t a, unsigned n) {
  uint32_t first = current->block->first_seq;
  for (uintptr_t i = (a >> r->shift) - (r->lo >> r->shift), last = ((a + n - 1) >> r->shift) - (r->lo >> r->shift); i <= last; i++) {
    Cell& c = r->cells[i];
    if (uint32_t(c.write >> 32) < first) c.write = 0;
    if (uint32_t(c.read >> 32) < first) c.read = 0;
  }
}

static inline bool all_set(const uint8_t* s, unsigned n) {     // accessible, initialised, not pending
  const uint8_t mask = byte_initialised | byte_void | byte_pending;
  if (n == 4) {
    uint32_t v;
    memcpy(&v, s, 4);
    return (v & 0x01010101u * mask) == 0x01010101u * byte_initialised;
  }
  for (unsigned i = 0; i < n; i++) if ((s[i] & mask) != byte_initialised) return false;
  return true;
}

static inline void mark_read(uint8_t* s, unsigned n) {
  if (n == 4) {
    uint32_t v;
    memcpy(&v, s, 4);
    v |= 0x01010101u * byte_read;
    memcpy(s, &v, 4);
    return;
  }
  for (unsigned i = 0; i < n; i++) s[i] |= byte_read;
}

static inline bool none_odd(const uint8_t* s, unsigned n) {
  uint8_t all = 0;
  for (unsigned i = 0; i < n; i++) all |= s[i];
  return !(all & (byte_void | byte_pending | byte_leaving));
}

// Which accesses of threads come before which: the access joins the history of its granules.
static inline __attribute__((always_inline)) void order(Region* r, uintptr_t a, unsigned n, Access kind, Site pc) {
  unsigned grain = n < 4 ? n : 4;
  unsigned shift = (a & (grain - 1)) ? 0 : grain == 4 ? 2 : grain >> 1;
  if (UNLIKELY(!r->cells)) add_cells(r);
  if (UNLIKELY(shift < r->shift)) refine(r, shift);
  if (r->kind == region_shared) forget_other_blocks(r, a, n);
  note(r, a, n, kind, pc);
}

// One load or store of n bytes at a, by the code at pc. false: it is out of bounds, or this memory is not watched.
template <Access kind>
static inline __attribute__((always_inline)) bool access(uintptr_t a, unsigned n, Site pc) {
  const bool is_write = kind == access_write || kind == access_atomic;
  if (quiet) return true;
  settle_pending();
  Thread* t = current;
  if (on_some_stack(a)) {
    if (UNLIKELY(!t || !on_stack_of(a, t->stack))) stack_access(a, n, is_write, pc);
    return true;
  }
  Region* r = cached(a);
  if (UNLIKELY(!r || a < r->lo || a + n > r->hi)) {
    if (a - places_lo < places_span) return true;   // threadIdx and the like, where a compiler does not see that they are constant
    if (!t && a - host_stack_lo < host_stack_hi - host_stack_lo) return true;
    if (!(r = find_for(a, n, is_write, pc))) return false;
  }
  uint8_t* s = r->bytes + (a - r->lo);
  if (is_write) {
    if (UNLIKELY(!none_odd(s, n)) && !odd_state(r, a, n, true, pc)) return false;
    for (unsigned i = 0; i < n; i++) s[i] |= byte_initialised | byte_written;
  } else {
    if (UNLIKELY(!all_set(s, n)) && !odd_state(r, a, n, false, pc)) return false;
    mark_read(s, n);
  }
  if (UNLIKELY(!(r->space & (t ? space_device : space_host)))) {
    place_fault("wrong_space", t ? "a kernel touches host memory" : "host code touches device memory", r, a, n, is_write, pc);
    return true;
  }
  if (!t) return true;
  if (UNLIKELY(r->kind == region_shared && r != t->block->arena->region))
    place_fault("wrong_space", "a block touches another block's shared memory", r, a, n, is_write, pc);
  if (UNLIKELY(is_write && r->constant)) place_fault("constant_write", "a kernel writes constant memory", r, a, n, true, pc);
  if (!is_write && UNLIKELY(++t->spins > 1u << 20)) yield();     // a thread that polls must not keep the others out
  scalar_accesses[r->kind]++;
  if (r->kind == region_scratch && !scratch_access(r, a, n, is_write, pc)) return true;
  order(r, a, n, kind, pc);
  return true;
}

static void order_access(Region* r, uintptr_t a, unsigned n, bool write, Site pc) {
  if (write) order(r, a, n, access_write, pc);
  else order(r, a, n, access_read, pc);
}

// A range: bounds once, then granule by granule in pieces.
static bool access_range(uintptr_t a, size_t n, bool write, Site pc) {
  bool good = true;
  while (n && good) {
    unsigned piece = n > 16 ? 16 : unsigned(n);
    if (a & 3 && piece > 1) piece = 1;
    else if (piece > 4) piece &= ~3u;
    good = write ? access<access_write>(a, piece, pc) : access<access_read>(a, piece, pc);
    a += piece, n -= piece;
  }
  return good;
}

// ---- fences and atomics ---------------------------------------------------------------------------------

// A variable on which blocks signal each other: which blocks of this launch (by number) had fenced before they touched it.
struct Signal { uintptr_t at; uint32_t launch; uint64_t* released; };
enum { signals_max = 4096 };
static Signal signals[signals_max];
static unsigned signals_count;

static Signal* signal_known(uintptr_t a) {
  for (unsigned i = 0; i < signals_count; i++)
    if (signals[i].at == a) return signals + i;
  return nullptr;
}

static Signal* signal_at(uintptr_t a) {
  if (Signal* known = signal_known(a)) return known;
  if (signals_count == signals_max) return nullptr;
  signals[signals_count] = {a, 0, nullptr};
  return signals + signals_count++;
}

static void exchange_order(Block* b, uintptr_t a) {
  Signal* s = signal_at(a);
  if (!s || launching->blocks > 1u << 20) return;
  size_t words = size_t(launching->blocks / 64 + 1);
  if (s->launch != launching_number) {
    heap_free(s->released);
    s->released = static_cast<uint64_t*>(heap_zeroed(words, 8));
    s->launch = launching_number;
  }
  if (!b->acquired) b->acquired = static_cast<uint64_t*>(heap_zeroed(words, 8));
  if (!s->released || !b->acquired) fail("no memory for the order of blocks");
  for (size_t i = 0; i < words; i++) b->acquired[i] |= s->released[i];
  uint32_t k = b->seq - launch_seq;
  for (size_t i = 0; i < words; i++) s->released[i] |= b->acquired[i];
  if (k < launching->blocks) s->released[k / 64] |= 1ull << (k % 64);
}

void fence(Scope scope) {
  if (current && scope != scope_block) current->block->fenced = true;
}

static void races_end_block(Block* b) {
  if (b->acquired) heap_free(b->acquired), b->acquired = nullptr;
}
static void races_end_launch() {
  for (unsigned i = 0; i < signals_count; i++) heap_free(signals[i].released);
  signals_count = 0;
}

static bool atomic_at(uintptr_t a, unsigned n, Site pc) {
  if (current && UNLIKELY(++current->spins > 256)) yield();
  if (quiet) return true;
  if (current && current->block->fenced) exchange_order(current->block, a);
  Region* r = find_region(a);
  if (r && r->live && a + n <= r->hi && !all_set(r->bytes + (a - r->lo), n)) odd_state(r, a, n, false, pc);
  if (current) place_fault("atomic", "the order of atomic operations is not fixed", r, a, n, true, pc, severity_note);
  return access<access_atomic>(a, n, pc);
}

// Volatile accesses are plain ones, but for one idiom: a flag in global memory by which blocks that fence signal each other.
static void volatile_access(uintptr_t a, unsigned n, bool write, Site pc) {
  if (quiet) return;
  Block* b = current ? current->block : nullptr;
  bool flag = b && !on_some_stack(a) && !(cached(a) && cached(a)->kind == region_shared && a - cached(a)->lo < cached(a)->size());
  if (!flag) write ? access<access_write>(a, n, pc) : access<access_read>(a, n, pc);
  else if (write && b->fenced) exchange_order(b, a), access<access_atomic>(a, n, pc);
  else if (write) access<access_write>(a, n, pc);
  else if (signal_known(a)) exchange_order(b, a), access<access_flag_read>(a, n, pc);
  else access<access_read>(a, n, pc);
  if (!write && current && ++current->spins > 4096) yield();     // it may be polling
}

// ---- declared accesses ----------------------------------------------------------------------------------

#define CALLER uintptr_t(__builtin_return_address(0))
NOINLINE bool read(const void* p, xprt_size n, int line) { return access_range(uintptr_t(p), n, false, site(CALLER, line)); }
NOINLINE bool write(void* p, xprt_size n, int line) { return access_range(uintptr_t(p), n, true, site(CALLER, line)); }
NOINLINE bool atomic(void* p, xprt_size n, int line) { return atomic_at(uintptr_t(p), unsigned(n), site(CALLER, line)); }

NOINLINE void aligned(const void* p, xprt_size align, int line) {
  if (!options.checks || (uintptr_t(p) & (align - 1)) == 0) return;
  Region* r = find_region(uintptr_t(p));
  place_fault("misaligned", "the address is not a multiple of the access's size", r, uintptr_t(p), unsigned(align), false, site(CALLER, line));
}

// Regions are looked at by each access; of locals only the compiler knows how long they are.
NOINLINE void within(const void* p, xprt_size room, xprt_size bytes, int line) {
  if (!options.checks || quiet || room >= bytes || find_region(uintptr_t(p))) return;
  char text[160];
  snprintf(text, sizeof text, "%llu bytes are accessed where the array has %llu left", static_cast<unsigned long long>(bytes),
           static_cast<unsigned long long>(room));
  Report f;
  f.kind = "array_bounds", f.message = text, f.site = site(CALLER, line);
  report(f);
}

// Copies that are declared as a whole take the state of their source along: copying what was never written is no fault.
// A transfer of a buffer with gaps to the device and back leaves the gaps as they were: what nobody wrote in between (`arrived`
// says where it came from) is no write when it returns to its place.
static void copy_states(uintptr_t dst, uintptr_t src, size_t n) {
  Region* d = find_region(dst);
  if (!d || !d->bytes || d->kind == region_shared) return;
  Region* s = find_region(src);
  bool home = s && src >= s->arrived && src + n <= s->arrived + s->arrived_bytes && s->arrived_from + (src - s->arrived) == dst;
  bool visit = !current && d->kind == region_device;
  if (visit && s) readings_home(d, dst != d->arrived || n != d->arrived_bytes);
  for (size_t i = 0; i < n; i++) {
    uint8_t state = s && s->bytes && src + i < s->hi ? s->bytes[src - s->lo + i] : uint8_t(byte_initialised);
    uint8_t init = state & byte_initialised;
    if (home && !init && !(state & byte_written)) continue;
    uint8_t& b = d->bytes[dst - d->lo + i];
    b = uint8_t((b & ~(byte_initialised | byte_written | byte_read)) | init | (visit && !init ? 0 : byte_written));
  }
  if (visit) d->arrived = dst, d->arrived_from = src, d->arrived_bytes = n;
}

// Host transfers: both ends must be inside something, whoever may dereference it.
static bool transfer_ok(uintptr_t a, size_t n, bool write, Site pc) {
  if (!n || quiet || on_some_stack(a)) return true;
  Region* r = find_region(a);
  if (r && r->live && a + n <= r->hi) return true;
  if (!r && (in_image(a) || (a >= host_stack_lo && a < host_stack_hi))) return true;
  Region* near = r ? r : nearest_region(a);
  if (!near || (!r && a >= uintptr_t(near->map) + near->map_bytes)) return true;         // the C library's memory
  if (r && !r->live) place_fault("use_after_free", "the memory was freed before", r, a, unsigned(n), write, pc);
  else place_fault(write ? "oob_write" : "oob_read", "a transfer goes past the end of the memory", near, a + n > near->hi ? near->hi : a, unsigned(n), write, pc);
  return false;
}

static void transfer(void* dst, const void* src, size_t n, Site pc) {
  settle_pending();
  if (current) {                                    // in a kernel: plain loads and stores of one thread
    if (!access_range(uintptr_t(src), n, false, pc) || !access_range(uintptr_t(dst), n, true, pc)) return;
  } else if (!transfer_ok(uintptr_t(src), n, false, pc) || !transfer_ok(uintptr_t(dst), n, true, pc)) {
    return;
  }
  if (options.checks && !quiet) {
    copy_states(uintptr_t(dst), uintptr_t(src), n);
    Region *to = find_region(uintptr_t(dst)), *from = find_region(uintptr_t(src));
    bool visit = !current && to && to->kind == region_device;
    if (from && from->bytes && !visit) flag(from->bytes + (uintptr_t(src) - from->lo), n, byte_read);
  }
  memmove(dst, src, n);
}

NOINLINE void copy(void* dst, const void* src, xprt_size n, int line) { transfer(dst, src, n, site(CALLER, line)); }

// Block operations and language atomics found in the program's own text.
static void watched_copy(void* dst, const void* src, size_t n, Site pc) {
  if (quiet) memmove(dst, src, n);
  else transfer(dst, src, n, pc);
}

static void set_bytes(void* dst, int byte, size_t n, Site pc) {
  settle_pending();
  uintptr_t a = uintptr_t(dst);
  if (current ? !access_range(a, n, true, pc) : !transfer_ok(a, n, true, pc)) return;
  memset(dst, byte, n);
  Region* r = options.checks && !current ? find_region(a) : nullptr;
  for (size_t i = 0; r && i < n; i++) r->bytes[a - r->lo + i] |= byte_initialised | byte_written;
}

static void watched_fill(void* dst, int byte, size_t n, Site pc) {
  if (quiet) memset(dst, byte, n);
  else set_bytes(dst, byte, n, pc);
}

static void language_atomic(const volatile void* p, unsigned n, uintptr_t pc) { atomic_at(uintptr_t(p), n, site(pc)); }

NOINLINE void fill(void* dst, int byte, xprt_size n, int line) { set_bytes(dst, byte, n, site(CALLER, line)); }

Unchecked::Unchecked() : depth(quiet) { quiet++; }
Unchecked::~Unchecked() { quiet = depth; }

}  // namespace xprt
