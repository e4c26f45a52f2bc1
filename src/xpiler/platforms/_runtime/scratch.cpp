// Scratchpads: memories beside the common one (of one core, or of a group of cores). Each is one region; the program's arrays are placed in
// it as they are met, with red zones (byte_void) between them, so that an access past an array is found though it stays in the memory.
namespace xprt {

struct Placed { const void* key; char* base; size_t bytes; const char* name; };

struct Scratch {
  Region* region;
  ScratchKind kind;
  uint32_t launch;                   // that laid it out
  size_t used, payload;              // with and without red zones
  bool overfull;
  unsigned count, cap;
  Placed* list;
};

enum { scratch_zone = 256 };

Scratch* scratch_new(const ScratchKind& kind) {
  Scratch* s = static_cast<Scratch*>(heap_zeroed(1, sizeof(Scratch)));
  Region* r = s ? allocate(round_up(kind.capacity + (kind.capacity >> 2) + (64 << 10), page), page, region_scratch, space_device, kind.name) : nullptr;
  if (!r) fail("no memory for a scratchpad");
  s->region = r, s->kind = kind;
  r->scratch = s;
  if (r->bytes) memset(r->bytes, byte_void, r->size());
  return s;
}

void scratch_owner(Scratch* s, unsigned lane) { s->kind.lane = lane; }

// New contents; the layout stays for the blocks of one launch.
void scratch_reset(Scratch* s) {
  Region* r = s->region;
  if (r->cells) munmap(r->cells, cells_bytes(r)), r->cells = nullptr;
  poison(reinterpret_cast<void*>(r->lo), s->used < r->size() ? round_up(s->used, 4) : r->size());
  if (s->launch != launching_number) {
    if (r->bytes) memset(r->bytes, byte_void, s->used);
    s->launch = launching_number;
    s->used = s->payload = s->count = 0, s->overfull = false;
    return;
  }
  for (unsigned i = 0; r->bytes && i < s->count; i++) memset(r->bytes + (uintptr_t(s->list[i].base) - r->lo), 0, s->list[i].bytes);
}

static void scratch_full(Scratch* s, size_t bytes, const char* name, int line) {
  char text[240];
  snprintf(text, sizeof text, "%s (%zu bytes) brings what is declared in %s to %zu bytes; it has %zu", name, bytes, s->kind.name, s->payload,
           size_t(s->kind.capacity));
  finding(severity_error, "capacity", text, line);
  s->overfull = true;
}

void* scratch_array(Scratch* s, const void* key, xprt_size bytes, xprt_size align, const char* name, int line) {
  for (unsigned i = 0; i < s->count; i++)
    if (s->list[i].key == key) return s->list[i].base;
  size_t at = round_up(s->used + scratch_zone, align < 64 ? 64 : align);
  s->payload += bytes;
  if (s->payload > s->kind.capacity && !s->overfull) scratch_full(s, bytes, name, line);
  if (at + bytes + scratch_zone > s->region->size()) {
    if (!s->overfull) scratch_full(s, bytes, name, line);
    finish_run(71);                                    // told above; there is no place to go on with
  }
  if (s->count == s->cap) s->list = static_cast<Placed*>(heap_resize(s->list, (s->cap = s->cap * 2 + 16) * sizeof(Placed)));
  if (!s->list) fail("no memory for the arrays of a scratchpad");
  char* base = reinterpret_cast<char*>(s->region->lo) + at;
  s->list[s->count++] = {key, base, bytes, name};
  s->used = at + bytes + scratch_zone;
  poison(base - at % 4, round_up(bytes + at % 4, 4));
  if (s->region->bytes) memset(s->region->bytes + at, 0, bytes);
  return base;
}

xprt_size scratch_bytes(const Scratch* s) { return s->payload; }

// The array that an address belongs to, or the one before it.
static void locate_scratch(const Scratch* s, uintptr_t at, const char** name, uintptr_t* start, uint64_t* bytes) {
  *name = s->kind.name, *start = s->region->lo, *bytes = s->region->size();
  for (unsigned i = 0; i < s->count; i++)
    if (uintptr_t(s->list[i].base) <= at) *name = s->list[i].name, *start = uintptr_t(s->list[i].base), *bytes = s->list[i].bytes;
}

// ---- scalar accesses (see access() in shadow.cpp) -------------------------------------------------------------

// false: the access is judged; true: the order of accesses matters, too.
static NOINLINE bool scratch_access(Region* r, uintptr_t a, unsigned n, bool write, Site pc) {
  const ScratchKind& k = r->scratch->kind;
  if (!k.scalar) place_fault("wrong_space", "scalar code touches a memory that it can't reach", r, a, n, write, pc);
  if (k.lane == every_lane) return true;
  if (k.lane != current->linear) place_fault("wrong_space", "a core touches another core's memory", r, a, n, write, pc);
  return false;
}

// ---- what an instruction touches ----------------------------------------------------------------------------------

unsigned place_of(const void* p) {
  uintptr_t a = uintptr_t(p);
  if (current && on_stack_of(a, current->stack)) return place_stack;
  Region* r = find_region(a);
  if (!r && regions_upto(a) && regions[regions_upto(a) - 1]->hi == a) r = regions[regions_upto(a) - 1];
  if (!r) return in_image(a) ? place_image : on_some_stack(a) ? place_other : place_unknown;
  if (r->kind == region_scratch) return r->scratch->kind.lane == every_lane || (current && r->scratch->kind.lane == current->linear) ? r->scratch->kind.tag : unsigned(place_other);
  return r->space & space_device ? place_common : place_host;
}

const Scratch* scratch_of(const void* p) {
  Region* r = find_region(uintptr_t(p));
  return r && r->kind == region_scratch ? r->scratch : nullptr;
}

bool scratch_placed(const void* p, char** base, xprt_size* bytes) {
  const Scratch* s = scratch_of(p);
  for (unsigned i = 0; s && i < s->count; i++) {
    const Placed& a = s->list[i];
    if (p >= a.base && p < a.base + a.bytes) return *base = a.base, *bytes = a.bytes, true;
  }
  return false;
}

// States of many bytes, eight at a time.
static inline uint64_t word_at(const uint8_t* s) {
  uint64_t w;
  memcpy(&w, s, 8);
  return w;
}
static inline uint64_t eight(uint8_t bits) { return bits * 0x0101010101010101ull; }

static bool flagged(const uint8_t* s, size_t n, uint8_t bits) {
  uint64_t all = 0;
  size_t i = 0;
  for (; i + 8 <= n; i += 8) all |= word_at(s + i);
  for (; i < n; i++) all |= s[i];
  return all & eight(bits);
}

static void flag(uint8_t* s, size_t n, uint8_t bits) {
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    uint64_t w = word_at(s + i) | eight(bits);
    memcpy(s + i, &w, 8);
  }
  for (; i < n; i++) s[i] |= bits;
}

