// The host's runtime API: memory, copies, queues, launches.
#include "core.h"
#include "../xp_bang_host.h"

extern "C" int snprintf(char*, size_t, const char*, ...);

struct xp_queue {
  bool live, busy;                                   // busy: something was launched on it since it was last waited for
  int line;
};

namespace xp_bang {
namespace host {
namespace {
enum { queues_max = 64 };
xp_queue queues[queues_max];
int last = cnrtSuccess;
unsigned long long launches;

int wrong(const char* kind, const char* text, int line) {
  fault(kind, text, line);
  return last = cnrtErrorArgsInvalid;
}
bool on_device(const void* p) { return xprt::place_of(p) == xprt::place_common; }
bool only_on_device(const void* p) {
  void* base;
  xprt_size bytes;
  xprt::Space space;
  return xprt::region_of(p, &base, &bytes, &space) && space == xprt::space_device;
}
// What runs on a queue may still be at it: a copy that is not on this queue does not wait for it.
void check_waited(cnrtQueue_t own, int line) {
  for (xp_queue& q : queues) {
    if (!q.live || !q.busy || &q == own) continue;
    char text[160];
    snprintf(text, sizeof text, "the kernel launched at line %d may still run: its queue was not waited for", q.line);
    fault("missing_wait", text, line);
    q.busy = false;
  }
}
}  // namespace

int last_error(bool keep) {
  const int code = last;
  if (!keep) last = cnrtSuccess;
  return code;
}
int allocate(void** p, size_t bytes, bool host, int) {
  *p = bytes ? xprt::device_alloc(bytes, host ? xprt::space_both : xprt::space_device) : nullptr;
  return last = *p || !bytes ? int(cnrtSuccess) : int(cnrtErrorNoMem);
}
int release(void* p, int line) { return !p || xprt::device_free(p, line) ? int(cnrtSuccess) : (last = cnrtErrorArgsInvalid); }

int copy(void* to, const void* from, size_t bytes, int direction, cnrtQueue_t queue, int line) {
  if (!bytes) return cnrtSuccess;
  const bool to_device = direction == cnrtMemcpyHostToDev || direction == cnrtMemcpyDevToDev;
  const bool from_device = direction == cnrtMemcpyDevToHost || direction == cnrtMemcpyDevToDev;
  if (direction != cnrtMemcpyNoDirection) {
    if (to_device ? !on_device(to) : only_on_device(to)) return wrong("wrong_space", "the direction of the copy does not agree with its destination", line);
    if (from_device ? !on_device(from) : only_on_device(from)) return wrong("wrong_space", "the direction of the copy does not agree with its source", line);
  }
  if (xprt::is_symbol(to) || xprt::is_symbol(from))
    return wrong("wrong_space", "a device variable has no address in host code: copy by its symbol", line);
  check_waited(queue, line);
  xprt::copy(to, from, bytes, line);
  return cnrtSuccess;
}
int copy_symbol(void* to, const void* from, size_t bytes, size_t size, size_t offset, int line) {
  if (offset + bytes > size) return wrong("oob_write", "the copy goes past the end of the device variable", line);
  check_waited(nullptr, line);
  if (bytes) xprt::copy(to, from, bytes, line);
  return cnrtSuccess;
}
int fill(void* to, int byte, size_t bytes, int line) {
  if (!bytes) return cnrtSuccess;
  if (!on_device(to)) return wrong("wrong_space", "only device memory is filled", line);
  xprt::fill(to, byte, bytes, line);
  return cnrtSuccess;
}

int queue_new(cnrtQueue_t* q) {
  for (xp_queue& one : queues)
    if (!one.live) return one = {true, false, 0}, *q = &one, int(cnrtSuccess);
  return last = cnrtErrorNoMem;
}
int queue_end(cnrtQueue_t q, int line) {
  if (!q || !q->live) return wrong("bad_free", "this is no queue", line);
  q->live = false;
  return cnrtSuccess;
}
int queue_wait(cnrtQueue_t q) {
  if (q) q->busy = false;
  else
    for (xp_queue& one : queues) one.busy = false;
  return cnrtSuccess;
}
unsigned long long place(cnrtQueue_t) { return launches; }

int attribute(int which) {
  switch (which) {
    case cnrtAttrClusterCount: case 100 + CN_DEVICE_ATTRIBUTE_MAX_CLUSTER_COUNT: return arch >= 500 ? 12 : 8;
    case cnrtAttrMcorePerCluster: case 100 + CN_DEVICE_ATTRIBUTE_MAX_CORE_COUNT_PER_CLUSTER: return 4;
    case cnrtAttrNramSizePerMcore: case 100 + CN_DEVICE_ATTRIBUTE_NRAM_SIZE_PER_CORE: return __MLU_NRAM_SIZE__ << 10;
    case cnrtAttrWramSizePerMcore: case 100 + CN_DEVICE_ATTRIBUTE_WEIGHT_RAM_SIZE_PER_CORE: return __MLU_WRAM_SIZE__ << 10;
    case cnrtAttrSramSizePerMcore: case 100 + CN_DEVICE_ATTRIBUTE_MAX_SHARED_RAM_SIZE_PER_CLUSTER: return __MLU_SRAM_SIZE__ << 10;
    case cnrtAttrMaxUnionTypePerChip: return cnrtFuncTypeUnion8;
    default: return 65535;
  }
}

bool launch(cnrtDim3_t dim, int type, cnrtQueue_t queue, bool memory_core, void (*body)(void*), void* arg, const char* kernel, int line) {
  ++launches;
  const unsigned cores = (unsigned)type;
  const char* why = nullptr;
  if (type != 1 && type != 4 && type != 8 && type != 16 && type != 32 && type != 64) why = "no such type of task";
  else if (!dim.x || !dim.y || !dim.z) why = "an extent is zero";
  else if (dim.x % cores) why = "the x extent of a union is a multiple of its cores (4 a cluster)";
  if (why) {
    char text[200];
    snprintf(text, sizeof text, "launch of %s refused: %s", kernel, why);
    fault("launch", text, line);
    last = cnrtErrorKernelLaunch;
    return false;
  }
  if (!shape_ok({cores, 1, 1}, 0, kernel, line)) return last = cnrtErrorKernelLaunch, false;
  if (queue) queue->busy = true, queue->line = line;
  return start({dim.x / cores, dim.y, dim.z}, cores, memory_core, body, arg, kernel, line);
}
}  // namespace host
}  // namespace xp_bang
