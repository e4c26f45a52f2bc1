"""Lowering to tasks: what the kernels look like, and that they compute what the source does."""

from __future__ import annotations

import re

import pytest

from xpiler.pipeline import Options, Translation, translate

ADD = """
__global__ void add(const float* a, const float* b, float* c, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) c[i] = a[i] + b[i];
}
"""

SOFTMAX = """
__global__ void softmax(const float* x, float* y, int rows, int cols) {
  int row = blockIdx.x * blockDim.x + threadIdx.x;
  if (row >= rows) return;
  float m = -INFINITY;
  for (int j = 0; j < cols; j++) m = fmaxf(m, x[row * cols + j]);
  float sum = 0.0f;
  for (int j = 0; j < cols; j++) sum += expf(x[row * cols + j] - m);
  for (int j = 0; j < cols; j++) y[row * cols + j] = expf(x[row * cols + j] - m) / sum;
}
"""

GEMM = """
__global__ void gemm(const float* A, const float* B, float* C, int M, int N, int K) {
  int col = blockIdx.x * blockDim.x + threadIdx.x, row = blockIdx.y * blockDim.y + threadIdx.y;
  if (row >= M || col >= N) return;
  float acc = 0.0f;
  for (int k = 0; k < K; k++) acc += A[row * K + k] * B[k * N + col];
  C[row * N + col] = acc;
}
"""

GATHER = """
__global__ void gather(const float* table, const int* at, float* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = table[at[i]] * 2.0f;
}
"""

GUARDED = """
__global__ void shift(const float* x, float* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = (i > 0 ? x[i - 1] : 0.0f) + (x[i] > 0.25f ? x[i] : 3.0f);
}
"""

DOUBLE = """
__global__ void scale(double* x, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) x[i] = x[i] * 2.0;
}
"""

FLOAT4 = """
__global__ void twice(const float4* x, float4* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) {
    float4 v = x[i];
    y[i] = make_float4(v.x * 2.0f, v.y + 1.0f, v.z, v.w - v.x);
  }
}
"""

PHASES = """
__global__ void twice(const float* x, float* t, float* y, int n) {
  for (int i = threadIdx.x; i < n; i += blockDim.x) t[i] = x[i] * 2.0f;
  __syncthreads();
  for (int i = threadIdx.x; i < n; i += blockDim.x) y[i] = t[n - 1 - i];
}
"""

SCAN = """
__global__ void scan(float* x, int n) {
  for (int i = 1; i < n; i++) x[i] = x[i] + x[i - 1];
}
"""


def kernel(text: str, *, verify: bool = False) -> Translation:
    return translate(text, "kernel.cu", Options("bang", seed=1, verify=verify))


def text_of(source: str) -> str:
    found = kernel(source).text
    assert found is not None
    return found


def scalar_reads(text: str, name: str) -> list[str]:
    """Lines in which scalar code reads or writes what the pointer `name` points to."""
    lines = [x for x in text.splitlines() if re.search(rf"(?<!&)\b{name}\[", x)]
    return [x for x in lines if "__memcpy" not in x]


def test_elementwise_loops_are_vector_instructions_on_copies() -> None:
    text = text_of(ADD)
    assert "__bang_add(t, a_tile, b_tile, n2);" in text
    assert "GDRAM2NRAM" in text
    assert not any(scalar_reads(text, p) for p in "abc")


def test_the_share_of_a_task_has_the_remainder() -> None:
    text = text_of(ADD)
    assert "n % (int)taskDim" in text
    assert re.search(r"first \+ share \+ \(\(int\)taskId < rest \? 1 : 0\)", text)


def test_rows_are_reduced_by_pooling_and_exp_is_accurate() -> None:
    text = text_of(SOFTMAX)
    assert "__bang_maxpool(" in text or "__bang_maxequal(" in text
    assert "__bang_pow2(" in text
    assert "active" not in text
    assert not scalar_reads(text, "x")


def test_a_small_contraction_works_on_rows_and_copies_its_scalars_ahead() -> None:
    text = text_of(GEMM.replace("k < K", "k < 5"))
    assert "__bang_matmul" not in text
    assert re.search(r"__bang_mul_scalar\(\w+, \w+, A_ahead\[", text)
    assert not scalar_reads(text, "A")


def test_conditions_on_the_index_become_ranges_and_others_masks() -> None:
    text = text_of(GUARDED)
    assert "__bang_gt_scalar(" in text
    assert "__bang_band(" in text
    assert not scalar_reads(text, "x")


def test_double_precision_is_refused_with_the_operation() -> None:
    found = kernel(DOUBLE)
    codes = {d.code: d.reason for d in found.errors}
    assert "x[i]" in codes["XP1202"]


