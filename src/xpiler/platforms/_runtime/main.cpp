// Start and end of a run: options and arguments from the input file, the driver or the program's own main(), buffers to the output
// file. Invoked as  PROGRAM INPUT OUTPUT FINDINGS [arguments of the program],  or for many runs, each in a fork of its own, as
// PROGRAM --each COUNT INPUT OUTPUT FINDINGS  with files called input.0, input.1 and so on; what does not end well is the last one.
//
// Input, little endian:  "XPRT0001"; u32 checks, poison, schedule, warp width, shared limit, arguments, milliseconds, is_main,
// rounding (0 to nearest, 1 up, 2 down), 0; u64 seed; then for each argument u32 buffer (0 none, else where its memory lies: 1 anywhere,
// 2 on the host, 3 on the device), element bytes, has_data, name bytes; u64 bytes; name and data, each padded to 8.
// What is no buffer has in the place of a name pairs of u32: at this offset stands a pointer to that argument, a buffer.
// Output: for each buffer its bytes, then (checked runs) one byte an element: 1 if it was written, 2 if it was read, and 4 if kernels
// touched the buffer.

extern "C" {
void xprt_driver(void** arguments) __attribute__((weak));
int __real_main(int, char**, char**) __attribute__((weak));
extern const char _end;
}

xprt::Index3 xprt_thread_index, xprt_block_index, xprt_block_extent, xprt_grid_extent;
unsigned xprt_warp_width = 32;

