// Read before every BANG C text: qualifiers, built-in variables, types, the host API, and the
// meaning of the instructions (semantics.cpp). A cluster is a block of threads, a core a thread.
#pragma once
#define __BANG__ 1
#define __MLU__ 1
#define __NRAM__ 1
#define __MLU_NRAM_SIZE__ 512
#define __MLU_WRAM_SIZE__ 512
#define __MLU_SRAM_SIZE__ 2048
#include "base.h"
#include "xp_math.h"
#undef __shared__
#undef __constant__
#undef __launch_bounds__
#pragma clang force_cuda_host_device begin

#define __mlu_entry__ __attribute__((global))
#define __mlu_global__ __attribute__((global))
#define __mlu_func__ __attribute__((device)) __attribute__((host)) inline
#define __mlu_host__ __attribute__((host))
#define __mlu_device__ __attribute__((device))
#define __mlu_const__ __attribute__((constant))
#define __mlu_shared__ __attribute__((annotate("shared")))
#define __nram__ __attribute__((annotate("nram")))
#define __wram__ __attribute__((annotate("wram")))
#define __ldram__ __attribute__((annotate("local")))
#define __gdram__

typedef _Float16 half;
typedef __bf16 bfloat16_t;
typedef __bf16 bfloat16;
typedef signed char int8;
typedef short int16;
typedef int int32;
typedef signed char fix8;
#define HALF_MAX 65504.0f
#define HALF_MIN (-65504.0f)
float fabs(half);
bool isnan(half);
bool isinf(half);
half max(half, half);
half min(half, half);
half fmaxf(half, half);
half fminf(half, half);
half sqrt(half);
half exp(half);

extern const xp_uint3 xp_thread, xp_block, xp_block_dim, xp_grid_dim;
extern const unsigned taskId, taskIdX, taskIdY, taskIdZ, taskDim, taskDimX, taskDimY, taskDimZ;
extern const unsigned coreId, coreDim, clusterId, clusterDim;
inline unsigned xp_task_dim_x() { return xp_grid_dim.x * xp_block_dim.x; }
inline unsigned xp_task_dim_y() { return xp_grid_dim.y; }
inline unsigned xp_task_dim_z() { return xp_grid_dim.z; }
inline unsigned xp_task_id_x() { return xp_block.x * xp_block_dim.x + xp_thread.x; }
inline unsigned xp_task_id_y() { return xp_block.y; }
inline unsigned xp_task_id_z() { return xp_block.z; }
inline unsigned xp_task_dim() { return xp_grid_dim.x * xp_block_dim.x * xp_grid_dim.y * xp_grid_dim.z; }
inline unsigned xp_task_id() {
  return (xp_block.z * xp_grid_dim.y + xp_block.y) * (xp_grid_dim.x * xp_block_dim.x) +
         (xp_block.x * xp_block_dim.x + xp_thread.x);
}
inline unsigned xp_core_dim() { return 4; }
inline unsigned xp_core_id() { return xp_thread.x % 4; }
inline unsigned xp_cluster_dim() { return xp_block_dim.x / 4; }
inline unsigned xp_cluster_id() {
  return ((xp_block.z * xp_grid_dim.y + xp_block.y) * xp_grid_dim.x + xp_block.x) *
             (xp_block_dim.x / 4) +
         xp_thread.x / 4;
}
inline bool __is_ipu() { return true; }
inline bool __is_mpu() { return false; }

#define XP_ATOMIC_WORD(op) template <class T> T __xp_atomic_##op(T* at, T value);
XP_ATOMIC_WORD(add) XP_ATOMIC_WORD(min) XP_ATOMIC_WORD(max) XP_ATOMIC_WORD(and) XP_ATOMIC_WORD(or)
XP_ATOMIC_WORD(xor) XP_ATOMIC_WORD(exch) XP_ATOMIC_WORD(inc) XP_ATOMIC_WORD(dec)
template <class T> T __xp_atomic_cas(T* at, T expected, T value);
unsigned short __xp_bits(half);
unsigned short __xp_bits(bfloat16_t);
half __xp_half(unsigned short);
bfloat16_t __xp_bfloat(unsigned short);

enum mluMemcpyDirection_t {
  GDRAM2NRAM, NRAM2GDRAM, LDRAM2NRAM, NRAM2LDRAM, GDRAM2WRAM, WRAM2GDRAM, LDRAM2WRAM, WRAM2LDRAM,
  NRAM2NRAM, NRAM2WRAM, WRAM2NRAM, GDRAM2SRAM, SRAM2GDRAM, LDRAM2SRAM, SRAM2LDRAM, SRAM2NRAM,
  NRAM2SRAM, SRAM2WRAM, WRAM2SRAM, GDRAM2GDRAM, GDRAM2LDRAM, LDRAM2GDRAM, LDRAM2LDRAM, SRAM2SRAM
};
typedef enum mluMemcpyDirection_t mluMemcpyDirection_t;
enum mluFusionOp { FUSION_FMA, FUSION_FMS, FUSION_FAM, FUSION_FSM, FUSION_FAA, FUSION_FAS, FUSION_FSS, FUSION_FSA };
enum mluPoolBpOp { OVERLAP_ACC, OVERLAP_COVER };

void __sync();
void __sync_io();
void __sync_move();
void __sync_compute();
void __sync_io_move_compute(bool = true, bool = true, bool = true, bool = true, bool = true, bool = true);
void __sync_cluster();
void __sync_all();
void __sync_all_ipu();
void __sync_all_mpu();
void __sync_all_ipu_within_cluster();
void __bang_lock(int = 0, int = 0);
void __bang_unlock(int = 0, int = 0);
int printf(const char*, ...);
int __bang_printf(const char*, ...);
void __xp_assert(bool, const char*);
#define assert(c) __xp_assert((c), #c)
#define __assert(c) __xp_assert((c), #c)
#define MLU_DEVICE_ASSERT(c) __xp_assert((c), #c)
#pragma clang force_cuda_host_device end
#include "std.h"
#include "cnrt_api.h"
#include "../semantics.cpp"
