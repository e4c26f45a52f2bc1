// What threads wait for: block, named and grid barriers, warp collectives; and what that says about the order of accesses.
namespace xprt {

// ---- order of accesses ----------------------------------------------------------------------------------

static uint32_t tick(Thread* t) {            // later accesses of t are told from the earlier ones
  if (t->state == done) return t->clock + 1;
  if (t->clock < clock_limit) t->clock++;
  restamp(t);
  return t->clock;
}

// Everything that the block did so far comes before whatever it does next.
static void order_block(Block* b) {
  bool renumber = false;
  for (unsigned i = 0; i < b->threads; i++) {
    Thread* t = b->thread + i;
    t->block_synced = t->warp_synced = tick(t);
    renumber |= t->clock > clock_limit / 2;
  }
  if (!renumber || launching->cooperative) return;
  b->seq = next_seq++;                        // clocks start again under a new number; the old ones are ordered before
  for (unsigned i = 0; i < b->threads; i++) {
    Thread* t = b->thread + i;
    t->clock = t->block_synced = t->warp_synced = 0;
    t->known = nullptr;
    restamp(t);
  }
}

static void order_warp(Block* b, unsigned warp) {
  unsigned first = warp * xprt_warp_width, last = first + xprt_warp_width;
  for (unsigned i = first; i < last && i < b->threads; i++) b->thread[i].warp_synced = tick(b->thread + i);
}

// A collective of some lanes only: each learns what any of them knew (vector clocks of the warp).
static void order_lanes(Block* b, unsigned warp, uint64_t lanes) {
  static uint32_t* pool;
  static unsigned pool_threads;
  if (pool_threads < threads_cap) {
    pool = static_cast<uint32_t*>(heap(size_t(pool_threads = threads_cap) * max_warp * sizeof *pool));
    if (!pool) fail("no memory for the clocks of a warp");
  }
  b->partial_sync = true;
  Thread* base = b->thread + warp * xprt_warp_width;
  uint32_t joined[max_warp] = {};
  for (uint64_t m = lanes; m; m &= m - 1) {
    Thread* t = base + __builtin_ctzll(m);
    if (!t->known) memset(t->known = pool + size_t(t - threads_pool) * max_warp, 0, max_warp * sizeof *pool);
    for (unsigned i = 0; i < xprt_warp_width; i++)
      if (t->known[i] > joined[i]) joined[i] = t->known[i];
  }
  for (uint64_t m = lanes; m; m &= m - 1) joined[__builtin_ctzll(m)] = tick(base + __builtin_ctzll(m));
  for (uint64_t m = lanes; m; m &= m - 1) memcpy(base[__builtin_ctzll(m)].known, joined, sizeof joined);
}

static void order_after_collective(Block* b, unsigned warp, uint64_t lanes) {
  if (!options.checks) return;
  Warp& w = b->warp[warp];
  if (lanes == (w.exists & ~w.exited)) order_warp(b, warp);
  else order_lanes(b, warp, lanes);
}

// ---- block barrier --------------------------------------------------------------------------------------

static void release_barrier(Block* b) {
  b->waiting = 0;
  if (b->divergent) finding(severity_error, "divergent_barrier", "threads of one block wait at different barriers", b->barrier_line);
  if (b->live < b->threads) finding(severity_note, "early_exit", "some threads of the block had returned before this barrier", b->barrier_line);
  b->divergent = false;
  if (options.checks) order_block(b);
  for (unsigned i = 0; i < b->threads; i++) {
    Thread* t = b->thread + i;
    if (t->state != at_barrier) continue;
    t->vote = b->reduce_value;
    if (t != current) wake(t);
  }
}

static unsigned wait_at_barrier(int op, unsigned value, int line) {
  self();
  settle_pending();
  Thread* me = current;
  Block* b = me->block;
  me->line = line;
  if (b->waiting++ == 0) {
    b->barrier_line = line;
    b->reduce_op = op;
    b->reduce_value = op == reduce_and;
  }
  if (b->barrier_line != line || b->reduce_op != op) b->divergent = true;
  if (op == reduce_count) b->reduce_value += value != 0;
  else if (op == reduce_and) b->reduce_value &= value != 0;
  else if (op == reduce_or) b->reduce_value |= value != 0;
  if (b->waiting == b->live) {
    me->state = at_barrier;
    release_barrier(b);
    me->state = running;
  } else {
    block_self(at_barrier);
  }
  return me->vote;
}

void block_barrier(int line) { wait_at_barrier(-1, 0, line); }
unsigned block_barrier_reduce(int op, unsigned value, int line) { return wait_at_barrier(op, value, line); }

// ---- named barriers -------------------------------------------------------------------------------------

void named_barrier(unsigned id, unsigned threads, bool arrive_only, int line) {
  self();
  settle_pending();
  if (id == 0 && !arrive_only && threads == current->block->threads) return block_barrier(line);
  if (id >= max_named) trap("launch", "a barrier number above 15", line);
  Thread* me = current;
  Block* b = me->block;
  Named& n = b->named[id];
  if (n.arrived == 0) n.wanted = threads, n.line = line;
  if (n.wanted != threads) finding(severity_error, "divergent_barrier", "one named barrier with different thread counts", line);
  me->line = line, me->named = id;
  if (++n.arrived < n.wanted) {
    if (!arrive_only) block_self(at_named);
    return;
  }
  n.arrived = 0;
  if (options.checks) order_block(b);          // a little more than is promised: all threads of the block
  for (unsigned i = 0; i < b->threads; i++)
    if (b->thread[i].state == at_named && b->thread[i].named == id) wake(b->thread + i);
}

// ---- grid barrier ---------------------------------------------------------------------------------------

static void release_grid() {
  launch_seq = next_seq;                       // all that happened is ordered: new numbers for every block
  for (unsigned i = 0; i < launching->blocks; i++) {
    Block* b = blocks + i;
    b->seq = b->first_seq = next_seq++;
    for (unsigned k = 0; k < b->threads; k++) {
      Thread* t = b->thread + k;
      t->clock = t->block_synced = t->warp_synced = 0;
      t->known = nullptr;
      if (options.checks) restamp(t);
      if (t->state == at_grid && t != current) wake(t);
    }
  }
}

// Opens the grid barrier when every thread that is left waits at it.
static void release_grid_if_all() {
  uint64_t live = 0;
  for (unsigned i = 0; i < launching->blocks; i++) live += blocks[i].live;
  if (grid_waiting != live) return;
  grid_waiting = 0;
  release_grid();
}

void grid_barrier(int line) {
  self();
  settle_pending();
  if (!launching->cooperative) {
    if (launching->blocks == 1) return block_barrier(line);
    trap("deadlock", "a grid-wide barrier in a launch that is not cooperative", line);
  }
  current->line = line;
  grid_waiting++;
  release_grid_if_all();
  if (grid_waiting) block_self(at_grid);
}

// ---- warp collectives -----------------------------------------------------------------------------------

static void run_op(Block* b, unsigned warp, uint64_t lanes, uint64_t mask, WarpOp op) {
  void* records[max_warp];
  Thread* base = b->thread + warp * xprt_warp_width;
  for (unsigned i = 0; i < xprt_warp_width; i++) records[i] = lanes >> i & 1 ? base[i].record : nullptr;
  if (op) {
    quiet++;
    op(records, mask);
    quiet--;
  }
  order_after_collective(b, warp, lanes);
  for (uint64_t m = lanes; m; m &= m - 1) {
    Thread* t = base + __builtin_ctzll(m);
    if (t != current) wake(t);
  }
}

static bool same_text(const char* a, const char* b) { return a == b || strcmp(a, b) == 0; }

static Group* group_for(Warp& w, uint64_t mask, const char* what, int line) {
  for (unsigned i = 0; i < w.groups; i++) {
    Group* g = w.group + i;
    if (g->mask != mask) continue;
    if (!same_text(g->what, what))
      trap("divergent_collective", "lanes of one mask are at different warp operations", line);
    return g;
  }
  Group* g = w.group + w.groups++;
  *g = {mask, 0, what, line};
  return g;
}

static void drop_group(Warp& w, Group* g) { *g = w.group[--w.groups]; }

void warp_collective(xprt_u64 mask, void* record, WarpOp op, const char* what, int line) {
  self();
  settle_pending();
  Thread* me = current;
  Block* b = me->block;
  Warp& w = warp_of(me);
  uint64_t own = 1ull << me->lane;
  if (xprt_warp_width < 64) mask &= (1ull << xprt_warp_width) - 1;
  if (!(mask & own)) {
    finding(severity_error, "divergent_collective", "the calling lane is not in the mask of its warp operation", line);
    mask |= own;
  }
  me->record = record, me->op = op, me->what = what, me->line = line, me->mask = mask;
  Group* g = group_for(w, mask, what, line);
  g->arrived |= own;
  if (g->arrived != (mask & w.exists & ~w.exited)) return block_self(at_warp);
  uint64_t lanes = g->arrived;
  drop_group(w, g);
  run_op(b, me->warp, lanes, mask, op);
}

// After a lane exited: collectives that waited only for it can go.
static void check_groups(Block* b, unsigned warp) {
  Warp& w = b->warp[warp];
  for (unsigned i = 0; i < w.groups; i++) {
    Group g = w.group[i];
    if (g.arrived != (g.mask & w.exists & ~w.exited)) continue;
    drop_group(w, w.group + i--);
    run_op(b, warp, g.arrived, g.mask, b->thread[warp * xprt_warp_width + __builtin_ctzll(g.arrived)].op);
  }
}

void warp_collective_active(void* record, WarpOp op, const char* what, int line) {
  self();
  settle_pending();
  Thread* me = current;
  me->record = record, me->op = op, me->what = what, me->line = line;
  warp_of(me).actives++;
  block_self(at_active);
}

// No lane of the warp can run: of the operations that lanes wait for, the one that stands first in the text goes.
static void fire_active(Block* b, Warp& w, unsigned warp) {
  Thread* base = b->thread + warp * xprt_warp_width;
  Thread* first = nullptr;
  for (uint64_t m = w.exists & ~w.exited; m; m &= m - 1) {
    Thread* t = base + __builtin_ctzll(m);
    if (t->state == at_active && (!first || t->line < first->line)) first = t;
  }
  uint64_t lanes = 0;
  for (uint64_t m = w.exists & ~w.exited; m; m &= m - 1) {
    Thread* t = base + __builtin_ctzll(m);
    if (t->state == at_active && t->line == first->line && same_text(t->what, first->what)) lanes |= m & -m;
  }
  w.actives -= unsigned(__builtin_popcountll(lanes));
  Thread* caller = current;
  current = nullptr;                            // everybody who took part must be woken, the caller too
  run_op(b, warp, lanes, lanes, first->op);
  current = caller;
}

// ---- nothing can run ------------------------------------------------------------------------------------

static const char* where_name(const Thread* t) {
  switch (t->state) {
    case at_barrier: return "block barrier";
    case at_named: return "named barrier";
    case at_grid: return "grid barrier";
    case at_warp: case at_active: return t->what;
    default: return "?";
  }
}

static void describe_waiters(char* text, size_t room) {
  size_t used = 0;
  struct { int line; const char* name; unsigned n; Thread* example; } seen[8];
  unsigned kinds = 0;
  unsigned count = launching->cooperative ? unsigned(launching->blocks) : 1;
  for (unsigned k = 0; k < count; k++)
    for (unsigned i = 0; i < blocks[k].threads; i++) {
      Thread* t = blocks[k].thread + i;
      if (t->state == done || t->state == fresh) continue;
      unsigned s = 0;
      while (s < kinds && (seen[s].line != t->line || seen[s].name != where_name(t))) s++;
      if (s == 8) continue;
      if (s == kinds) seen[kinds++] = {t->line, where_name(t), 0, t};
      seen[s].n++;
    }
  for (unsigned s = 0; s < kinds && used < room; s++)
    used += size_t(snprintf(text + used, room - used, "%s%u thread%s at the %s of line %d (e.g. thread %u)", s ? "; " : "", seen[s].n,
                            seen[s].n == 1 ? "" : "s", seen[s].name, seen[s].line, seen[s].example->linear));
}

static void deadlock() {
  char text[700];
  size_t n = size_t(snprintf(text, sizeof text, "no thread can go on: "));
  describe_waiters(text + n, sizeof text - n);
  Thread* t = nullptr;
  unsigned count = launching->cooperative ? unsigned(launching->blocks) : 1;
  for (unsigned k = 0; k < count && !t; k++)
    for (unsigned i = 0; i < blocks[k].threads && !t; i++)
      if (blocks[k].thread[i].state != done) t = blocks[k].thread + i;
  current = t;
  bool collective = t && (t->state == at_warp || t->state == at_active);
  trap(collective ? "divergent_collective" : "deadlock", text, t ? t->line : 0);
}

}  // namespace xprt
