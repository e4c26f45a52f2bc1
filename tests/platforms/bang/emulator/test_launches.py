"""Tasks, cores and clusters; memory cores; host code; storage of variables; counters."""

# Kernels read better on long lines.
# ruff: noqa: E501

import numpy as np
import pytest
from bang_running import normal, run, zeros

from xpiler.verify.execution import BuildError

WHO = r"""
__mlu_entry__ void k(int* out) {
  if (__is_mpu()) return;
  const int values[] = {(int)taskIdX, (int)taskIdY, (int)coreId, (int)clusterId, (int)clusterDim, (int)taskDimX, (int)taskDim, (int)coreDim};
  for (int i = 0; i < 8; i++) out[taskId * 8 + i] = values[i];
}
"""


@pytest.mark.parametrize(("cores", "jobs"), [(1, (3, 2, 1)), (4, (2, 2, 1)), (16, (1, 1, 1))])
def test_every_task_knows_its_place(cores: int, jobs: tuple[int, int, int]) -> None:
    tasks = cores * jobs[0] * jobs[1]
    got = run(WHO, "k", zeros(tasks, 8, dtype="int32"), cores=cores, jobs=jobs)[0]
    task = np.arange(tasks)
    width = cores * jobs[0]
    x = task % width
    clusters = cores // 4
    job = (task // width) * jobs[0] + x // cores
    core = x % cores
    want = [x, task // width, core % 4, job * clusters + core // 4, np.full(tasks, clusters)]
    want += [np.full(tasks, width), np.full(tasks, tasks), np.full(tasks, 4)]
    np.testing.assert_array_equal(got, np.stack(want, 1))


FIVE_STAGES = r"""
#include <bang.h>
__mlu_shared__ float ping[2 * 256];
__mlu_entry__ void k(const float* a, float* b, int tiles) {
  __nram__ float x[64];
  for (int t = 0; t < tiles + 1; ++t) {
    if (__is_mpu()) {
      if (t < tiles) __memcpy_async(ping + t % 2 * 256, a + t * 256, 1024, GDRAM2SRAM);
    } else if (t > 0) {
      __memcpy(x, ping + (t - 1) % 2 * 256 + coreId * 64, 256, SRAM2NRAM);
      __bang_mul_scalar(x, x, 2.0f, 64);
      __memcpy(b + (t - 1) * 256 + coreId * 64, x, 256, NRAM2GDRAM);
    }
    __sync_cluster();
  }
}
"""


@pytest.mark.parametrize("schedule", [0, 1, 2])
def test_the_memory_core_feeds_its_cluster(schedule: int) -> None:
    x = normal(1024)
    ran = run(FIVE_STAGES, "k", x, zeros(1024), 4, cores=4, schedule=schedule)
    np.testing.assert_array_equal(ran[1], 2 * x)
    assert ran.counters["dma_gdram2sram"] == 4096
    late = FIVE_STAGES.replace("t % 2 * 256, a", "0, a").replace("(t - 1) % 2 * 256", "0")
    kinds = {k for k, _ in run(late, "k", x, zeros(1024), 4, cores=4, schedule=schedule).errors}
    assert "race" in kinds or "missing_wait" in kinds


HOST = r"""
#include "cnrt.h"
#include "mlu.h"
__mlu_device__ float factor[2];
__nram__ char place[4096];
#define BODY(name, T) __mlu_global__ void name(const T* a, T* b, int n, T by) { \
  T* x = (T*)place; int per = n / taskDim;                                      \
  __memcpy_async(x, a + per * taskId, per * sizeof(T), GDRAM2NRAM);             \
  asm volatile("sync;");                                                        \
  __bang_mul_scalar(x, x, by, per);                                             \
  __memcpy(b + per * taskId, x, per * sizeof(T), NRAM2GDRAM);                   \
  if (taskId == 0) factor[1] = by;                                              \
}
BODY(scale, float)
template <class T> __mlu_global__ void add_factor(T* b, int n) {
  __ldram__ T kept[512];
  __nram__ T x[512];
  __memcpy(x, b, n * sizeof(T), GDRAM2NRAM);
  __memcpy(kept, x, n * sizeof(T), NRAM2LDRAM);
  __bang_add_scalar(x, x, factor[1], n);
  __memcpy(b, x, n * sizeof(T), NRAM2GDRAM);
}
extern "C" void host(const float* a, float* b, int n) {
  cnrtQueue_t queue;
  CNRT_CHECK(cnrtQueueCreate(&queue));
  float *da, *db;
  CNRT_CHECK(cnrtMalloc((void**)&da, n * sizeof(float)));
  CNRT_CHECK(cnrtMalloc((void**)&db, n * sizeof(float)));
  CNRT_CHECK(cnrtMemcpy(da, (void*)a, n * sizeof(float), cnrtMemcpyHostToDev));
  cnrtDim3_t dim = {8, 1, 1};
  cnrtFunctionType_t type = cnrtFuncTypeUnion1;
  scale<<<dim, type, queue>>>(da, db, n, 3.0f);
  dim.x = 1;
  add_factor<float><<<dim, cnrtFuncTypeBlock, queue>>>(db, n);
  cnrtQueueSync(queue);
  CNRT_CHECK(cnrtMemcpy(b, db, n * sizeof(float), cnrtMemcpyDevToHost));
  cnrtFree(da); cnrtFree(db); cnrtQueueDestroy(queue);
}
"""


def test_host_code_launches_kernels() -> None:
    x = normal(512)
    ran = run(HOST, "host", x, zeros(512), 512, jobs=None)
    np.testing.assert_array_equal(ran[1], 3 * x + 3)
    assert not ran.findings
    assert ran.counters["vector_f32"] == 1024
    assert ran.counters["launches"] == 2


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("cnrtQueueSync(queue);", "", "missing_wait"),
        ("cnrtMemcpyDevToHost", "cnrtMemcpyHostToDev", "wrong_space"),
        ("dim = {8, 1, 1}", "dim = {6, 1, 1}", "launch"),
        ('asm volatile("sync;");', 'asm volatile("nop;");', "unsupported"),
    ],
)
def test_wrong_host_code(old: str, new: str, kind: str) -> None:
    found = run(HOST.replace(old, new), "host", normal(512), zeros(512), 512, jobs=None).errors
    assert kind in {k for k, _ in found}


