// Memory that the program may touch: every allocation lies in a mapping of its own and ends at a guard page.
namespace xprt {

// ---- table of regions, sorted by address ----------------------------------------------------------------

static Region** regions;
static unsigned regions_count, regions_cap;
enum { cache_size = 512 };
static Region* region_cache[cache_size];      // by page of the address: the last region that was found there
static uintptr_t host_stack_lo, host_stack_hi;
static uintptr_t places_lo, places_span;       // the objects behind xprt_thread_index & co.
static uintptr_t host_frames_end;             // where the frames of the host's calls end: main's own

static inline Region*& cached(uintptr_t a) { return region_cache[(a >> 12) & (cache_size - 1)]; }

static unsigned regions_upto(uintptr_t a) {   // how many start at or below a
  unsigned lo = 0, hi = regions_count;
  while (lo < hi) {
    unsigned mid = (lo + hi) / 2;
    if (regions[mid]->lo <= a) lo = mid + 1;
    else hi = mid;
  }
  return lo;
}

static Region* find_region(uintptr_t a) {
  unsigned i = regions_upto(a);
  return i && a < regions[i - 1]->hi ? regions[i - 1] : nullptr;
}

// The live region that `a` most probably was meant to lie in.
static Region* nearest_region(uintptr_t a) {
  unsigned i = regions_upto(a);
  Region* best = nullptr;
  uintptr_t distance = 1u << 24;
  for (unsigned k = i > 2 ? i - 2 : 0; k < i + 2 && k < regions_count; k++) {
    Region* r = regions[k];
    uintptr_t d = a < r->lo ? r->lo - a : a >= r->hi ? a - r->hi + 1 : 0;
    if (d < distance) best = r, distance = d;
  }
  return best;
}

static void add_region(Region* r) {
  if (regions_count == regions_cap) {
    regions_cap = regions_cap ? regions_cap * 2 : 64;
    regions = static_cast<Region**>(heap_resize(regions, regions_cap * sizeof(Region*)));
    if (!regions) fail("no memory for the table of regions");
  }
  unsigned at = regions_upto(r->lo);
  memmove(regions + at + 1, regions + at, (regions_count - at) * sizeof(Region*));
  regions[at] = r;
  regions_count++;
}

static void remove_region(Region* r) {
  unsigned at = regions_upto(r->lo) - 1;
  memmove(regions + at, regions + at + 1, (--regions_count - at) * sizeof(Region*));
  memset(region_cache, 0, sizeof region_cache);
}

// ---- mappings -------------------------------------------------------------------------------------------

static char* map_pages(size_t bytes, int protection) {
  void* p = mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) return nullptr;
  if (bytes >= size_t(4) << 20) madvise(p, bytes, MADV_HUGEPAGE);        // fewer page faults; only advice
  return static_cast<char*>(p);
}

static inline size_t round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }

static size_t cells_bytes(const Region* r) { return ((r->size() >> r->shift) + 2) * sizeof(Cell); }

static bool add_shadow(Region* r) {
  if (!options.checks) return true;
  r->bytes = reinterpret_cast<uint8_t*>(map_pages(r->size() + 16, PROT_READ | PROT_WRITE));
  return r->bytes;
}

// Histories exist from the first access by a kernel on; what the host does is in order anyway.
static NOINLINE void add_cells(Region* r) {
  r->cells = reinterpret_cast<Cell*>(map_pages(cells_bytes(r), PROT_READ | PROT_WRITE));
  if (!r->cells) fail("no memory for watching accesses");
}

static void drop_shadow(Region* r) {
  if (r->cells) munmap(r->cells, cells_bytes(r));
  if (r->bytes) munmap(r->bytes, r->size() + 16);
  r->cells = nullptr, r->bytes = nullptr;
}

// Smaller granules: each new one inherits the history of the one that it was part of.
static NOINLINE void refine(Region* r, unsigned shift) {
  Cell* old = r->cells;
  size_t old_bytes = cells_bytes(r), old_count = (r->size() >> r->shift) + 1;
  unsigned split = 1u << (r->shift - shift);
  r->shift = uint8_t(shift);
  r->cells = reinterpret_cast<Cell*>(map_pages(cells_bytes(r), PROT_READ | PROT_WRITE));
  if (!r->cells) fail("no memory for watching accesses");
  size_t count = (r->size() >> shift) + 1;
  for (size_t i = 0; i < old_count; i++)
    if (old[i].write | old[i].read)
      for (size_t k = i * split; k < (i + 1) * split && k < count; k++) r->cells[k] = old[i];
  munmap(old, old_bytes);
}

