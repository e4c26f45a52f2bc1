// Cores and their memories, launches, barriers, and what every instruction checks.
#include "core.h"

extern "C" {
unsigned xp_bang_task_id, xp_bang_task_id_x, xp_bang_task_id_y, xp_bang_task_id_z;
unsigned xp_bang_task_dim, xp_bang_task_dim_x, xp_bang_task_dim_y, xp_bang_task_dim_z;
unsigned xp_bang_core_id, xp_bang_core_dim = 4, xp_bang_cluster_id, xp_bang_cluster_dim;
int snprintf(char*, size_t, const char*, ...);
void* calloc(size_t, size_t);
}

namespace xp_bang {
Core* here;
Core cores[cores_max];
u64 counted[counters_max];

namespace {
constexpr xprt_size kilobyte = 1024;
constexpr xprt_size usable_nram = (__MLU_NRAM_SIZE__ - 128) * kilobyte;
enum { clusters_max = 12, memories = 4 };
const char* const names[memories] = {"NRAM", "WRAM", "LDRAM", "SRAM"};
const xprt_size sizes[memories] = {__MLU_NRAM_SIZE__ * kilobyte, __MLU_WRAM_SIZE__ * kilobyte, 4096 * kilobyte,
                                   (__MLU_SRAM_SIZE__ ? __MLU_SRAM_SIZE__ : 2048) * kilobyte};

struct Running {
  xprt::Index3 grid;
  unsigned cores, clusters, memory_cores;
  void (*body)(void*);
  void* arg;
  const char* kernel;
  int line;
} running;
xprt::Scratch* shared[clusters_max];       // SRAM
u64 shared_job[clusters_max], job_number = 1;
unsigned tasks_left;
bool told_budget;

xprt::Scratch*& scratch_of(unsigned which) {
  return which == 0 ? here->nram : which == 1 ? here->wram : which == 2 ? here->ldram : shared[here->cluster];
}

xprt::Scratch* memory(unsigned which) {
  xprt::Scratch*& s = scratch_of(which);
  const bool private_ = which != sram - nram;
  if (!s) s = xprt::scratch_new({names[which], sizes[which], nram + which, private_ ? here->lane : xprt::every_lane, which != wram - nram});
  if (private_ ? !(here->used >> which & 1) : shared_job[here->cluster] != job_number) xprt::scratch_reset(s);
  if (private_) here->used |= 1u << which;
  else shared_job[here->cluster] = job_number;
  return s;
}

// Of each active function the compiler keeps a table in NRAM: not counted against the size, but worth a word.
void remark_budget(int line) {
  if (told_budget || xprt::scratch_bytes(here->nram) <= usable_nram) return;
  told_budget = true;
  char text[160];
  snprintf(text, sizeof text, "%llu bytes of NRAM are declared; the compiler keeps about 128 KB of it, so %llu may be all there is",
           (unsigned long long)xprt::scratch_bytes(here->nram), (unsigned long long)usable_nram);
  xprt::finding(xprt::severity_note, "capacity", text, line);
}
}  // namespace

void* place(Memory which, const void* key, xprt_size bytes, xprt_size align, const char* name, int line) {
  if (!here) xprt::trap("launch", "device code called from host code", line);
  if (which == sram && !in_union()) fault("operand", "a block task has no SRAM: launch a union", line);
  void* p = xprt::scratch_array(memory(which - nram), key, bytes, align, name, line);
  if (which == nram) remark_budget(line);
  return p;
}

bool in_union() { return running.cores > 1; }
u64 job() { return job_number; }

// ---- launches ----------------------------------------------------------------------------------------------

bool shape_ok(xprt::Index3 block, xprt_size shared_bytes, const char* kernel, int line) {
  const unsigned n = block.x;
  const char* wrong = nullptr;
  if (block.y != 1 || block.z != 1) wrong = "the cores of a job lie in one row";
  else if (n != 1 && (n < 4 || n > 64 || (n & (n - 1)))) wrong = "a job has 1 task (block) or 4, 8, 16, 32 or 64 (union)";
  else if (n / 4 > clusters_max) wrong = "the device has fewer clusters than the union job";
  else if (shared_bytes) wrong = "there is no dynamic shared memory";
  if (!wrong) return true;
  char text[200];
  snprintf(text, sizeof text, "launch of %s refused: %s", kernel, wrong);
  xprt::finding(xprt::severity_error, "launch", text, line);
  return false;
}

namespace {
void task(void*) {
  here->used = 0, here->touched_count = here->touched_next = 0, here->tables = 0;
  running.body(running.arg);
  drain_all();
  if (--tasks_left == 0) {
    job_ends();
    ++job_number;
    tasks_left = running.cores + running.memory_cores;
  }
}
}  // namespace

bool start(xprt::Index3 jobs, unsigned n, bool memory_core, void (*body)(void*), void* arg, const char* kernel, int line) {
  running = {jobs, n, n > 1 ? n / 4 : 1, n > 1 && memory_core ? n / 4 : 0, body, arg, kernel, line};
  ++job_number;
  tasks_left = n + running.memory_cores;
  xp_bang_task_dim_x = jobs.x * n, xp_bang_task_dim_y = jobs.y, xp_bang_task_dim_z = jobs.z;
  xp_bang_task_dim = xp_bang_task_dim_x * jobs.y * jobs.z;
  xp_bang_cluster_dim = n / 4;
  for (unsigned i = 0; i < n + running.memory_cores; ++i) {
    Core& c = cores[i];
    c.lane = i, c.memory = i >= n, c.cluster = c.memory ? i - n : i / 4;
    c.used = 0, c.touched_count = c.touched_next = 0, c.tables = 0;
    xprt::Scratch* all[] = {c.nram, c.wram, c.ldram};
    for (xprt::Scratch* s : all)
      if (s) xprt::scratch_owner(s, i);
  }
  const bool ran = xprt::launch(jobs, {n + running.memory_cores, 1, 1}, 0, task, nullptr, kernel, line);
  here = nullptr;
  return ran;
}
}  // namespace xp_bang

