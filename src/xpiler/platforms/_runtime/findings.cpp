// What was found: each kind at each place is kept once, with a count and its first example, and written as JSON lines at the end.
namespace xprt {

enum { findings_max = 256 };
struct Kept {
  Report r;
  uint64_t count;
  char message[720], kind[40], file[160], name[80];
  Site stack[sites_kept + 2], born[4];
  unsigned stack_depth, other_thread;
  Index3 block, thread, other_block;
  RegionKind region_kind;
  bool device, has_other, other_same_block;
  const char* kernel;
  const char* space;                 // name of a scratchpad
};
static Kept* kept;
static unsigned kept_count;
static uint64_t dropped;
static int findings_fd = -1;
static double run_started, run_seconds, cpu_started, cpu_seconds;
static bool finishing;

static void keep_text(char* to, size_t room, const char* from) { snprintf(to, room, "%s", from ? from : ""); }

// The return addresses of the calls around `frame`, innermost first (everything is compiled with frame pointers).
static unsigned walk_calls(uintptr_t frame, Site* to, unsigned room) {
  unsigned n = 0;
  uintptr_t lo = current ? uintptr_t(current->stack) : host_stack_lo, hi = current ? lo + stack_bytes - page : host_frames_end;
  while (n < room && frame >= lo && frame + 16 <= hi && frame % sizeof(void*) == 0) {
    const uintptr_t* f = reinterpret_cast<const uintptr_t*>(frame);
    if (in_image(f[1])) to[n++] = site(f[1]);
    if (f[0] <= frame) break;
    frame = f[0];
  }
  return n;
}

static void keep_stack(Kept& k) {
  k.stack[k.stack_depth++] = k.r.site;
  if (k.r.caller) k.stack[k.stack_depth++] = k.r.caller;
  uintptr_t frame = k.r.frame ? k.r.frame : uintptr_t(__builtin_frame_address(0));
  k.stack_depth += walk_calls(frame, k.stack + k.stack_depth, sites_kept);
}

static void keep_who(Kept& k) {
  k.device = current != nullptr;
  if (!current) return;
  k.block = current->block->index, k.thread = current->index, k.kernel = launching->kernel;
  if (!k.r.other) return;
  uint32_t seq = uint32_t(k.r.other >> 32), turn = seq - launch_seq;
  k.has_other = true;
  k.other_same_block = seq >= current->block->first_seq && seq <= current->block->seq;
  k.other_thread = unsigned(k.r.other >> thread_shift) & (max_block_threads - 1);
  k.other_block = k.other_same_block ? k.block : turn < launching->blocks ? block_at(turn, launching->grid) : Index3{0, 0, 0};
}

static Kept* find_kept(const Report& r) {
  static unsigned last;                              // a fault in a loop comes again and again
  for (unsigned i = 0; i < kept_count; i++) {
    Kept& k = kept[(last + i) % kept_count];
    bool same_place = k.r.site == r.site && (r.site || k.r.line == r.line) && k.r.line == r.line;
    if (!same_place || strcmp(k.kind, r.kind) != 0 || k.r.severity != r.severity) continue;
    if (r.region && k.r.region && strcmp(k.name, r.array ? r.array : r.region->name) != 0) continue;
    last = (last + i) % kept_count;
    return &k;
  }
  return nullptr;
}

static void report(const Report& r) {
  if (!kept && !(kept = static_cast<Kept*>(heap_zeroed(findings_max, sizeof(Kept))))) fail("no memory for findings");
  if (Kept* k = find_kept(r)) {
    k->count++;
    return;
  }
  if (kept_count == findings_max) {
    dropped++;
    return;
  }
  Kept& k = kept[kept_count++];
  k.r = r, k.count = 1;
  keep_text(k.kind, sizeof k.kind, r.kind);
  keep_text(k.message, sizeof k.message, r.message);
  keep_text(k.file, sizeof k.file, r.file);
  keep_text(k.name, sizeof k.name, r.array ? r.array : r.region ? r.region->name : "");
  if (r.region) k.region_kind = r.region->kind;
  if (r.region && r.region->kind == region_scratch) k.space = r.region->name;
  if (r.region) memcpy(k.born, r.region->born, sizeof k.born);
  keep_stack(k);
  keep_who(k);
}

NOINLINE void finding(Severity severity, const char* kind, const char* message, int line) {
  Report r;
  r.severity = severity, r.kind = kind, r.message = message, r.site = site(uintptr_t(__builtin_return_address(0)), line);
  report(r);
}

NOINLINE void trap(const char* kind, const char* message, int line) {
  Report r;
  r.kind = kind, r.message = message, r.site = site(uintptr_t(__builtin_return_address(0)), line);
  report(r);
  finish_run(71);
}

static void fail(const char* what) {
  static bool failing;
  dprintf(2, "emulator: %s\n", what);
  if (failing) _exit(72);
  failing = true;
  Report r;
  r.kind = "resources", r.message = what;
  report(r);
  finish_run(72);
}

xprt_u64 random() {
  static uint64_t state;
  return mix(options.seed * 0x2545f4914f6cdd1dull + state++);
}
xprt_u64 layout_seed() { return options.seed; }
bool checks() { return options.checks; }
unsigned schedule() { return options.schedule; }

// ---- writing --------------------------------------------------------------------------------------------

static void put_text(int fd, const char* key, const char* text) {
  char out[1600];
  size_t n = size_t(snprintf(out, 100, ",\"%s\":\"", key));
  for (; *text && n < sizeof out - 10; text++) {
    unsigned char c = static_cast<unsigned char>(*text);
    if (c == '"' || c == '\\') out[n++] = '\\', out[n++] = char(c);
    else if (c < 32 || c > 126) n += size_t(snprintf(out + n, 8, "\\u%04x", c));
    else out[n++] = char(c);
  }
  out[n++] = '"';
  if (::write(fd, out, n) < 0) return;
}

static void put_index(int fd, const char* key, Index3 v) { dprintf(fd, ",\"%s\":[%u,%u,%u]", key, v.x, v.y, v.z); }

static void put_finding(int fd, const Kept& k) {
  static const char* kinds[] = {"buffer", "device memory", "host memory", "shared memory", "global variable", "scratchpad"};
  dprintf(fd, "{\"severity\":\"%s\",\"count\":%llu,\"line\":%d", k.r.severity == severity_error ? "error" : "note",
          static_cast<unsigned long long>(k.count), k.r.line);
  put_text(fd, "kind", k.kind), put_text(fd, "message", k.message), put_text(fd, "file", k.file), put_text(fd, "access", k.r.access);
  dprintf(fd, ",\"bytes\":%u,\"other_site\":%u,\"sites\":[", k.r.bytes, k.r.other_site);
  for (unsigned i = 0; i < k.stack_depth; i++) dprintf(fd, "%s%u", i ? "," : "", k.stack[i]);
  dprintf(fd, "]");
  if (k.r.region) {
    put_text(fd, "space", k.space ? k.space : kinds[k.region_kind]), put_text(fd, "name", k.name);
    dprintf(fd, ",\"born\":[%u,%u,%u,%u]", k.born[0], k.born[1], k.born[2], k.born[3]);
    dprintf(fd, ",\"offset\":%lld,\"extent\":%llu,\"element\":%u", static_cast<long long>(k.r.offset),
            static_cast<unsigned long long>(k.r.extent), k.r.element);
  }
  if (k.device) put_index(fd, "block", k.block), put_index(fd, "thread", k.thread), put_text(fd, "kernel", k.kernel ? k.kernel : "");
  if (k.has_other) {
    put_index(fd, "other_block", k.other_block);
    dprintf(fd, ",\"other_thread\":%u", k.other_thread);
  }
  dprintf(fd, "}\n");
}

static double now(clockid_t clock = CLOCK_MONOTONIC) {
  timespec t;
  clock_gettime(clock, &t);
  return double(t.tv_sec) + 1e-9 * double(t.tv_nsec);
}

static void start_clock() {
  run_started = now();
  cpu_started = now(CLOCK_PROCESS_CPUTIME_ID);
}

static void stop_clock() {
  if (run_started == 0 || run_seconds > 0) return;
  run_seconds = now() - run_started;
  cpu_seconds = now(CLOCK_PROCESS_CPUTIME_ID) - cpu_started;
}

static void write_findings() {
  if (finishing || findings_fd < 0) return;
  finishing = true;
  settle_pending();
  for (unsigned i = 0; i < kept_count; i++) put_finding(findings_fd, kept[i]);
  stop_clock();
  put_counters(findings_fd);
  dprintf(findings_fd, "{\"kind\":\"end\",\"dropped\":%llu,\"seconds\":%.9f,\"cpu_seconds\":%.9f}\n",
          static_cast<unsigned long long>(dropped), run_seconds, cpu_seconds);
}

static bool in_trial;                // in a child that tries a variant (trials.cpp)

static void finish_run(int status) {
  if (in_trial) _exit(status);
  write_findings();
  fflush(stdout);
  _exit(status);
}

// ---- signals --------------------------------------------------------------------------------------------

static uintptr_t interrupted_pc(const ucontext_t* c) {
#if defined(__x86_64__)
  return uintptr_t(c->uc_mcontext.gregs[16]);       // REG_RIP
#else
  return uintptr_t(c->uc_mcontext.pc);
#endif
}

static uintptr_t interrupted_frame(const ucontext_t* c) {
#if defined(__x86_64__)
  return uintptr_t(c->uc_mcontext.gregs[10]);       // REG_RBP
#else
  return uintptr_t(c->uc_mcontext.regs[29]);
#endif
}

// Where a function that was stopped at its very beginning goes back to: no frame of its own tells yet.
static Site interrupted_caller(const ucontext_t* c) {
#if defined(__x86_64__)
  uintptr_t top = uintptr_t(c->uc_mcontext.gregs[15]);  // REG_RSP
  if (!on_some_stack(top) && (top < host_stack_lo || top + 16 > host_stack_hi)) return 0;
  const uintptr_t* word = reinterpret_cast<const uintptr_t*>(top);
  return in_image(word[0]) ? site(word[0]) : in_image(word[1]) ? site(word[1]) : 0;
#else
  uintptr_t link = uintptr_t(c->uc_mcontext.regs[30]);
  return in_image(link) ? site(link) : 0;
#endif
}

static bool was_write(const ucontext_t* c) {
#if defined(__x86_64__)
  return c->uc_mcontext.gregs[19] & 2;              // REG_ERR: the page fault's error code
#else
  return (void)c, false;
#endif
}

static void memory_signal(Report& r, uintptr_t a, const ucontext_t* c) {
  r.access = was_write(c) ? "write" : "read";
  Region* near = nearest_region(a);
  bool guard = near && near->map && a >= uintptr_t(near->map) && a < uintptr_t(near->map) + near->map_bytes;
  if (on_some_stack(a) || (a < host_stack_lo && a + (64u << 20) > host_stack_lo && !guard)) {
    r.kind = "stack_overflow", r.message = "the stack is full: local arrays too large, or endless recursion";
  } else if (near && !near->live && guard) {
    r.kind = "use_after_free", r.message = "the memory was freed before", r.region = near;
  } else if (guard) {
    r.kind = was_write(c) ? "oob_write" : "oob_read", r.region = near;
  } else if (a < 65536) {
    r.kind = "null_pointer", r.message = "a null pointer is dereferenced";
  } else {
    r.kind = was_write(c) ? "oob_write" : "oob_read", r.message = "the address lies in no memory of the program";
  }
  if (!r.region) return;
  r.offset = int64_t(a - near->lo), r.extent = near->size(), r.element = near->element;
}

static void on_signal(int number, siginfo_t* info, void* context) {
  const ucontext_t* c = static_cast<ucontext_t*>(context);
  if (finishing) _exit(73);
  Report r;
  uintptr_t pc = interrupted_pc(c);
  r.frame = interrupted_frame(c);
  if (in_image(pc)) r.site = site(pc + 1);          // as if it were the address after a call
  if (number == SIGSEGV || number == SIGBUS) memory_signal(r, uintptr_t(info->si_addr), c);
  else if (number == SIGFPE) r.kind = "division", r.message = "an integer is divided by zero, or the quotient does not fit";
  else if (number == SIGALRM || number == SIGXCPU) {
    r.kind = "timeout", r.message = "the run took longer than it may";
    r.caller = interrupted_caller(c);
  } else if (number == SIGABRT) r.kind = "abort", r.message = "the program called abort()";
  else r.kind = "crash", r.message = "the program executed an illegal instruction";
  report(r);
  finish_run(74);
}

static void catch_signals() {
  static char own_stack[64 * 1024];
  stack_t alternative = {};
  alternative.ss_sp = own_stack, alternative.ss_size = sizeof own_stack;
  sigaltstack(&alternative, nullptr);
  struct sigaction action = {};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM, SIGXCPU};
  for (int n : numbers) sigaction(n, &action, nullptr);
}

}  // namespace xprt