// A pattern that no program expects; another one for each value of the run's `poison`. Of 1 and 2 one is larger and one is
// smaller than what programs compute, whatever the type is: it shows in a maximum or in a minimum.
static void poison(void* p, size_t n) {
  static const uint32_t words[] = {0xffffffffu, 0x7b7b7b7bu, 0xfafafafau, 0u};
  uint32_t w = options.poison < 4 ? words[options.poison] : uint32_t(mix(options.poison));
  uint8_t* b = static_cast<uint8_t*>(p);
  if ((w & 0xff) == w >> 24) memset(b, int(w & 0xff), n);
  else for (size_t i = 0; i < n; i++) b[i] = uint8_t(w >> 8 * (i & 3));
}

static bool poisoned(const uint8_t* p, const uint8_t* end, const uint8_t* pattern_start) {
  uint8_t word[4];
  poison(word, 4);
  for (; p < end; p++) if (*p != word[(p - pattern_start) & 3]) return false;
  return true;
}

// A new region of `bytes`, poisoned, whose end lies as near to the guard page as an alignment of `align` allows.
static Region* allocate(size_t bytes, size_t align, RegionKind kind, unsigned space, const char* name) {
  if (bytes > size_t(1) << 40) return nullptr;
  size_t inner = round_up(bytes ? bytes : 1, page);
  char* map = map_pages(inner + 2 * page, PROT_NONE);
  if (!map) return nullptr;
  Region* r = static_cast<Region*>(heap(sizeof(Region)));
  *r = Region();
  if (mprotect(map + page, inner, PROT_READ | PROT_WRITE)) return munmap(map, inner + 2 * page), heap_free(r), nullptr;
  poison(map + page, inner);
  r->map = map, r->map_bytes = inner + 2 * page;
  r->lo = (uintptr_t(map) + page + inner - bytes) / align * align;
  r->hi = r->lo + bytes;
  r->kind = kind, r->space = uint8_t(space), r->name = name;
  if (!add_shadow(r)) return munmap(map, r->map_bytes), heap_free(r), nullptr;
  add_region(r);
  return r;
}

// With checks off: was anything written between the region and its guard pages?
static void check_slack(Region* r) {
  if (options.checks || !r->map) return;
  const uint8_t* lo = reinterpret_cast<uint8_t*>(r->map + page);
  const uint8_t* hi = reinterpret_cast<uint8_t*>(r->map + r->map_bytes - page);
  bool before = poisoned(lo, reinterpret_cast<uint8_t*>(r->lo), lo), after = poisoned(reinterpret_cast<uint8_t*>(r->hi), hi, lo);
  if (before && after) return;
  Report f;
  f.kind = "oob_write", f.access = "write", f.region = r, f.offset = before ? int64_t(r->size()) : -1, f.extent = r->size();
  f.element = r->element, f.message = "something was written just outside";
  report(f);
}

// Freed memory stays closed for a while, so that a late access is told as what it is.
enum { quarantine_slots = 256 };
static Region* quarantine[quarantine_slots];
static unsigned quarantine_next;

// Which bytes of the caller's buffers were read: a transfer to the device reads what is read there. `lost`: where the latest
// transfer came from will not be known any more, so all of it counts.
static void readings_home(Region* d, bool lost) {
  Region* from = d->arrived_bytes ? find_region(d->arrived_from) : nullptr;
  if (!from || !from->bytes || !d->bytes || d->arrived_from + d->arrived_bytes > from->hi) return;
  const uint8_t* seen = d->bytes + (d->arrived - d->lo);
  uint8_t* home = from->bytes + (d->arrived_from - from->lo);
  for (size_t i = 0; i < d->arrived_bytes; i++)
    if (lost || seen[i] & byte_read) home[i] |= byte_read;
}

static void all_readings_home() {
  for (unsigned i = 0; i < regions_count; i++)
    if (regions[i]->live) readings_home(regions[i], false);
}