void change_states(void* p, xprt_size n, unsigned char set, unsigned char clear) {
  uint8_t* s = byte_states(p, n);
  if (!s) return;
  if (clear == 0) return flag(s, n, set);
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    uint64_t w = (word_at(s + i) & ~eight(clear)) | eight(set);
    memcpy(s + i, &w, 8);
  }
  for (; i < n; i++) s[i] = uint8_t((s[i] & ~clear) | set);
}

bool all_written(const void* p, xprt_size n) {
  const uint8_t* s = byte_states(p, n);
  if (!s) return true;
  uint64_t all = eight(byte_initialised);
  size_t i = 0;
  for (; i + 8 <= n; i += 8) all &= word_at(s + i);
  for (; i < n; i++) all &= s[i] | ~uint64_t(byte_initialised);
  return (all & eight(byte_initialised)) == eight(byte_initialised);
}

// One of the bytes is closed or in flight: which, and what to say.
static NOINLINE bool touch_fault(Region* r, uintptr_t a, size_t n, bool write, Site pc) {
  const uint8_t bad = uint8_t(byte_void | byte_pending | (write ? byte_leaving : 0));
  for (size_t i = 0; i < n; i++) {
    uint8_t s = r->bytes[a - r->lo + i];
    if (!(s & bad)) continue;
    if (s & byte_void) return place_fault(write ? "oob_write" : "oob_read", "", r, a + i, 1, write, pc), false;
    place_fault("missing_wait", s & byte_pending ? "an asynchronous copy to this place was not waited for"
                                                 : "an asynchronous copy from this place was not waited for", r, a + i, 1, write, pc);
    return true;
  }
  return true;
}

