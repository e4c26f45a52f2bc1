// Qualifiers, types, built-in variables, storage of variables in a core's memories, launches, barriers.
#ifndef XP_BANG_CORE_H
#define XP_BANG_CORE_H
#include "xprt.h"
#ifndef XP_BANG_MEMORY_CORE
#define XP_BANG_MEMORY_CORE 0
#endif

#define __BANG__ 1
#define __MLU__ 1
#define __CNCC__ 1
#define __NRAM__ 1
#define __global__
#define __device__
#define __constant__
#define __mlu_func__ __attribute__((unused))       // the text may say `inline`, too
#define __mlu_vector__
#define __mlu_host__
#define __mlu_builtin__
#define __gdram__
#define __bang_launch_bounds__(...)

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
typedef signed char int8;
typedef short int16;
typedef int int32;
typedef signed char fix8;
typedef unsigned int uint;
typedef _Float16 half;
// bfloat16 is a type without arithmetic: conversions only.
struct bfloat16_t {
  unsigned short x;
  bfloat16_t() = default;
  explicit bfloat16_t(float f) {
    unsigned u;
    __builtin_memcpy(&u, &f, 4);
    x = (u & 0x7fffffffu) > 0x7f800000u ? 0x7fff : (unsigned short)((u + 0x7fff + (u >> 16 & 1)) >> 16);
  }
  explicit operator float() const {
    const unsigned u = (unsigned)x << 16;
    float f;
    __builtin_memcpy(&f, &u, 4);
    return f;
  }
};
typedef bfloat16_t bfloat16;
#ifndef NULL
#define NULL __null
#endif
#ifndef INFINITY
#define INFINITY (__builtin_inff())
#endif
#ifndef NAN
#define NAN (__builtin_nanf(""))
#endif
#define HALF_MAX 65504.0f
#define HALF_MIN (-65504.0f)
#ifndef FLT_MAX
#define FLT_MAX __FLT_MAX__
#define FLT_MIN __FLT_MIN__
#define FLT_EPSILON __FLT_EPSILON__
#endif
#ifndef INT_MAX
#define INT_MAX __INT_MAX__
#define INT_MIN (-__INT_MAX__ - 1)
#define UINT_MAX (__INT_MAX__ * 2U + 1U)
#endif
#ifndef INT32_MAX
#define INT32_MAX __INT32_MAX__
#define INT32_MIN (-__INT32_MAX__ - 1)
#define UINT32_MAX __UINT32_MAX__
#endif
extern "C" {
int printf(const char* format, ...);
void* malloc(size_t) noexcept(true);
void free(void*) noexcept(true);
void exit(int) noexcept(true) __attribute__((noreturn));
void abort() noexcept(true) __attribute__((noreturn));
int rand() noexcept(true);
void srand(unsigned) noexcept(true);
void* memcpy(void*, const void*, size_t) noexcept(true);
void* memset(void*, int, size_t) noexcept(true);
void __assert_fail(const char*, const char*, unsigned, const char*) noexcept(true) __attribute__((noreturn));
}
#ifndef assert
#define assert(condition) ((condition) ? (void)0 : __assert_fail(#condition, __FILE__, __LINE__, __PRETTY_FUNCTION__))
#endif
#define __assert(condition) assert(condition)
#define MLU_DEVICE_ASSERT(condition) assert(condition)
#define __bang_printf printf

// The caller's line, as a last default argument.
// (Behind a type that nothing converts to: a surplus argument is no line.)
namespace xp_bang {
struct End {};
}  // namespace xp_bang
#define XP_LINE xp_bang::End = {}, int xp_line = __builtin_LINE()

// ---- built-in variables ------------------------------------------------------------------------------------
// `const`: within one task they never change. Written by lib/core.cpp whenever another core runs.
extern "C" {
extern const unsigned taskId __asm__("xp_bang_task_id");
extern const unsigned taskIdX __asm__("xp_bang_task_id_x");
extern const unsigned taskIdY __asm__("xp_bang_task_id_y");
extern const unsigned taskIdZ __asm__("xp_bang_task_id_z");
extern const unsigned taskDim __asm__("xp_bang_task_dim");
extern const unsigned taskDimX __asm__("xp_bang_task_dim_x");
extern const unsigned taskDimY __asm__("xp_bang_task_dim_y");
extern const unsigned taskDimZ __asm__("xp_bang_task_dim_z");
extern const unsigned coreId __asm__("xp_bang_core_id");
extern const unsigned coreDim __asm__("xp_bang_core_dim");
extern const unsigned clusterId __asm__("xp_bang_cluster_id");
extern const unsigned clusterDim __asm__("xp_bang_cluster_dim");
}
inline bool __is_mpu() { return coreId == 0x80; }
inline bool __is_ipu() { return coreId != 0x80; }