namespace xprt {

static bool in_image(uintptr_t a) { return a >= uintptr_t(&__ehdr_start) && a < uintptr_t(&_end); }

struct InputHeader {
  char magic[8];
  uint32_t checks, poison, schedule, warp_width, shared_limit, arguments, milliseconds, is_main, rounding, none;
  uint64_t seed;
};
struct InputArgument { uint32_t buffer, element, has_data, name_bytes; uint64_t bytes; };
constexpr uint32_t argument_lent = 2;  // has_data of an object whose address is passed

enum { max_arguments = 256 };
static void* arguments[max_arguments];
static void* pointers[max_arguments];       // what a buffer's argument points to: the pointer itself
static Region* buffers[max_arguments];
static const char* given[max_arguments];    // what a buffer of the same number held at the start, if that is known
static unsigned buffers_count;
static const char* output_path;
static bool is_main;
static unsigned rounding;

static const char* read_file(const char* path) {
  int fd = open(path, O_RDONLY);
  off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
  void* p = size <= 0 ? MAP_FAILED : mmap(nullptr, size_t(size), PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  if (fd >= 0) close(fd);
  if (p == MAP_FAILED) fail("the input file can't be read");
  return static_cast<const char*>(p);
}

static void take_buffer(unsigned i, const InputArgument& a, const char* name, const char* data) {
  const Space spaces[] = {space_both, space_both, space_host, space_device};
  Region* r = allocate(a.bytes, 64, region_buffer, spaces[a.buffer & 3], name);
  if (!r) fail("no memory for a buffer");
  r->element = a.element ? a.element : 1;
  if (a.has_data) {
    memcpy(reinterpret_cast<void*>(r->lo), data, a.bytes);
    if (r->bytes) memset(r->bytes, byte_initialised, a.bytes);
  }
  given[buffers_count] = a.has_data ? data : nullptr;
  buffers[buffers_count++] = r;
  pointers[i] = reinterpret_cast<void*>(r->lo);
  arguments[i] = &pointers[i];
}

struct Link { uint32_t offset, buffer; };
struct Linked { char* in; const Link* all; unsigned count; };
static Linked links[max_arguments];

// A struct, say: in memory that is aligned for any type. Where it is lent its address is the argument.
static void take_object(unsigned i, const InputArgument& a, const char* links_at, const char* data) {
  char* room = static_cast<char*>(heap_zeroed(1, a.bytes + 64));
  room = reinterpret_cast<char*>(round_up(reinterpret_cast<uintptr_t>(room), 64));
  pointers[i] = memcpy(room, data, a.bytes);
  arguments[i] = a.has_data == argument_lent ? &pointers[i] : pointers[i];
  links[i] = {room, reinterpret_cast<const Link*>(links_at), a.name_bytes / unsigned(sizeof(Link))};
}

static void set_links() {
  for (unsigned i = 0; i < max_arguments; i++)
    for (unsigned k = 0; k < links[i].count; k++) {
      const Link& l = links[i].all[k];
      if (l.buffer >= max_arguments) fail("the input file is not one");
      memcpy(links[i].in + l.offset, &pointers[l.buffer], sizeof(void*));
    }
}

static const char* take_argument(unsigned i, const char* p) {
  InputArgument a;
  memcpy(&a, p, sizeof a);
  p += sizeof a;
  const char* links_at = p;
  char* name = static_cast<char*>(heap_zeroed(1, a.name_bytes + 1));
  memcpy(name, p, a.name_bytes);
  p += round_up(a.name_bytes, 8);
  if (a.buffer) take_buffer(i, a, name, p);
  else take_object(i, a, links_at, p);
  return a.has_data || !a.buffer ? p + round_up(a.bytes, 8) : p;
}

static void take_input(const char* path) {
  const char* p = read_file(path);
  InputHeader h;
  memcpy(&h, p, sizeof h);
  if (memcmp(h.magic, "XPRT0001", 8) != 0 || h.arguments > max_arguments) fail("the input file is not one");
  options.checks = h.checks, options.poison = h.poison, options.schedule = h.schedule, options.seed = h.seed;
  options.shared_limit = h.shared_limit;
  xprt_warp_width = h.warp_width ? h.warp_width : 32;
  is_main = h.is_main, rounding = h.rounding;
  p += sizeof h;
  for (unsigned i = 0; i < h.arguments; i++) p = take_argument(i, p);
  set_links();
  itimerval limit = {{0, 0}, {h.milliseconds / 1000, (h.milliseconds % 1000) * 1000}};
  if (h.milliseconds) setitimer(ITIMER_REAL, &limit, nullptr);
}

static void write_all(int fd, const void* data, size_t n) {
  const char* p = static_cast<const char*>(data);
  while (n) {
    ssize_t done = ::write(fd, p, n);
    if (done <= 0) fail("the output file can't be written");
    p += done, n -= size_t(done);
  }
}

static void write_outputs() {
  int fd = open(output_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (fd < 0) fail("the output file can't be written");
  all_readings_home();
  for (unsigned i = 0; i < buffers_count; i++) {
    Region* r = buffers[i];
    check_slack(r);
    uint64_t same = given[i] && memcmp(given[i], reinterpret_cast<void*>(r->lo), r->size()) == 0;
    write_all(fd, &same, sizeof same);
    if (!same) write_all(fd, reinterpret_cast<void*>(r->lo), r->size());
    if (!r->bytes) continue;
    size_t elements = r->size() / r->element;
    for (size_t e = 0; e < elements; e++) {         // in place: the states are not needed any more
      uint8_t all = byte_written, any = 0;
      for (unsigned k = 0; k < r->element; k++) all &= r->bytes[e * r->element + k], any |= r->bytes[e * r->element + k];
      r->bytes[e] = uint8_t((all ? 1 : 0) | (any & byte_read ? 2 : 0) | (r->cells ? 4 : 0));
    }
    write_all(fd, r->bytes, elements);
  }
  close(fd);
}

// How this thread rounds from here on, and with it every fiber: a switch leaves the mode alone.
static void round_to(unsigned mode) {
#if defined(__x86_64__)
  static const unsigned bits[] = {0, 0x4000, 0x2000};
  unsigned state;
  asm volatile("stmxcsr %0" : "=m"(state));
  state = (state & ~0x6000u) | bits[mode % 3];
  asm volatile("ldmxcsr %0" : : "m"(state));
#elif defined(__aarch64__)
  uint64_t state;
  asm volatile("mrs %0, fpcr" : "=r"(state));
  state = (state & ~(uint64_t(3) << 22)) | uint64_t(mode % 3) << 22;
  asm volatile("msr fpcr, %0" : : "r"(state));
#endif
}

static void find_host_stack(uintptr_t here) {
  rlimit limit;
  size_t bytes = getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur < (size_t(1) << 30) ? limit.rlim_cur : size_t(8) << 20;
  host_stack_hi = here + (1 << 20);
  host_frames_end = here + 16;
  host_stack_lo = here > bytes ? here - bytes : 0;
}

static void find_places() {
  const uintptr_t all[] = {uintptr_t(&xprt_thread_index), uintptr_t(&xprt_block_index), uintptr_t(&xprt_block_extent),
                           uintptr_t(&xprt_grid_extent)};
  uintptr_t lo = all[0], hi = all[0];
  for (uintptr_t a : all) lo = a < lo ? a : lo, hi = a > hi ? a : hi;
  places_lo = lo;
  places_span = hi - lo < 256 ? hi - lo + sizeof(Index3) : 0;     // something else lies between: the long way then
}

static void begin_program() {
  find_places();
  quiet = !options.checks;
  start_clock();
}

static void end_program() {                         // also when the program calls exit()
  static bool ended;
  if (ended || in_trial) return;
  ended = true;
  if (rounding) round_to(0);
  settle_pending();
  stop_clock();
  quiet = 1;
  if (current) finding(severity_error, "abort", "a kernel ended the program", 0);
  check_leaks();
  if (!is_main) write_outputs();
  write_findings();
}

static char* numbered(const char* name, int k) {
  size_t room = strlen(name) + 16;
  char* out = static_cast<char*>(heap(room));
  snprintf(out, room, "%s.%d", name, k);
  return out;
}

// The number of the run that this process is to make; the process that was started does not come back. It ends as its last child
// did: by the same signal, so that whoever waits learns of limits that the kernel keeps.
static int forked(int count) {
  for (int k = 0; k < count; k++) {
    pid_t child = fork();
    if (child < 0) fail("no process for a run");
    if (child == 0) return k;
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    if (WIFSIGNALED(status)) signal(WTERMSIG(status), SIG_DFL), raise(WTERMSIG(status));
    if (status) _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
  }
  _exit(0);
}

}  // namespace xprt

extern "C" int __wrap_main(int argc, char** argv, char** env) {
  if (argc < 4) fail("usage: PROGRAM INPUT OUTPUT FINDINGS");
  if (argc == 6 && !strcmp(argv[1], "--each")) {
    int k = forked(atoi(argv[2]));
    for (int i = 1; i < 4; i++) argv[i] = numbered(argv[i + 2], k);
    argc = 4;
  }
  find_host_stack(uintptr_t(__builtin_frame_address(0)));
  findings_fd = open(argv[3], O_WRONLY | O_CREAT | O_TRUNC, 0600);
  output_path = argv[2];
  catch_signals();
  take_input(argv[1]);
  add_announced();
  atexit(end_program);
  begin_program();
  if (rounding) round_to(rounding);
  int status = 0;
  if (is_main) {
    if (!__real_main) fail("the program has no main()");
    argv[3] = argv[0];
    status = __real_main(argc - 3, argv + 3, env);
  } else {
    if (!xprt_driver) fail("the program has no driver");
    xprt_driver(arguments);
  }
  end_program();
  return status;
}
