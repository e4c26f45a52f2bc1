// Many variants of a kernel in one program: each runs in a forked child on the same arguments and is compared there with what is
// expected. The driver's arguments from `first` on are: the shape (TrialShape and a TrialBuffer for each compared buffer), for each
// compared buffer its expected values and the allowed differences (doubles; a negative one: do not look), and the results.
#include <sys/wait.h>

namespace xprt {

struct TrialShape { uint32_t compared, milliseconds; };
struct TrialBuffer { uint32_t argument, kind; uint64_t count; };
// Microseconds that it took, and one; elements that are wrong; errors found; how wrong, in thousandths.
struct TrialResult { uint32_t finished, wrong, errors, apart; };

enum TrialKind : uint32_t { t_u8, t_i8, t_u16, t_i16, t_u32, t_i32, t_u64, t_i64, t_f16, t_bf16, t_f32, t_f64 };

static double half_value(uint16_t h) {
  int exponent = h >> 10 & 31, fraction = h & 1023;
  double v = exponent == 31 ? (fraction ? __builtin_nan("") : __builtin_inf())
                            : __builtin_ldexp(exponent ? fraction + 1024 : fraction, (exponent ? exponent : 1) - 25);
  return h >> 15 ? -v : v;
}

template <class T> static double element_of(const void* p, uint64_t i) { return double(static_cast<const T*>(p)[i]); }

static double value_at(const void* p, uint32_t kind, uint64_t i) {
  switch (kind) {
    case t_u8: return element_of<uint8_t>(p, i);
    case t_i8: return element_of<int8_t>(p, i);
    case t_u16: return element_of<uint16_t>(p, i);
    case t_i16: return element_of<int16_t>(p, i);
    case t_u32: return element_of<uint32_t>(p, i);
    case t_i32: return element_of<int32_t>(p, i);
    case t_u64: return element_of<uint64_t>(p, i);
    case t_i64: return element_of<int64_t>(p, i);
    case t_f16: return half_value(static_cast<const uint16_t*>(p)[i]);
    case t_f64: return element_of<double>(p, i);
    case t_bf16: {
      uint32_t bits = uint32_t(static_cast<const uint16_t*>(p)[i]) << 16;
      float f;
      memcpy(&f, &bits, 4);
      return f;
    }
    default: return element_of<float>(p, i);
  }
}

// 0 for the right value, 1 for one that has nothing to do with it.
static double distance(double expected, double actual) {
  double apart = expected > actual ? expected - actual : actual - expected;
  double size = (expected < 0 ? -expected : expected) + (actual < 0 ? -actual : actual);
  return apart <= size && size > 0 ? apart / size : 1;
}

static bool same_value(double expected, double actual, double allowed) {
  if (allowed < 0 || expected == actual || (expected != expected && actual != actual)) return true;
  double apart = expected > actual ? expected - actual : actual - expected;
  return apart <= allowed;
}

static void weigh(void** arguments, unsigned first, TrialResult& r) {
  const TrialShape* shape = static_cast<const TrialShape*>(arguments[first]);
  const TrialBuffer* buffer = reinterpret_cast<const TrialBuffer*>(shape + 1);
  double apart = 0;
  for (uint32_t b = 0; b < shape->compared; b++) {
    const void* data = *static_cast<void**>(arguments[buffer[b].argument]);
    const double* expected = *static_cast<double**>(arguments[first + 1 + 2 * b]);
    const double* allowed = *static_cast<double**>(arguments[first + 2 + 2 * b]);
    for (uint64_t i = 0; i < buffer[b].count; i++) {
      double actual = value_at(data, buffer[b].kind, i);
      if (same_value(expected[i], actual, allowed[i])) continue;
      r.wrong++;
      apart += distance(expected[i], actual);
    }
  }
  r.apart = apart < 4e6 ? uint32_t(apart * 1000) : 4000000000u;
}

static uint32_t microseconds() {
  timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return uint32_t(t.tv_sec * 1000000 + t.tv_nsec / 1000);
}

[[noreturn]] static void be_tried(void (*call)(void**), void** arguments, unsigned first, unsigned milliseconds, TrialResult& r) {
  in_trial = true;
  const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM, SIGXCPU, SIGPROF};
  for (int n : numbers) signal(n, SIG_DFL);
  itimerval limit = {{0, 0}, {milliseconds / 1000, (milliseconds % 1000) * 1000}};
  setitimer(ITIMER_PROF, &limit, nullptr);
  unsigned before = kept_count, begun = microseconds();
  call(arguments);
  settle_pending();
  unsigned took = microseconds() - begun;
  quiet++;
  weigh(arguments, first, r);
  for (unsigned i = before; i < kept_count; i++) r.errors += kept[i].r.severity == severity_error;
  r.finished = took + 1;
  _exit(0);
}

}  // namespace xprt

extern "C" void xprt_try(void (*const* calls)(void**), unsigned count, void** arguments, unsigned first) {
  using namespace xprt;
  const TrialShape* shape = static_cast<const TrialShape*>(arguments[first]);
  TrialResult* results = *static_cast<TrialResult**>(arguments[first + 1 + 2 * shape->compared]);
  size_t bytes = count * sizeof(TrialResult);
  void* shared = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) fail("no memory for the results of trials");
  memcpy(shared, results, bytes);
  for (unsigned k = 0; k < count; k++) {
    TrialResult& result = static_cast<TrialResult*>(shared)[k];
    if (result.finished) continue;                   // not asked for
    pid_t child = fork();
    if (child == 0) be_tried(calls[k], arguments, first, shape->milliseconds, result);
    if (child < 0) fail("a trial can't be started");
    int status;
    while (waitpid(child, &status, 0) < 0) {}
  }
  memcpy(results, shared, bytes);
  munmap(shared, bytes);
}