namespace xp_bang {
typedef long long Count;                     // of elements or bytes: wide, so that a negative one shows

template <class A, class B> struct Equal { static constexpr bool value = false; };
template <class A> struct Equal<A, A> { static constexpr bool value = true; };
template <bool, class T = int> struct If {};
template <class T> struct If<true, T> { typedef T type; };
template <class T> struct Same { typedef T type; };

[[noreturn]] void unknown(const char* what, int line = __builtin_LINE());

// ---- storage -----------------------------------------------------------------------------------------------
enum Memory : unsigned { gdram = 1, nram = 16, wram = 17, ldram = 18, sram = 19 };
void* place(Memory memory, const void* key, xprt_size bytes, xprt_size align, const char* name, int line);

struct Slot {
  Memory memory;
  const void* key;
  const char* name;
  xprt_size align;
  int line;
  template <class T> XPRT_QUIET operator T&() const {
    return *static_cast<T*>(place(memory, key, sizeof(T), align > alignof(T) ? align : alignof(T), name, line));
  }
};
template <class Declaration> struct SlotKey { static char here; };
template <class Declaration> char SlotKey<Declaration>::here;
struct FileKey { const void* here; };
template <class Declaration> inline const void* key_of(Declaration) { return &SlotKey<Declaration>::here; }
inline const void* key_of(FileKey key) { return key.here; }
#define XP_SLOT(memory)                                                                                       \
  template <class D> inline Slot memory##_slot(D d, const char* name, xprt_size align, int xp_line = __builtin_LINE()) { \
    return {memory, key_of(d), name, align, xp_line};                                                         \
  }
XP_SLOT(nram) XP_SLOT(wram) XP_SLOT(ldram) XP_SLOT(sram)
#undef XP_SLOT

// ---- launches ----------------------------------------------------------------------------------------------
// `cores`: of a union job, 4 a cluster; 1: a block task. `memory_core`: each cluster has a fifth core that runs the same text.
bool start(xprt::Index3 jobs, unsigned cores, bool memory_core, void (*body)(void*), void* arg, const char* kernel, int line);
bool shape_ok(xprt::Index3 block, xprt_size shared, const char* kernel, int line);
inline bool launch(xprt::Index3 grid, xprt::Index3 block, xprt_size shared, void (*body)(void*), void* arg, const char* kernel, int line) {
  return shape_ok(block, shared, kernel, line) && start(grid, block.x, XP_BANG_MEMORY_CORE, body, arg, kernel, line);
}
inline bool launch_cooperative(xprt::Index3 grid, xprt::Index3 block, xprt_size shared, void (*body)(void*), void* arg, const char* kernel, int line) {
  return xp_bang::launch(grid, block, shared, body, arg, kernel, line);
}
}  // namespace xp_bang

namespace xp_simt {                          // announces a variable in GDRAM before the first launch
struct DeviceVariable {
  DeviceVariable(const volatile void* p, xprt_size bytes, const char* name, bool constant, bool managed) {
    xprt::register_global(const_cast<void*>(p), bytes, name, constant, managed);
  }
};
}  // namespace xp_simt

// ---- barriers and fences -----------------------------------------------------------------------------------
namespace xp_bang {
enum Pipe : unsigned { pipe_io = 1, pipe_move = 2, pipe_compute = 4, pipe_all = 7 };
enum Group { group_all, group_all_ipu, group_all_mpu, group_cluster, group_cluster_ipu };
void fence(unsigned pipes, int line);
void barrier(Group group, const char* name, int line);
}  // namespace xp_bang
inline void __sync(XP_LINE) { xp_bang::fence(xp_bang::pipe_all, xp_line); }
inline void __sync_io(XP_LINE) { xp_bang::fence(xp_bang::pipe_io, xp_line); }
inline void __sync_move(XP_LINE) { xp_bang::fence(xp_bang::pipe_move, xp_line); }
inline void __sync_compute(XP_LINE) { xp_bang::fence(xp_bang::pipe_compute, xp_line); }
inline void __sync_io_move_compute(bool io = true, bool move = true, bool compute = true, bool to_io = true, bool to_move = true,
                                   bool to_compute = true, XP_LINE) {
  if (to_io || to_move || to_compute)
    xp_bang::fence((io ? xp_bang::pipe_io : 0u) | (move ? xp_bang::pipe_move : 0u) | (compute ? xp_bang::pipe_compute : 0u), xp_line);
}
inline void __sync_all(XP_LINE) { xp_bang::barrier(xp_bang::group_all, "__sync_all", xp_line); }
inline void __sync_all_ipu(XP_LINE) { xp_bang::barrier(xp_bang::group_all_ipu, "__sync_all_ipu", xp_line); }
inline void __sync_all_mpu(XP_LINE) { xp_bang::barrier(xp_bang::group_all_mpu, "__sync_all_mpu", xp_line); }
inline void __sync_cluster(XP_LINE) { xp_bang::barrier(xp_bang::group_cluster, "__sync_cluster", xp_line); }
inline void __sync_all_ipu_within_cluster(XP_LINE) {
  xp_bang::barrier(xp_bang::group_cluster_ipu, "__sync_all_ipu_within_cluster", xp_line);
}
#define XP_SPLIT(name) inline void name(int, int, XP_LINE) { xp_bang::unknown(#name ": split barriers are not modelled", xp_line); }
XP_SPLIT(__sync_cluster_arrive) XP_SPLIT(__sync_cluster_wait) XP_SPLIT(__sync_all_arrive) XP_SPLIT(__sync_all_wait)
#undef XP_SPLIT
inline void __bang_lock(int = 0, int = 0) {}
inline void __bang_unlock(int = 0, int = 0) {}
#endif