NOINLINE bool touch(const void* p, xprt_size n, bool write, int line) {
  uintptr_t a = uintptr_t(p);
  Site pc = site(uintptr_t(__builtin_return_address(0)), line);
  settle_pending();
  if (on_some_stack(a) || !n) return true;
  Region* r = find_region(a);
  if (!r || !r->live || a + n > r->hi) {
    if (!r && in_image(a)) return true;
    Region* near = r ? r : nearest_region(a);
    if (near && !near->live) return place_fault("use_after_free", "the memory was freed before", near, a, unsigned(n), write, pc), false;
    place_fault(write ? "oob_write" : "oob_read", near ? "" : "the address lies in no memory of the program", near, near && a + n > near->hi && a < near->hi ? near->hi : a, 1, write, pc);
    return false;
  }
  if (!options.checks || quiet) return true;
  if (flagged(r->bytes + (a - r->lo), n, uint8_t(byte_void | byte_pending | byte_leaving)) && !touch_fault(r, a, n, write, pc)) return false;
  flag(r->bytes + (a - r->lo), n, write ? byte_written : byte_read);
  if (r->kind == region_scratch && r->scratch->kind.lane != every_lane) return true;
  // Order among threads; whether the bytes were ever written travels with the data instead.
  for (uintptr_t at = a, end = a + n; current && at < end;) {
    unsigned piece = at & 3 ? 1 : end - at >= 16 ? 16 : end - at >= 4 ? unsigned(end - at) & ~3u : 1;
    order_access(r, at, piece, write, pc);
    at += piece;
  }
  return true;
}

unsigned char* byte_states(const void* p, xprt_size n) {
  if (!options.checks || quiet) return nullptr;
  Region* r = find_region(uintptr_t(p));
  return r && r->bytes && uintptr_t(p) + n <= r->hi ? r->bytes + (uintptr_t(p) - r->lo) : nullptr;
}

void initialise(void* p, xprt_size n) {
  if (unsigned char* s = byte_states(p, n)) flag(s, n, byte_initialised);
}

void unwritten(const void* p, xprt_size n, int line) {
  if (all_written(p, n)) return;
  unsigned char* s = byte_states(p, n);
  for (xprt_size i = 0; s && i < n; i++) {
    if (s[i] & byte_initialised) continue;
    Region* r = find_region(uintptr_t(p));
    return place_fault("uninitialised_read", "the value was never written", r, uintptr_t(p) + i, 1, false, site(0, line), severity_note);
  }
}

NOINLINE void place_finding(Severity severity, const char* kind, const char* message, const void* p, int line) {
  place_fault(kind, message, find_region(uintptr_t(p)), uintptr_t(p), 1, false, site(uintptr_t(__builtin_return_address(0)), line), severity);
}

// ---- counters --------------------------------------------------------------------------------------------------

enum { counters_max = 96 };
static struct { const char* name; const xprt_u64* value; } counters[counters_max];
static unsigned counters_count;

void register_counter(const char* name, const xprt_u64* value) {
  if (counters_count < counters_max) counters[counters_count++] = {name, value};
}

static void put_counters(int fd) {
  static const char* scalar[] = {"scalar_buffer", "scalar_device", "scalar_host", "scalar_shared", "scalar_global", "scalar_scratch"};
  dprintf(fd, "{\"kind\":\"counters\",\"values\":{\"launches\":%u", launching_number);
  for (unsigned i = 0; i < region_kinds; i++)
    if (scalar_accesses[i]) dprintf(fd, ",\"%s\":%llu", scalar[i], static_cast<unsigned long long>(scalar_accesses[i]));
  for (unsigned i = 0; i < counters_count; i++)
    if (*counters[i].value) dprintf(fd, ",\"%s\":%llu", counters[i].name, static_cast<unsigned long long>(*counters[i].value));
  dprintf(fd, "}}\n");
}

}  // namespace xprt