def test_lanes_of_short_vectors_are_rows_of_their_own() -> None:
    text = text_of(FLOAT4)
    assert "float4 v" not in text
    assert "__bang_mul_scalar(" in text


def test_phases_that_depend_wait_within_the_first_job_only() -> None:
    text = text_of(PHASES)
    assert text.count("__sync_all_ipu();") == 1
    assert "(int)clusterDim == 0 ? 1 :" in text
    assert text.index("return;") < text.index("__sync_all_ipu();")


def test_a_recurrence_is_left_to_the_first_task_and_noted() -> None:
    found = kernel(SCAN)
    assert found.text is not None
    assert "(int)taskId == 0" in found.text
    notes = [d for d in found.diagnostics if d.code == "XP1201"]
    assert any("may meet" in d.reason for d in notes)


@pytest.mark.parametrize("source", [SOFTMAX, GEMM, GUARDED, FLOAT4, PHASES, GATHER])
def test_translations_are_verified(source: str) -> None:
    found = kernel(source, verify=True)
    assert found.verdict is not None
    assert found.verified, found.verdict.render()


def test_arrays_never_exceed_a_core() -> None:
    sizes = re.findall(r"__nram__ (?:float|int) \w+\[(\d+)\]", text_of(GUARDED))
    assert 0 < sum(4 * int(n) for n in sizes) <= 384 * 1024


TREE = """
__global__ void total(const float* in, float* out, int n) {
  __shared__ float cache[64];
  int t = threadIdx.x;
  float own = 0.0f;
  for (int i = blockIdx.x * 64 + t; i < n; i += gridDim.x * 64) own += in[i];
  cache[t] = own;
  __syncthreads();
  for (int half = 32; half != 0; half /= 2) {
    if (t < half) cache[t] += cache[t + half];
    __syncthreads();
  }
  if (t == 0) out[blockIdx.x] = cache[0];
}
"""

MOVED = """
static inline int twice(int v) { if (v > 4) return v + 1; return v * 2; }
void rows(const float* x, float* y, int n, int d) {
  for (int i = 0; i < n; i++) {
    const float* p = x;
    float* q = y;
    p += i * d;
    q += i * d;
    for (int j = 0; j < d; j++) q[j] = p[j] * (float)twice(i);
  }
}
"""

AHEAD = """
__global__ void peaks(const float* A, float* y, int rows) {
  if (threadIdx.x >= rows) return;
  float m = A[threadIdx.x * 32];
  for (int i = 1; i < 32; i++) if (A[threadIdx.x * 32 + i] > m) m = A[threadIdx.x * 32 + i];
  float sum = 0.0f;
  for (int i = 0; i < 32; i++) {
    y[threadIdx.x * 32 + i] = expf(A[threadIdx.x * 32 + i] - m);
    sum += y[threadIdx.x * 32 + i];
  }
  for (int i = 0; i < 32; i++) y[threadIdx.x * 32 + i] /= sum;
}
"""

SIGN = """
void sign(const float* x, int* y, int n) {
  for (int i = 0; i < n; i++)
    if (x[i] > 0.0f) y[i] = 1; else y[i] = x[i] < 0.0f ? -1 : 0;
}
"""

LEAST = """
void least(const int* x, int* y, int n) {
  for (int i = 0; i < n; i++)
    if (x[i] < y[i]) y[i] = x[i];
}
"""

NARROW = """
void narrow(const float* x, float* y, int n) {
  for (int i = 0; i < n; i++) y[i] = (float)(0.5 * x[i]) / sqrt(16.0);
}
"""

TURNED = """
void turned(const float* x, float* y, int n) {
  for (int i = 0; i < n; i++)
    y[n - 1 - i] = x[i] * 2.0f;
}
"""

BEHIND = """
void behind(const int* x, int* y, int n) {
  for (int i = 0; i < n; i++)
    if (x[i] < y[i]) y[i] = x[i] - 1;
}
"""


@pytest.mark.parametrize(
    ("text", "suffix", "instruction"),
    [
        (TREE, "cu", "__bang_sumpool(part, in_tile"),
        (MOVED, "c", "__bang_mul_scalar("),
        (SIGN, "c", "__bang_lt_scalar("),
        (LEAST, "c", "__bang_minequal("),
        (BEHIND, "c", "__bang_lt("),
        (TURNED, "c", "__bang_mul_scalar("),
        (NARROW, "c", "__bang_div("),
        (AHEAD, "cu", "__bang_maxpool("),
    ],
)
def test_more_loops_are_written_for_all_lanes(text: str, suffix: str, instruction: str) -> None:
    done = translate(text, f"k.{suffix}", Options(target="bang", seed=3))
    assert done.text is not None
    assert done.verified, done.verdict
    assert instruction in done.text
    assert not re.search(r"for \(int k\d* = 0", done.text)  # no loop over single lanes


