// The host's runtime API: allocation, copies, errors, device limits, the check of a launch.
#define XP_API(name) xpEmulated##name
#define XP_DEVICE_PROPERTIES xpEmulatedProperties
#include "xp_simt.h"
#include "xp_host.h"

namespace xp_simt {
namespace {
int last = host::success;
int shared_allowed;

// Limits of the device that is played: an 80 GB data-centre card of compute capability 8.0, or an MI250 die.
constexpr bool wave64 = XP_WARP_SIZE == 64;
#ifdef XP_HIP
constexpr int default_shared = 65536, most_shared = 65536;
#else
constexpr int default_shared = 49152, most_shared = 232448;
#endif

const char* refusal(const Config& c) {
  const unsigned long long threads = 1ull * c.block.x * c.block.y * c.block.z;
  if (threads == 0 || c.grid.x == 0 || c.grid.y == 0 || c.grid.z == 0) return "an extent of the launch is zero";
  if (threads > 1024) return "more than 1024 threads in a block";
  if (threads > c.most) return "more threads in a block than the kernel's __launch_bounds__ allows";
#ifndef XP_HIP
  if (c.block.z > 64) return "more than 64 threads in the block's z direction";
  if (c.grid.y > 65535 || c.grid.z > 65535) return "more than 65535 blocks in the grid's y or z direction";
#endif
  if (c.grid.x > 0x7fffffffu) return "more than 2147483647 blocks in the grid's x direction";
  if (c.shared > (xprt_size)most_shared) return "more dynamic shared memory than a block can have";
  if (c.shared > (xprt_size)default_shared && c.shared > (xprt_size)shared_allowed)
    return "more dynamic shared memory than the default 48 KiB, and no FuncSetAttribute(MaxDynamicSharedMemorySize) before";
  return nullptr;
}
}  // namespace

bool may_launch(const Config& config, const char* kernel, int line) {
  const char* why = refusal(config);
  if (!why) return true;
  char text[256];
  __builtin_snprintf(text, sizeof text, "launch of %s refused: %s", kernel, why);
  xprt::finding(xprt::severity_error, "launch", text, line);
  last = host::invalid_configuration;
  return false;
}
void launch_failed() { last = host::launch_failure; }

namespace host {
int set_error(int code) {
  if (code) last = code;
  return code;
}
int last_error(bool keep) {
  const int code = last;
  if (!keep) last = success;
  return code;
}
int allocate(void** p, size_t bytes, xprt::Space space) {
  *p = bytes ? xprt::device_alloc(bytes, space) : nullptr;
  return set_error(*p || !bytes ? success : out_of_memory);
}
int release(void* p, int line) { return set_error(!p || xprt::device_free(p, line) ? success : invalid_value); }
int copy(void* to, const void* from, size_t bytes, int line) {
  if (bytes) xprt::copy(to, from, bytes, line);
  return success;
}
// Where the runtime knows an end (pageable memory of the host it does not), the kind must not contradict it.
static bool lies_on(const void* p, bool device) {
  void* base;
  xprt_size bytes;
  xprt::Space space;
  return !xprt::region_of(p, &base, &bytes, &space) || (space & (device ? xprt::space_device : xprt::space_host));
}
bool direction(const void* to, const void* from, int kind, int line) {
  if (xprt::is_symbol(to) || xprt::is_symbol(from)) {
    xprt::finding(xprt::severity_error, "wrong_space", "a device variable has no address in host code: copy by its symbol", line);
    return false;
  }
  if (kind > 3 || (lies_on(to, kind & 1) && lies_on(from, kind & 2))) return true;
  const char* text = "the direction of the copy does not agree with where its ends lie";
  xprt::finding(xprt::severity_error, "wrong_space", text, line);
  return false;
}
int copy_2d(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t bytes, size_t rows, int line) {
  if (bytes > to_pitch || bytes > from_pitch) return set_error(invalid_value);
  for (size_t r = 0; r < rows; ++r) copy((char*)to + r * to_pitch, (const char*)from + r * from_pitch, bytes, line);
  return success;
}
int fill(void* to, int byte, size_t bytes, int line) {
  if (bytes) xprt::fill(to, byte, bytes, line);
  return success;
}
int fill_2d(void* to, size_t pitch, int byte, size_t bytes, size_t rows, int line) {
  for (size_t r = 0; r < rows; ++r) fill((char*)to + r * pitch, byte, bytes, line);
  return success;
}

namespace {
struct Described { int code; const char *name, *text; };
const Described codes[] = {
    {success, "Success", "no error"},
    {invalid_value, "ErrorInvalidValue", "invalid argument"},
    {out_of_memory, "ErrorMemoryAllocation", "out of memory"},
    {invalid_configuration, "ErrorInvalidConfiguration", "invalid configuration argument"},
    {invalid_symbol, "ErrorInvalidSymbol", "invalid device symbol"},
    {invalid_device, "ErrorInvalidDevice", "invalid device ordinal"},
    {not_ready, "ErrorNotReady", "device not ready"},
    {launch_failure, "ErrorLaunchFailure", "unspecified launch failure"},
    {not_supported, "ErrorNotSupported", "operation not supported"},
};
const Described* described(int code) {
  for (const Described& d : codes)
    if (d.code == code) return &d;
  return nullptr;
}
struct Fact { int which, value; };
const Fact facts[] = {
    {max_threads_per_block, 1024}, {max_block_x, 1024}, {max_block_y, 1024}, {max_block_z, wave64 ? 1024 : 64},
    {max_grid_x, 0x7fffffff}, {max_grid_y, 65535}, {max_grid_z, 65535}, {shared_per_block, default_shared},
    {constant_memory, 65536}, {warp_width, XP_WARP_SIZE}, {registers_per_block, 65536}, {clock_rate, 1410000},
    {processors, 8}, {15, 1}, {19, 1}, {32, 1}, {40, 1}, {integrated, 0}, {concurrent_kernels, 1}, {memory_clock, 1215000}, {bus_width, 5120},
    {l2_size, 40 << 20}, {threads_per_processor, 2048}, {unified_addressing, 1}, {major, wave64 ? 9 : 8}, {minor, 0},
    {20, 0}, {89, 1}, {115, 1},          // compute mode: default; managed memory is shared; memory pools
    {shared_per_processor, most_shared}, {managed_memory, 1}, {cooperative_launch, 1},
    {shared_per_block_optin, most_shared},
};
}  // namespace

const char* error_name(int code) { return described(code) ? described(code)->name : "ErrorUnknown"; }
const char* error_text(int code) { return described(code) ? described(code)->text : "unknown error"; }
int attribute(int which) {
  for (const Fact& f : facts)
    if (f.which == which) return f.value;
  return -1;
}
void allow_shared(int bytes) {
  if (bytes > shared_allowed) shared_allowed = bytes;
}
int blocks_per_processor(int threads, size_t shared) {
  const int by_threads = 2048 / (threads > 0 ? threads : 1);
  const int by_shared = shared ? (int)(most_shared / shared) : 32;
  return by_threads < by_shared ? by_threads : by_shared;
}
}  // namespace host
}  // namespace xp_simt