def test_atomics_of_many_tasks() -> None:
    text = r"""
__mlu_entry__ void k(float* sum, int* count, int* old) {
  __nram__ float x[64];
  __nram__ int before[1];
  __bang_write_value(x, 64, 0.5f);
  __bang_atomic_reduce_add(sum, x, 64);
  __bang_atomic_add(before, count, 1);
  old[before[0]] = 1;
}
"""
    ran = run(
        text, "k", zeros(64), zeros(1, dtype="int32"), zeros(12, dtype="int32"), jobs=12, schedule=1
    )
    assert not ran.errors
    assert (ran.buffers[0] == 6).all()
    assert ran.buffers[1][0] == 12
    assert (ran.buffers[2] == 1).all()
    assert ran.counters["atomics"] == 12 * 65


def test_brain_floats_travel_as_bits() -> None:
    text = r"""
__mlu_entry__ void k(const bfloat16_t* a, float* b, bfloat16_t* c) {
  __nram__ bfloat16_t x[64]; __nram__ float y[64];
  __memcpy(x, a, sizeof(x), GDRAM2NRAM);
  __bang_add(x, x, x, 64);
  __bang_bfloat162float(y, x, 64);
  __memcpy(b, y, sizeof(y), NRAM2GDRAM);
  __bang_mul_scalar(y, y, 1.001f, 64);
  __bang_float2bfloat16_rn(x, y, 64);
  __memcpy(c, x, sizeof(x), NRAM2GDRAM);
}
"""
    bits = (normal(64).view("u4") >> 16).astype("u2")
    exact = (bits.astype("u4") << 16).view("f4")
    ran = run(text, "k", ("bf16", bits), zeros(64), ("bf16", np.zeros(64, "u2")))
    np.testing.assert_array_equal(ran[1], 2 * exact)
    near = (np.float32(1.001) * 2 * exact).view("u4").astype("u8")
    np.testing.assert_array_equal(ran[2], ((near + 0x7FFF + (near >> 16 & 1)) >> 16).astype("u2"))


def test_deprecated_and_doubtful_things_are_notes() -> None:
    text = r"""
__mlu_entry__ void k(float* b) {
  __nram__ float x[64];
  __bang_write_value(x, 64, 20.0f);
  __bang_mul_const(x, x, 1.0f, 64);
  __bang_active_exp(x, x, 64);
  __nram__ half h[64];
  __bang_write_value(h, 16, 0.0f);
  __memcpy(b, x, sizeof(x), NRAM2GDRAM);
}
"""
    ran = run(text, "k", zeros(64))
    assert ran.notes == [("deprecated", 4), ("domain", 5), ("operand", 7)]
    assert not ran.errors


def test_scalar_accesses_to_gdram_are_counted() -> None:
    text = "__mlu_entry__ void k(const float* a, float* b, int n) { for (int i = 0; i < n; i++) b[i] = a[i] + 1; }"
    ran = run(text, "k", normal(32), zeros(32), 32)
    assert ran.counters["scalar_buffer"] == 64


def test_variables_in_memories_may_start_with_a_value() -> None:
    text = """
__mlu_entry__ void k(float* b, int n) {
  for (int i = 0; i < n; i++) {
    __nram__ float sum = 2.0f, other;
    other = i;
    sum += other;
    b[i] = sum;
  }
}
"""
    np.testing.assert_array_equal(run(text, "k", zeros(8), 8)[0], np.arange(8) + 2)
    with pytest.raises(BuildError, match="initialiser"):
        run(text.replace("sum = 2.0f", "sum = 1.0f, t[2] = {1, 2}"), "k", zeros(8), 8)


def test_a_declaration_may_follow_a_case_label() -> None:
    text = """
__mlu_entry__ void k(float* b, int n) {
  switch (n) {
    case 8: __nram__ float x[8]; __bang_write_value(x, 8, 1.0f); __memcpy(b, x, 32, NRAM2GDRAM);
  }
}
"""
    np.testing.assert_array_equal(run(text, "k", zeros(8), 8)[0], np.ones(8))