PAST_THE_END = """
void last_over(const float *x, int *y, int n, int m) {
  for (int b = 0; b < n; b++) {
    int at = -1;
    for (int k = 0; k < m + 3; k++) at = k < m && x[b * m + k] > 0.5f ? k : at;
    y[b] = at;
  }
}
"""


def test_what_sizes_exclude_is_not_loaded() -> None:
    done = translate(PAST_THE_END, "k.c", Options(target="bang", seed=3))
    assert done.verified, done.verdict
    assert done.text is not None
    guarded = done.text[done.text.index("if (k < m) {") :]
    assert "GDRAM2NRAM" in guarded[: guarded.index("}")]
    assert "GDRAM2NRAM" not in guarded[guarded.index("}") :]


def test_memory_cores_leave_at_once() -> None:
    done = translate(ADD, "k.cu", Options(target="bang", verify=False))
    assert done.text is not None
    first = done.text.split("__mlu_entry__")[1].index("if (__is_mpu())")
    assert first < done.text.split("__mlu_entry__")[1].index("taskId")


SIZED = """
#include <math.h>
void shares(const float* x, float* y, int rows, int n) {
  for (int r = 0; r < rows; r++)
    for (int t = 0; t < n; t++) {
      float w[t + 1];
      float sum = 0.0f;
      for (int k = 0; k <= t; k++) {
        w[k] = expf(x[r * n + k]);
        sum += w[k];
      }
      y[r * n + t] = w[t / 2] / sum;
    }
}
"""


def test_an_array_whose_size_is_computed_in_a_loop_lies_in_the_cores_own_memory() -> None:
    done = translate(SIZED, "k.c", Options(target="bang", seed=3))
    assert done.verified, [d.render() for d in done.diagnostics]
    assert done.text is not None
    assert re.search(r"__nram__ float w\[\d+\];", done.text)
    assert "> 98304" in done.text  # what is larger stops the kernel
    assert any("is at most 98304" in a for a in done.assumptions)
    assert "(int)taskDim" in done.text  # rows are shared among the tasks all the same


EXTREMES = """
static void extremes(const float* x, int n, float* low, float* high) {
  *low = *high = x[0];
  for (int i = 1; i < n; i++) {
    if (x[i] < *low) *low = x[i];
    if (x[i] > *high) *high = x[i];
  }
}
void scaled(const float* x, float* y, int n) {
  float low, high;
  extremes(x, n, &low, &high);
  for (int i = 0; i < n; i++) y[i] = (x[i] - low) / (high - low + 1.0f);
}
"""


def test_variables_that_a_function_is_lent_are_on_the_device() -> None:
    done = translate(EXTREMES, "k.c", Options(target="bang", seed=3))
    assert done.verified, [d.render() for d in done.diagnostics]
    assert done.text is not None
    assert "(int)taskDim" in done.text  # the loop over y is shared among the tasks


CARRIED = """
void steps(float* x, float* last, int n, int turns) {
  float rate = 0.5f;
  for (int t = 0; t < turns; t++) {
    for (int i = 1; i < n; i++) x[i] = x[i] * rate;
    rate = x[0] * 0.5f;
    x[0] = rate + 1.0f;
  }
  last[0] = rate;
}
"""


def test_a_value_that_an_iteration_leaves_on_the_device_is_there_in_the_next() -> None:
    done = translate(CARRIED, "k.c", Options(target="bang", seed=3))
    assert done.verified, [d.render() for d in done.diagnostics]


SQUASHED = """
#include <math.h>
void squashed(const float* x, float* y, int n) {
  for (int i = 0; i < n; i++) y[i] = tanhf(x[i] * 0.001f) - tanhf(x[i] * 4.0f) * 1e-6f;
}
"""


def test_tanh_keeps_its_digits_near_zero() -> None:
    done = translate(SQUASHED, "k.c", Options(target="bang", seed=3))
    assert done.verified, [d.render() for d in done.diagnostics]
    assert done.text is not None
    assert "__bang_pow2" in done.text  # in vectors


ONE_TASK = """
#include <math.h>
void normalise(float *restrict x, int n) {
  float peak = x[0];
  for (int i = 1; i < n; i++) peak = x[i] > peak ? x[i] : peak;
  float sum = 0.0f;
  for (int i = 0; i < n; i++) { x[i] = expf(x[i] - peak); sum += x[i]; }
  x[0] = sum;
}
"""


def test_what_the_first_task_writes_no_other_reads() -> None:
    out = translate(ONE_TASK, "one.c", Options("bang", "c", seed=3))
    assert out.verified, out.verdict
    kernel = (out.text or "").split("__mlu_entry__")[1]
    assert kernel.index("taskId == 0") < kernel.index("__memcpy")