extern "C" XPRT_QUIET void xprt_switched(const xprt::Lane& now) {
  using namespace xp_bang;
  Core& c = cores[now.linear];
  here = &c;
  const xprt::Index3 b = xprt::block_idx();
  const unsigned core = c.memory ? c.cluster * 4 : c.lane;
  xp_bang_task_id_x = b.x * running.cores + core, xp_bang_task_id_y = b.y, xp_bang_task_id_z = b.z;
  xp_bang_task_id = (b.z * running.grid.y + b.y) * xp_bang_task_dim_x + xp_bang_task_id_x;
  xp_bang_core_id = c.memory ? 0x80 : c.lane % 4;
  xp_bang_cluster_id = ((b.z * running.grid.y + b.y) * running.grid.x + b.x) * (running.cores / 4) + c.cluster;
}

namespace xp_bang {
// ---- barriers ----------------------------------------------------------------------------------------------
namespace {
struct Arrived { const char* name; int line; };

// Runs when everybody who still can has come.
void everybody(void** records, xprt_u64 mask) {
  unsigned gone = 0;
  Arrived* one = nullptr;
  for (unsigned i = 0; i < 64; ++i) {
    if (!(mask >> i & 1)) continue;
    if (records[i]) one = static_cast<Arrived*>(records[i]);
    else ++gone;
  }
  if (!gone || !one) return;
  char text[160];
  snprintf(text, sizeof text, "%u of the cores that %s waits for ended before it: on a device the others wait forever", gone, one->name);
  xprt::finding(xprt::severity_error, "divergent_barrier", text, one->line);
}

xprt_u64 participants(Group g) {
  const unsigned n = running.cores, c = here->cluster;
  const xprt_u64 ipus = (n < 64 ? 1ull << n : 0) - 1, mpus = ((1ull << running.memory_cores) - 1) << (n & 63);
  const xprt_u64 own = 15ull << 4 * c, memory_core = running.memory_cores ? 1ull << (n + c) : 0;
  switch (g) {
    case group_all: return ipus | mpus;
    case group_all_ipu: return ipus;
    case group_all_mpu: return mpus;
    case group_cluster: return own | memory_core;
    default: return own;
  }
}
}  // namespace

void barrier(Group group, const char* name, int line) {
  if (!here) xprt::trap("launch", "device code called from host code", line);
  fence(pipe_all, line);
  if (!in_union()) return;
  const xprt_u64 mask = participants(group);
  // A core that a barrier does not count passes it by.
  if (!(mask >> here->lane & 1)) return;
  Arrived record = {name, line};
  xprt::warp_collective(mask, &record, everybody, name, line);
}

void fence(unsigned pipes, int line) {
  if (!here) xprt::trap("launch", "device code called from host code", line);
  tally(count_syncs, 1);
  drain(pipes);
  if (pipes & pipe_compute) here->touched_count = here->touched_next = 0;
}

// ---- checks ------------------------------------------------------------------------------------------------

void unknown(const char* what, int line) { xprt::trap("unsupported", what, line); }

void fault(const char* kind, const char* text, int line, const void* p) {
  if (p) xprt::place_finding(xprt::severity_error, kind, text, p, line);
  else xprt::finding(xprt::severity_error, kind, text, line);
}
void remark(const char* kind, const char* text, int line, const void* p) {
  if (p) xprt::place_finding(xprt::severity_note, kind, text, p, line);
  else xprt::finding(xprt::severity_note, kind, text, line);
}

unsigned memory_of(const void* p) {
  const unsigned where = xprt::place_of(p);
  return where == xprt::place_common || where == xprt::place_image ? unsigned(gdram) : where == xprt::place_stack ? unsigned(ldram) : where;
}

const char* memory_name(unsigned memory) {
  switch (memory) {
    case gdram: return "GDRAM";
    case nram: return "NRAM";
    case wram: return "WRAM";
    case ldram: return "LDRAM";
    case sram: return "SRAM";
    case xprt::place_host: return "the host's memory";
    case xprt::place_other: return "another core's memory";
    default: return "no memory of the program";
  }
}

Op::Op(const char* name, int line) : name(name), line(line), ok(true) {
  if (!here) xprt::trap("launch", "device code called from host code", line);
  ok = !here->memory;                                // the memory core has no such unit: the compiler drops the instruction
  if (ok) tally(count_instructions, 1);
}

Op& Op::in(Memory memory, const void* p, Count bytes, bool write, const char* what) {
  if (!ok) return *this;
  const unsigned is = memory_of(p);
  if (is != memory) {
    char text[160];
    snprintf(text, sizeof text, "%s: the %s must lie in %s; it lies in %s", name, what, memory_name(memory), memory_name(is));
    fault("wrong_space", text, line, is == xprt::place_unknown ? nullptr : p);
    ok = false;
    return *this;
  }
  if (old_arch && memory == nram && reinterpret_cast<xprt_size>(p) % 64) aligned(p, 64, what);
  ok = xprt::touch(p, (xprt_size)bytes, write, line) && ok;
  if (ok && memory == nram) check_order(p, bytes, write, line);
  if (ok && write && outs < 4) out[outs].p = const_cast<void*>(p), out[outs++].bytes = bytes;
  return *this;
}

Op& Op::want(bool condition, const char* rule) {
  if (!ok || condition) return *this;
  char text[200];
  snprintf(text, sizeof text, "%s: %s", name, rule);
  fault("operand", text, line);
  ok = false;
  return *this;
}

Op& Op::multiple(Count value, Count of, const char* what) {
  if (!ok || value % of == 0) return *this;
  char text[200];
  snprintf(text, sizeof text, "%s: %s is %lld; it must be a multiple of %lld", name, what, value, of);
  fault("operand", text, line);
  return *this;
}

Op& Op::count(Count n, Count element) {
  char text[120];
  if (ok && n <= 0) {
    snprintf(text, sizeof text, "%s: a count of %lld; it must be positive", name, n);
    fault("operand", text, line);
    ok = false;
  }
  if (old_arch) multiple(n * element, 128, "the length in bytes");
  return *this;
}

Op& Op::aligned(const void* p, Count to, const char* what) {
  if (!ok || (Count)(reinterpret_cast<xprt_size>(p) % (xprt_size)to) == 0) return *this;
  char text[160];
  snprintf(text, sizeof text, "%s: the %s must lie at a multiple of %lld bytes", name, what, to);
  fault("misaligned", text, line, p);
  return *this;
}

Op& Op::apart(const void* a, Count an, const void* b, Count bn) {
  const char *x = static_cast<const char*>(a), *y = static_cast<const char*>(b);
  if (!ok || x + an <= y || y + bn <= x) return *this;
  char text[120];
  snprintf(text, sizeof text, "%s: the destination may not overlap a source", name);
  fault("operand", text, line, a);
  return *this;
}

Op& Op::in_step(const void* a, const void* b, Count bytes) {
  const char *x = static_cast<const char*>(a), *y = static_cast<const char*>(b);
  if (!ok || x == y || x + bytes <= y || y + bytes <= x) return *this;
  char text[120];
  snprintf(text, sizeof text, "%s: the destination overlaps a source in part", name);
  fault("operand", text, line, a);
  return *this;
}

Op& Op::deprecated(const char* instead) {
  if (!ok) return *this;
  char text[160];
  snprintf(text, sizeof text, "%s is deprecated: use %s", name, instead);
  remark("deprecated", text, line);
  return *this;
}

Op& Op::needs_arch(int least) {
  if (!ok || arch >= least) return *this;
  char text[120];
  snprintf(text, sizeof text, "%s is not there before architecture %dxx", name, least / 100);
  fault("operand", text, line);
  return *this;
}

// ---- what was never written ------------------------------------------------------------------------------------

bool all_written(const void* p, Count bytes) { return xprt::all_written(p, (xprt_size)bytes); }

namespace {
bool element_written(const u8* s, Count i, Count w) {
  u8 all = xprt::state_initialised;
  for (Count k = 0; s && k < w; ++k) all &= s[i * w + k];
  return all;
}
}  // namespace

void Op::travel(void* dst, Count w, const void* a, Count aw, const void* b, Count bw, Count n) {
  if (!ok || (all_written(a, n * aw) && (!b || all_written(b, n * bw)))) {
    xprt::initialise(dst, (xprt_size)(n * w));
    return;
  }
  travelled = true;
  u8* d = xprt::byte_states(dst, (xprt_size)(n * w));
  const u8 *x = xprt::byte_states(a, (xprt_size)(n * aw)), *y = b ? xprt::byte_states(b, (xprt_size)(n * bw)) : nullptr;
  for (Count i = 0; d && i < n; ++i) {
    const bool written = element_written(x, i, aw) && element_written(y, i, bw);
    for (Count k = 0; k < w; ++k)
      d[i * w + k] = (u8)(written ? d[i * w + k] | xprt::state_initialised : d[i * w + k] & ~xprt::state_initialised);
  }
}

Op::~Op() {
  for (int i = 0; ok && !travelled && i < outs; ++i) xprt::initialise(out[i].p, (xprt_size)out[i].bytes);
}

// ---- counting --------------------------------------------------------------------------------------------------
namespace {
const char* const counter_names[counters_max] = {
    "vector_f32", "vector_f16", "vector_int", "vector_bytes", "active", "reduced", "mac_f32", "mac_f16", "mac_int",
    "converted", "moved", "atomics", "copies", "instructions", "syncs",
    "dma_gdram2nram", "dma_nram2gdram", "dma_ldram2nram", "dma_nram2ldram", "dma_gdram2wram", "dma_wram2gdram", "dma_ldram2wram",
    "dma_wram2ldram", "dma_nram2nram", "dma_nram2wram", "dma_wram2nram", "dma_gdram2sram", "dma_sram2gdram", "dma_ldram2sram",
    "dma_sram2ldram", "dma_sram2nram", "dma_nram2sram", "dma_sram2wram", "dma_wram2sram", "dma_gdram2gdram", "dma_gdram2ldram",
    "dma_ldram2gdram", "dma_ldram2ldram", "dma_sram2sram"};
struct Register {
  Register() {
    for (int i = 0; i < counters_max; ++i) xprt::register_counter(counter_names[i], counted + i);
  }
} register_all;
}  // namespace
}  // namespace xp_bang
