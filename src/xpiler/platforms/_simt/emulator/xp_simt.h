// The SIMT surface shared by CUDA and HIP: qualifiers, indices, launches, storage of shared variables.
//
// Everything of ours lives in namespace xp_simt or begins with xp_/XP_; what stands outside is named by the vendors.
// Macros are used only for reserved words (double underscore), so that any ordinary name is free for the user.
#ifndef XP_SIMT_H
#define XP_SIMT_H
#include "xprt.h"

#define __global__
#define __device__
#define __host__
#define __constant__
#define __managed__
// Declarations are rewritten; one that is not (in a header of the user's own) must not become a private variable.
#define __shared__ _Pragma("GCC error \"this __shared__ declaration was not understood\"")
#define __grid_constant__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __cluster_dims__(...)
#define __maxnreg__(...)
#define __align__(n) __attribute__((aligned(n)))
#define __builtin_align__(n) __attribute__((aligned(n)))

// ---- what the vendors' headers bring along from the C library ----------------------------------------------
typedef __SIZE_TYPE__ size_t;
typedef __INT8_TYPE__ int8_t;
typedef __INT16_TYPE__ int16_t;
typedef __INT32_TYPE__ int32_t;
typedef __INT64_TYPE__ int64_t;
typedef __UINT8_TYPE__ uint8_t;
typedef __UINT16_TYPE__ uint16_t;
typedef __UINT32_TYPE__ uint32_t;
typedef __UINT64_TYPE__ uint64_t;
typedef __INTPTR_TYPE__ intptr_t;
typedef __UINTPTR_TYPE__ uintptr_t;
typedef __PTRDIFF_TYPE__ ptrdiff_t;
typedef long clock_t;
typedef unsigned int uint;
typedef unsigned short ushort;
typedef unsigned long ulong;
#ifndef NULL
#define NULL __null
#endif
#ifndef EXIT_SUCCESS
#define EXIT_SUCCESS 0
#define EXIT_FAILURE 1
#endif
#ifndef INFINITY
#define INFINITY (__builtin_inff ())
#endif
#ifndef NAN
#define NAN (__builtin_nanf (""))
#endif
extern "C" {
int printf(const char* format, ...);
void* malloc(size_t) noexcept(true);
void free(void*) noexcept(true);
void* calloc(size_t, size_t) noexcept(true);
void exit(int) noexcept(true) __attribute__((noreturn));
void abort() noexcept(true) __attribute__((noreturn));
int rand() noexcept(true);
void srand(unsigned) noexcept(true);
int atoi(const char*) noexcept(true);
double atof(const char*) noexcept(true);
int puts(const char*);
void* memmove(void*, const void*, size_t) noexcept(true);
int memcmp(const void*, const void*, size_t) noexcept(true);
size_t strlen(const char*) noexcept(true);
void* memcpy(void*, const void*, size_t) noexcept(true);
void* memset(void*, int, size_t) noexcept(true);
void __assert_fail(const char*, const char*, unsigned, const char*) noexcept(true) __attribute__((noreturn));
}
#ifndef assert
#define assert(condition) \
  ((condition) ? (void)0 : __assert_fail(#condition, __FILE__, __LINE__, __PRETTY_FUNCTION__))
#endif

#include "xp_constants.h"
#include "xp_vectors.h"

// ---- who am I ----------------------------------------------------------------------------------------------
// `const`: within one thread they never change, so a compiler may keep them in registers.
extern "C" const uint3 threadIdx __asm__("xprt_thread_index");
extern "C" const uint3 blockIdx __asm__("xprt_block_index");
extern "C" const uint3 blockDim __asm__("xprt_block_extent");
extern "C" const uint3 gridDim __asm__("xprt_grid_extent");
#ifndef XP_WARP_SIZE
#define XP_WARP_SIZE 32
#endif
static const int warpSize __attribute__((unused)) = XP_WARP_SIZE;

namespace xp_simt {
typedef xprt_u64 u64;
typedef xprt_u32 u32;
constexpr unsigned width = XP_WARP_SIZE;
constexpr u64 all_lanes = width == 64 ? ~0ull : 0xffffffffull;

#ifndef XP_HAVE_TRAITS
template <class T> struct Same { typedef T type; };
template <bool, class T = int> struct If {};
template <class T> struct If<true, T> { typedef T type; };
#endif
template <class A, class B> struct Equal { static constexpr bool value = false; };
template <class A> struct Equal<A, A> { static constexpr bool value = true; };
template <class T> struct Bare { typedef T type; };
template <class T> struct Bare<const T> { typedef T type; };
template <class T> struct Bare<volatile T> { typedef T type; };
template <class T> struct Bare<const volatile T> { typedef T type; };

// The bits of one type as another of the same size.
template <class To, class From> inline To bits(const From& from) {
  static_assert(sizeof(To) == sizeof(From), "sizes differ");
  To to;
  __builtin_memcpy(&to, &from, sizeof to);
  return to;
}

// ---- shared variables --------------------------------------------------------------------------------------
constexpr xprt_size largest(xprt_size a, xprt_size b) { return a > b ? a : b; }

struct SharedSlot {
  const void* key;
  const char* name;
  xprt_size align;
  template <class T> XPRT_QUIET operator T&() const {
    return *static_cast<T*>(const_cast<void*>(static_cast<const volatile void*>(
        xprt::shared_array(key, sizeof(T), largest(align, alignof(T)), name))));
  }
};
template <class Declaration> struct SlotKey { static char here; };
template <class Declaration> char SlotKey<Declaration>::here;
template <class Declaration>
inline SharedSlot shared_slot(Declaration, const char* name, xprt_size align) {
  return {&SlotKey<Declaration>::here, name, align};
}
struct FileKey { const void* here; };
inline SharedSlot shared_slot(FileKey key, const char* name, xprt_size align) { return {key.here, name, align}; }

struct DynamicSlot {
  template <class T> XPRT_QUIET operator T&() const { return *static_cast<T*>(xprt::dynamic_shared()); }
};
inline DynamicSlot dynamic_slot() { return {}; }

// Announces a __device__ or __constant__ variable before the first launch.
struct DeviceVariable {
  DeviceVariable(const volatile void* p, xprt_size bytes, const char* name, bool constant, bool managed) {
    xprt::register_global(const_cast<void*>(p), bytes, name, constant, managed);
  }
};

// ---- launches ----------------------------------------------------------------------------------------------
struct Config {
  dim3 grid, block;
  xprt_size shared;
  unsigned most = 1024;                 // threads of a block that the kernel's __launch_bounds__ allows
  Config bounded(long long threads) const {
    Config c = *this;
    c.most = (unsigned)threads;
    return c;
  }
  Config(dim3 g, dim3 b, xprt_size bytes = 0, const void* /*stream: all work is done in order*/ = nullptr)
      : grid(g), block(b), shared(bytes) {}
};
// Checks the shape against the device's limits and sets the runtime API's last error; false: do not run.
bool may_launch(const Config& config, const char* kernel, int line);
void launch_failed();

// A literal 0 among the arguments of a launch: a null pointer or a number, as the parameter wants.
struct Zero { template <class T> operator T() const { return T(); } };

template <class Body> inline bool start(const Config& c, Body body, const char* kernel, int line, bool cooperative) {
  if (!may_launch(c, kernel, line)) return false;
  const xprt::Index3 grid = {c.grid.x, c.grid.y, c.grid.z}, block = {c.block.x, c.block.y, c.block.z};
  const bool ran = xprt::run(grid, block, c.shared, body, kernel, line, cooperative);
  if (!ran) launch_failed();
  return ran;
}

template <class F> struct Launcher {        // a template kernel: arguments are deduced
  int line; const char* name; Config config; bool cooperative; F f;
  template <class... A> void operator()(A... args) const {
    const F& g = f;
    start(config, [=]() XPRT_QUIET { g(args...); }, name, line, cooperative);
  }
};
template <class... P> struct Launcher<void (*)(P...)> {
  int line; const char* name; Config config; bool cooperative; void (*f)(P...);
  bool operator()(typename Same<P>::type... args) const {
    void (*g)(P...) = f;
    return start(config, [=]() XPRT_QUIET { g(args...); }, name, line, cooperative);
  }
};
template <class F> inline Launcher<F> launch(int line, const char* name, const Config& config, F f) {
  return {line, name, config, false, f};
}
template <class F> inline Launcher<F> launch_cooperative(int line, const char* name, const Config& config, F f) {
  return {line, name, config, true, f};
}
}  // namespace xp_simt

#include "xp_sync.h"
#include "xp_math.h"
#include "xp_atomics.h"
#endif
