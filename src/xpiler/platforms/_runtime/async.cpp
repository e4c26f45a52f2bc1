// Asynchronous copies into shared memory: nothing arrives before the wait, so a kernel that forgets the wait sees poison.
namespace xprt {

struct AsyncCopy { char* dst; const char* src; unsigned bytes, valid, group; Site site; };
struct AsyncCopies { unsigned open, count, cap; AsyncCopy* list; };     // `open`: number of the group being filled

static void mark_pending(char* dst, unsigned n, bool on) {
  Region* r = options.checks ? find_region(uintptr_t(dst)) : nullptr;
  if (!r || uintptr_t(dst) + n > r->hi) return;
  for (unsigned i = 0; i < n; i++) {
    uint8_t& s = r->bytes[uintptr_t(dst) - r->lo + i];
    s = uint8_t(on ? s | byte_pending : s & ~byte_pending);
  }
}

NOINLINE void async_copy(void* dst, const void* src, xprt_size bytes, xprt_size valid, int line) {
  self();
  Site from = site(uintptr_t(__builtin_return_address(0)), line);
  if (valid > bytes) valid = bytes;
  if (valid && !access_range(uintptr_t(src), valid, false, from)) return;
  if (!access_range(uintptr_t(dst), bytes, true, from)) return;
  AsyncCopies*& q = current->async;
  if (!q) q = static_cast<AsyncCopies*>(heap_zeroed(1, sizeof(AsyncCopies)));
  if (q && q->count == q->cap) q->list = static_cast<AsyncCopy*>(heap_resize(q->list, (q->cap = q->cap * 2 + 8) * sizeof(AsyncCopy)));
  if (!q || !q->list) fail("no memory for an asynchronous copy");
  q->list[q->count++] = {static_cast<char*>(dst), static_cast<const char*>(src), unsigned(bytes), unsigned(valid), q->open, from};
  mark_pending(static_cast<char*>(dst), unsigned(bytes), true);
}

void async_commit() {
  self();
  if (current->async) current->async->open++;
}

static void arrive(const AsyncCopy& c) {
  mark_pending(c.dst, c.bytes, false);
  memcpy(c.dst, c.src, c.valid);
  memset(c.dst + c.valid, 0, c.bytes - c.valid);
  access_range(uintptr_t(c.dst), c.bytes, true, c.site);       // the data becomes visible now
}

void async_wait(unsigned outstanding, int) {
  self();
  AsyncCopies* q = current->async;
  if (!q) return;
  unsigned kept = 0;
  for (unsigned i = 0; i < q->count; i++) {
    const AsyncCopy c = q->list[i];
    bool wait_for = c.group + outstanding < q->open;
    if (wait_for) arrive(c);
    else q->list[kept++] = c;
  }
  q->count = kept;
}

// The thread ends: what it did not wait for arrives some time; nobody may rely on it.
static void async_abandon(Thread* t) {
  for (unsigned i = 0; i < t->async->count; i++) mark_pending(t->async->list[i].dst, t->async->list[i].bytes, false);
  heap_free(t->async->list);
  heap_free(t->async);
  t->async = nullptr;
}

}  // namespace xprt