static void retire(Region* r) {
  check_slack(r);
  readings_home(r, false);
  r->live = false;
  mprotect(r->map, r->map_bytes, PROT_NONE);
  madvise(r->map, r->map_bytes, MADV_DONTNEED);
  drop_shadow(r);
  memset(region_cache, 0, sizeof region_cache);
  Region*& slot = quarantine[quarantine_next++ % quarantine_slots];
  if (slot) {
    remove_region(slot);
    munmap(slot->map, slot->map_bytes);
    heap_free(slot);
  }
  slot = r;
}

static Region* add_global(uintptr_t lo, size_t bytes, const char* name, bool constant, bool managed) {
  Region* r = static_cast<Region*>(heap(sizeof(Region)));
  *r = Region();
  r->lo = lo, r->hi = lo + bytes, r->kind = region_global, r->space = space_both, r->name = name, r->constant = constant, r->symbol = !managed;
  if (lo & 3) r->shift = 0;
  if (!add_shadow(r)) fail("no memory for watching a global variable");
  if (r->bytes) memset(r->bytes, byte_initialised, bytes);
  add_region(r);
  return r;
}

// Globals are announced by static initialisers, which may run before the run's options are known: kept until then.
struct Announced { void* p; size_t bytes; const char* name; bool constant, managed; };
static Announced announced[1024];
static unsigned announced_count;
static bool started;

void register_global(void* p, xprt_size bytes, const char* name, bool constant, bool managed) {
  if (started) add_global(uintptr_t(p), bytes, name, constant, managed);
  else if (announced_count < 1024) announced[announced_count++] = {p, bytes, name, constant, managed};
}

bool is_symbol(const void* p) {
  Region* r = find_region(uintptr_t(p));
  return r && r->symbol;
}

void address_symbol(const void* p) {
  Region* r = find_region(uintptr_t(p));
  if (r) r->symbol = false;
}

static void add_announced() {
  started = true;
  for (unsigned i = 0; i < announced_count; i++)
    add_global(uintptr_t(announced[i].p), announced[i].bytes, announced[i].name, announced[i].constant, announced[i].managed);
}

// ---- the surface's allocations --------------------------------------------------------------------------

static unsigned walk_calls(uintptr_t frame, Site* to, unsigned room);

static void keep_birth(Region* r, uintptr_t frame) { walk_calls(frame, r->born, 4); }

NOINLINE void* device_alloc(xprt_size bytes, Space space) {
  Region* r = allocate(bytes, 256, region_device, space, "");
  if (r) keep_birth(r, uintptr_t(__builtin_frame_address(0)));
  return r ? reinterpret_cast<void*>(r->lo) : nullptr;
}

bool device_free(void* p, int line) {
  if (!p) return true;
  Region* r = find_region(uintptr_t(p));
  if (!r && regions_upto(uintptr_t(p))) {           // an empty allocation has no byte to be found by
    r = regions[regions_upto(uintptr_t(p)) - 1];
    if (r->lo != uintptr_t(p)) r = nullptr;
  }
  const char* wrong = !r ? "this is not the start of an allocation" : r->kind == region_buffer ? "this memory is the caller's"
                      : !r->live ? "this allocation was freed before" : uintptr_t(p) != r->lo || !r->map ? "this is not the start of an allocation" : nullptr;
  if (wrong) return finding(severity_error, "bad_free", wrong, line), false;
  settle_pending();
  retire(r);
  return true;
}

bool region_of(const void* p, void** base, xprt_size* bytes, Space* space) {
  Region* r = find_region(uintptr_t(p));
  if (!r || !r->live) return false;
  *base = reinterpret_cast<void*>(r->lo), *bytes = r->size(), *space = Space(r->space);
  return true;
}

static void check_leaks() {
  for (unsigned i = 0; i < regions_count; i++) {
    Region* r = regions[i];
    if (!r->live || r->kind != region_device) continue;
    Report f;
    f.severity = severity_note, f.kind = "leak", f.region = r, f.extent = r->size();
    f.message = "device memory was not freed";
    report(f);
  }
}

// ---- shared memory --------------------------------------------------------------------------------------

static const size_t arena_bytes = 1 << 20, red_zone = 128;

