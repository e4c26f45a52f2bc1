// Launches and the scheduler: which fiber runs next. Threads of a block start in order (or in a seeded random order) and run until
// they block; a thread that never blocks runs to its end on a stack that the next thread takes over, with no switch at all.
namespace xprt {

static void* host_sp;                     // where the launching host code waits
static Block* blocks;                     // one, or all of them in a cooperative launch
static unsigned blocks_alive;
static uint64_t grid_waiting;             // threads at the grid barrier
static uint64_t permutation_step, permutation_start;

// Threads that have not started: `fresh_list` past `fresh_next` (all blocks of a cooperative launch); threads that can go on: a ring.
static Thread** fresh_list;
static unsigned fresh_next, fresh_end;
static Thread** ring;
static unsigned ring_mask, ring_head, ring_tail;
static uint64_t dice;

static inline unsigned roll(unsigned n) {
  dice = dice * 6364136223846793005ull + 1442695040888963407ull;
  return unsigned((dice >> 33) % n);
}

static inline void push(Thread* t) { ring[ring_tail++ & ring_mask] = t; }

static inline Thread* pop() {
  unsigned waiting = ring_tail - ring_head, unstarted = fresh_end - fresh_next;
  if (UNLIKELY(options.schedule && waiting + unstarted > 1)) {
    unsigned k = roll(waiting + unstarted);
    if (k < unstarted) {
      Thread* chosen = fresh_list[fresh_next + k];
      fresh_list[fresh_next + k] = fresh_list[fresh_next];
      fresh_list[fresh_next++] = chosen;
      return chosen;
    }
    Thread** slot = &ring[(ring_head + k - unstarted) & ring_mask];
    Thread* chosen = *slot;
    *slot = ring[ring_head++ & ring_mask];
    return chosen;
  }
  if (unstarted) return fresh_list[fresh_next++];
  return waiting ? ring[ring_head++ & ring_mask] : nullptr;
}

static inline void restamp(Thread* t) {
  t->stamp = Stamp(t->block->seq) << 32 | Stamp(t->linear) << thread_shift | Stamp(t->clock) << clock_shift;
}

static inline Warp& warp_of(const Thread* t) { return t->block->warp[t->warp]; }

static inline void make_current(Thread* t) {
  current = t;
  t->state = running;
  xprt_thread_index = t->index;
  xprt_block_index = t->block->index;
  if (xprt_switched) xprt_switched(*t);
}

static void fiber_main();

// Gives the processor to `next`; returns when somebody gives it back to `me`.
static inline void switch_from(Thread* me, Thread* next) {
  settle_pending();
  if (next == me) return make_current(me);
  if (next->state == fresh) next->sp = first_frame(next->stack = stack_take(), fiber_main);
  make_current(next);
  xprt_switch(&me->sp, next->sp);
}

static void fire_active(Block* b, Warp& w, unsigned warp);
static void check_groups(Block* b, unsigned warp);
static void release_barrier(Block* b);
static void release_grid_if_all();
[[noreturn]] static void deadlock();

static inline void wake(Thread* t) {
  t->state = ready;
  warp_of(t).runnable++;
  push(t);
}

// The running thread waits in `state`; returns when it was woken.
static NOINLINE void block_self(State state) {
  Thread* me = current;
  me->state = state;
  Warp& w = warp_of(me);
  if (--w.runnable == 0 && w.actives) fire_active(me->block, w, me->warp);
  Thread* next = pop();
  if (!next) deadlock();
  switch_from(me, next);
}

static void exit_thread(Thread* t) {
  Block* b = t->block;
  Warp& w = warp_of(t);
  t->state = done;
  w.exited |= 1ull << t->lane;
  w.runnable--;
  b->live--;
  if (UNLIKELY(t->async != nullptr)) async_abandon(t);
  if (UNLIKELY(w.groups)) check_groups(b, t->warp);
  if (UNLIKELY(w.actives) && w.runnable == 0) fire_active(b, w, t->warp);
  if (UNLIKELY(b->waiting) && b->waiting == b->live) release_barrier(b);
  if (UNLIKELY(grid_waiting)) release_grid_if_all();
  if (b->live == 0) blocks_alive--;
}

// What a fiber does: run a thread, and then, on the same stack, every thread that has not started and is next in turn.
static void fiber_main() {
  for (;;) {
    Thread* me = current;
    char* stack = me->stack;
    launching->body(launching->arg);
    settle_pending();
    exit_thread(me);
    Thread* next = pop();
    if (LIKELY(next != nullptr) && next->state == fresh) {
      next->stack = stack;
      make_current(next);
      continue;
    }
    stack_give(stack);
    if (next) {
      make_current(next);
      xprt_switch(&me->sp, next->sp);
    } else {
      if (blocks_alive) deadlock();
      current = nullptr;
      xprt_switch(&me->sp, host_sp);
    }
  }
}

// ---- launching ------------------------------------------------------------------------------------------

static uint64_t gcd(uint64_t a, uint64_t b) { return b ? gcd(b, a % b) : a; }

// Blocks in order, or by a seeded walk that visits each once.
static void permute_blocks(uint64_t n) {
  permutation_start = 0, permutation_step = 1;
  if (!options.schedule || n < 2) return;
  uint64_t h = mix(options.schedule * 0x9e37ull + launch_seq);
  permutation_start = h % n;
  permutation_step = mix(h) % n | 1;
  while (gcd(permutation_step, n) != 1) permutation_step += 2;
}

static Index3 block_at(uint64_t turn, const Index3& grid) {
  uint64_t n = uint64_t(grid.x) * grid.y * grid.z;
  uint64_t k = uint64_t((unsigned __int128)(turn) * permutation_step % n + permutation_start) % n;
  return {unsigned(k % grid.x), unsigned(k / grid.x % grid.y), unsigned(k / (uint64_t(grid.x) * grid.y))};
}

static void reserve_threads(unsigned total) {
  if (total <= threads_cap) return;
  heap_free(threads_pool), heap_free(fresh_list), heap_free(ring);
  unsigned cap = 1;
  while (cap < total) cap *= 2;
  threads_pool = static_cast<Thread*>(heap_zeroed(total, sizeof(Thread)));
  fresh_list = static_cast<Thread**>(heap(total * sizeof(Thread*)));
  ring = static_cast<Thread**>(heap(cap * sizeof(Thread*)));
  if (!threads_pool || !fresh_list || !ring) fail("no memory for the threads");
  ring_mask = cap - 1;
  threads_cap = total;
}

static void place_threads(Block* b, Thread* first, const Index3& extent) {
  b->thread = first;
  for (unsigned i = 0; i < b->threads; i++) {
    Thread& t = first[i];
    memset(&t, 0, sizeof t);
    t.index = {i % extent.x, i / extent.x % extent.y, i / (extent.x * extent.y)};
    t.linear = i;
    t.warp = i / xprt_warp_width;
    t.lane = i % xprt_warp_width;
    t.block = b;
  }
}

static void start_warps(Block* b) {
  for (unsigned w = 0; w < b->warps; w++) {
    unsigned lanes = b->threads - w * xprt_warp_width;
    if (lanes > xprt_warp_width) lanes = xprt_warp_width;
    Warp& warp = b->warp[w];
    warp.exists = lanes == 64 ? ~0ull : (1ull << lanes) - 1;
    warp.exited = 0;
    warp.runnable = lanes;
    warp.actives = warp.groups = 0;
  }
}

static void start_block(Block* b, Index3 index, size_t dynamic_shared) {
  b->index = index;
  b->seq = b->first_seq = next_seq++;
  b->live = b->threads;
  b->waiting = 0;
  b->divergent = b->partial_sync = b->fenced = false;
  for (Named& n : b->named) n.arrived = 0;
  start_warps(b);
  arena_reset(b->arena, dynamic_shared);
  for (unsigned i = 0; i < b->threads; i++) {
    Thread* t = b->thread + i;
    t->state = fresh;
    t->spins = 0;
    memset(t->scratch, 0, sizeof t->scratch);
    if (options.checks) {
      t->clock = t->block_synced = t->warp_synced = 0;
      t->known = nullptr;
      restamp(t);
    }
    fresh_list[fresh_end++] = t;
  }
  blocks_alive++;
}

static void run_until_idle() {
  dice = mix(options.schedule ^ uint64_t(next_seq) << 20);
  Thread* first = pop();
  first->sp = first_frame(first->stack = stack_take(), fiber_main);
  make_current(first);
  xprt_switch(&host_sp, first->sp);
  fresh_next = fresh_end = ring_head = ring_tail = 0;
}

static bool shape_ok(const Launch& l, uint64_t threads) {
  const char* wrong = nullptr;
  if (l.grid.x == 0 || l.grid.y == 0 || l.grid.z == 0 || threads == 0) wrong = "a grid or block extent is zero";
  else if (threads > max_block_threads) wrong = "a block has more than 1024 threads";
  else if (l.block.z > 64) wrong = "a block has a z extent above 64";
  else if (l.grid.x > 0x7fffffffu || l.grid.y > 65535 || l.grid.z > 65535) wrong = "a grid extent is too large";
  else if (options.shared_limit && l.dynamic_shared > options.shared_limit) wrong = "more dynamic shared memory than a block can have";
  else if (current) wrong = "a launch inside a kernel";
  if (wrong) finding(severity_error, "launch", wrong, l.line);
  return !wrong;
}

static void allocate_blocks(unsigned count, unsigned threads, unsigned warps, const Index3& extent) {
  static unsigned capacity, warp_capacity;
  if (count > capacity) {
    blocks = static_cast<Block*>(heap_resize(blocks, count * sizeof(Block)));
    if (!blocks) fail("no memory for the blocks");
    memset(blocks + capacity, 0, (count - capacity) * sizeof(Block));
    capacity = count;
  }
  static Warp* warp_pool;
  if (count * warps > warp_capacity) {
    heap_free(warp_pool);
    warp_pool = static_cast<Warp*>(heap_zeroed(warp_capacity = count * warps, sizeof(Warp)));
    if (!warp_pool) fail("no memory for the warps");
  }
  reserve_threads(count * threads);
  for (unsigned i = 0; i < count; i++) {
    Block& b = blocks[i];
    b.threads = threads;
    b.warps = warps;
    b.warp = warp_pool + i * warps;
    if (!b.arena) b.arena = arena_new();
    place_threads(&b, threads_pool + i * threads, extent);
  }
}

static void run_blocks(const Launch& l, uint64_t total, unsigned at_once) {
  for (uint64_t turn = 0; turn < total; turn += at_once) {
    for (unsigned i = 0; i < at_once; i++) start_block(blocks + i, block_at(turn + i, l.grid), l.dynamic_shared);
    run_until_idle();
    for (unsigned i = 0; i < at_once; i++) {
      arena_check(blocks[i].arena);
      races_end_block(blocks + i);
    }
  }
}

static bool launch_any(Launch l) {
  uint64_t threads = uint64_t(l.block.x) * l.block.y * l.block.z;
  if (threads > 1u << 20) threads = 1u << 20;
  if (!shape_ok(l, threads)) return false;
  l.blocks = uint64_t(l.grid.x) * l.grid.y * l.grid.z;
  if (l.cooperative && l.blocks * threads > cooperative_limit()) {
    finding(severity_error, "launch", "a cooperative launch with more threads than can be alive at once", l.line);
    return false;
  }
  settle_pending();
  unsigned warps = unsigned((threads + xprt_warp_width - 1) / xprt_warp_width);
  unsigned at_once = l.cooperative ? unsigned(l.blocks) : 1;
  stacks_reserve(at_once * unsigned(threads));
  allocate_blocks(at_once, unsigned(threads), warps, l.block);
  launch_seq = next_seq;
  permute_blocks(l.blocks);
  xprt_grid_extent = l.grid, xprt_block_extent = l.block;
  launching = &l;
  launching_number++;
  unsigned loud = quiet;
  quiet = !options.checks;
  run_blocks(l, l.blocks, at_once);
  quiet = loud;
  launching = nullptr;
  races_end_launch();
  launch_seq = next_seq;
  return true;
}

bool launch(Index3 grid, Index3 block, size_t dynamic_shared, void (*body)(void*), void* arg, const char* kernel, int line) {
  return launch_any({grid, block, dynamic_shared, body, arg, kernel, line, false, 0});
}

bool launch_cooperative(Index3 grid, Index3 block, size_t dynamic_shared, void (*body)(void*), void* arg, const char* kernel,
                        int line) {
  return launch_any({grid, block, dynamic_shared, body, arg, kernel, line, true, 0});
}

xprt_size cooperative_limit() { return 16384; }

Lane& self() {
  if (UNLIKELY(!current)) trap("launch", "device code called from host code", 0);
  return *current;
}
bool in_kernel() { return current != nullptr; }
unsigned dynamic_shared_bytes() { return launching ? unsigned(launching->dynamic_shared) : 0; }
xprt_u64 live_lanes() {
  self();
  Warp& w = warp_of(current);
  return w.exists & ~w.exited;
}

void yield() {
  Thread* me = current;
  if (!me) return;
  me->spins = 0;
  Thread* next = pop();
  if (!next) return;
  me->state = ready;
  push(me);
  switch_from(me, next);
}

}  // namespace xprt
