// The program's own heap: in a checked run every malloc'ed block is a region of its own. (--wrap at link time; `operator new` likewise.)
namespace xprt {

enum { heap_watched_max = 4096 };
static unsigned heap_watched;

static bool watching_heap() { return !quiet && heap_watched < heap_watched_max; }

static void* heap_alloc(size_t n, size_t align, bool zero, uintptr_t frame, const char* name = by_malloc) {
  Region* r = allocate(n, align, region_host, current ? unsigned(space_both) : unsigned(space_host), name);
  if (!r) return nullptr;
  keep_birth(r, frame);
  heap_watched++;
  if (zero) {
    memset(reinterpret_cast<void*>(r->lo), 0, n);
    memset(r->bytes, byte_initialised, n);
  }
  return reinterpret_cast<void*>(r->lo);
}

static Region* heap_region(void* p) {
  if (!options.checks) return nullptr;
  unsigned i = regions_upto(uintptr_t(p));
  Region* r = i ? regions[i - 1] : nullptr;
  return r && r->lo == uintptr_t(p) && r->kind == region_host ? r : nullptr;
}

static void heap_release(void* p, Site pc) {
  Region* r = heap_region(p);
  if (!r) {
    Region* inside = options.checks ? find_region(uintptr_t(p)) : nullptr;
    if (inside) return place_fault("bad_free", "free() of something that malloc() did not give", inside, uintptr_t(p), 1, true, pc);
    return heap_free(p);
  }
  if (!r->live) return place_fault("bad_free", "this allocation was freed before", r, uintptr_t(p), 1, true, pc);
  settle_pending();
  heap_watched--;
  retire(r);
}

static void* heap_move(void* p, size_t n, uintptr_t frame, Site pc) {
  Region* r = heap_region(p);
  if (!r) return p || !watching_heap() ? heap_resize(p, n) : heap_alloc(n, 16, false, frame);
  void* fresh_block = heap_alloc(n, 16, false, frame);
  if (!fresh_block) return nullptr;
  size_t keep = n < r->size() ? n : r->size();
  copy_states(uintptr_t(fresh_block), uintptr_t(p), keep);
  memcpy(fresh_block, p, keep);
  heap_release(p, pc);
  return fresh_block;
}

static void* must(void* p) {
  if (!p) fail("operator new: no memory");
  return p;
}

}  // namespace xprt

#define FRAME uintptr_t(__builtin_frame_address(0))

extern "C" {
int __real_posix_memalign(void**, size_t, size_t);
void* __real_aligned_alloc(size_t, size_t);

void* __wrap_malloc(size_t n) { return watching_heap() ? heap_alloc(n, 16, false, FRAME) : heap(n); }
void* __wrap_calloc(size_t n, size_t size) {
  size_t bytes;
  if (!watching_heap() || __builtin_mul_overflow(n, size, &bytes)) return heap_zeroed(n, size);
  return heap_alloc(bytes, 16, true, FRAME);
}
void* __wrap_realloc(void* p, size_t n) { return heap_move(p, n, FRAME, site(AT)); }
void __wrap_free(void* p) { heap_release(p, site(AT)); }
void* __wrap_aligned_alloc(size_t align, size_t n) {
  return watching_heap() && align <= 4096 ? heap_alloc(n, align, false, FRAME) : __real_aligned_alloc(align, n);
}
int __wrap_posix_memalign(void** p, size_t align, size_t n) {
  if (!watching_heap() || align > 4096) return __real_posix_memalign(p, align, n);
  return (*p = heap_alloc(n, align, false, FRAME)) ? 0 : 12;
}
}

// Weak: a program may bring its own.
#define WEAK __attribute__((weak))
WEAK void* operator new(size_t n) { return must(watching_heap() ? heap_alloc(n, 16, false, FRAME, by_new) : heap(n)); }
WEAK void* operator new[](size_t n) { return must(watching_heap() ? heap_alloc(n, 16, false, FRAME, by_new) : heap(n)); }
WEAK void operator delete(void* p) noexcept { heap_release(p, site(AT)); }
WEAK void operator delete[](void* p) noexcept { heap_release(p, site(AT)); }
WEAK void operator delete(void* p, size_t) noexcept { heap_release(p, site(AT)); }
WEAK void operator delete[](void* p, size_t) noexcept { heap_release(p, site(AT)); }