static Arena* arena_new() {
  Arena* a = static_cast<Arena*>(heap_zeroed(1, sizeof(Arena)));
  Region* r = a ? allocate(arena_bytes, page, region_shared, space_device, "shared memory") : nullptr;
  if (!r) fail("no memory for shared memory");
  a->region = r;
  if (r->bytes) memset(r->bytes, byte_void, r->size());
  return a;
}

static char* arena_place(Arena* a, size_t bytes, size_t align) {
  size_t at = round_up(a->used + red_zone, align < 16 ? 16 : align);
  if (at + bytes + red_zone > arena_bytes) trap("shared_capacity", "more than 1 MiB of shared memory in one block", 0);
  a->used = at + bytes;
  a->payload += bytes;
  if (options.shared_limit && a->payload > options.shared_limit && a->payload - bytes <= options.shared_limit)
    finding(severity_error, "shared_capacity", "the block's shared arrays need more than a block can have", launching->line);
  if (a->region->bytes) memset(a->region->bytes + at, 0, bytes);
  return reinterpret_cast<char*>(a->region->lo) + at;
}

// A new launch lays its arrays out anew; a new block of the same launch finds them poisoned where they were.
static void arena_reset(Arena* a, size_t dynamic_shared) {
  uint8_t* states = a->region->bytes;
  poison(reinterpret_cast<void*>(a->region->lo), round_up(a->used + red_zone, 4));
  if (a->owner != launching_number) {
    if (states) memset(states, byte_void, a->used);
    a->owner = launching_number;
    a->used = a->payload = 0, a->count = 0;
    a->dynamic = arena_place(a, dynamic_shared, 128);
    a->dynamic_bytes = dynamic_shared;
    return;
  }
  if (!states) return;
  memset(states + (uintptr_t(a->dynamic) - a->region->lo), 0, a->dynamic_bytes);
  for (unsigned i = 0; i < a->count; i++) memset(states + (uintptr_t(a->arrays[i].base) - a->region->lo), 0, a->arrays[i].bytes);
}

void* shared_array(const void* key, xprt_size bytes, xprt_size align, const char* name) {
  self();
  Arena* a = current->block->arena;
  for (unsigned i = 0; i < a->count; i++)
    if (a->arrays[i].key == key) return a->arrays[i].base;
  if (a->count == max_shared_arrays) trap("shared_capacity", "more than 64 shared arrays in one block", 0);
  char* base = arena_place(a, bytes, align);
  a->arrays[a->count++] = {key, base, bytes, name};
  return base;
}

void* dynamic_shared() { return self(), current->block->arena->dynamic; }
xprt_size shared_bytes_used() { return self(), current->block->arena->payload; }

// The array that an address of the arena belongs to, or the one before it: sets its name, start and size.
static void locate_shared(const Arena* a, uintptr_t at, const char** name, uintptr_t* start, uint64_t* bytes) {
  *name = "dynamic shared memory", *start = uintptr_t(a->dynamic), *bytes = a->dynamic_bytes;
  uintptr_t best = uintptr_t(a->dynamic);
  if (!a->dynamic_bytes) best = 0;
  for (unsigned i = 0; i < a->count; i++) {
    const SharedArray& s = a->arrays[i];
    bool after = uintptr_t(s.base) <= at && uintptr_t(s.base) >= best;
    if (!after && !(best == 0 && i == 0)) continue;
    *name = s.name, *start = best = uintptr_t(s.base), *bytes = s.bytes;
  }
}

// With checks off: did a thread write past one of the block's arrays?
static void arena_check(Arena* a) {
  if (options.checks || !a->used) return;
  const uint8_t* lo = reinterpret_cast<uint8_t*>(a->region->lo);
  const uint8_t* gap = lo;
  for (unsigned i = 0; i <= a->count; i++) {
    const uint8_t* start = i ? reinterpret_cast<uint8_t*>(a->arrays[i - 1].base) : reinterpret_cast<uint8_t*>(a->dynamic);
    if (!poisoned(gap, start, lo)) finding(severity_error, "oob_write", "something was written between the shared arrays of a block", launching->line);
    gap = start + (i ? a->arrays[i - 1].bytes : a->dynamic_bytes);
  }
  if (!poisoned(gap, lo + a->used + red_zone, lo)) finding(severity_error, "oob_write", "something was written past the shared arrays of a block", launching->line);
}

}  // namespace xprt
