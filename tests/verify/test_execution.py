"""Building and running units of C, CUDA and HIP text."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from xpiler.diagnostics import all_codes
from xpiler.verify.execution import (
    BufferArg,
    BuildError,
    Invocation,
    Limits,
    RunResult,
    ScalarArg,
    build,
    differential,
    execute,
    execute_each,
)
from xpiler.verify.findings import CODES, as_diagnostic, code_of
from xpiler.verify.runner import Job

BOTH = pytest.mark.parametrize("compiler", ["g++", "zig"])
X = np.arange(8, dtype=np.float32)


def call(entry: str, *args: ScalarArg | BufferArg, **shape: Any) -> Invocation:
    return Invocation(entry, shape.pop("kind", "function"), args, **shape)


def floats(name: str, data: np.ndarray[Any, Any] | None, count: int = 0) -> BufferArg:
    return BufferArg(name, "float", "float32", count or (0 if data is None else data.size), data)


def run_c(text: str, invocation: Invocation, **how: Any) -> RunResult:
    build_options = {k: how.pop(k) for k in ("checks", "compiler") if k in how}
    exe = build(text, "c", invocation, filename="unit.c", **build_options)
    return execute(exe, invocation, **how)


# ---- plain C -------------------------------------------------------------------------------------

SCALE = """#include <math.h>
void scale(const float *x, float *y, int n, double f) {
    for (int i = 0; i < n; i++)
        y[i] = (float)(sqrt(x[i]) * f);
}
"""


@BOTH
@pytest.mark.parametrize("checks", [True, False])
def test_c_function(compiler: str, checks: bool) -> None:
    invocation = call(
        "scale", floats("x", X), floats("y", None, 8), ScalarArg("int", 8), ScalarArg("double", 2)
    )
    result = run_c(SCALE, invocation, compiler=compiler, checks=checks)
    assert result.findings == ()
    assert result.exit_status == 0
    assert np.array_equal(result.outputs["y"], (np.sqrt(X.astype(float)) * 2).astype(np.float32))
    assert np.array_equal(result.outputs["x"], X)
    if checks:
        assert result.written["y"].all()
        assert not result.written["x"].any()


@BOTH
@pytest.mark.parametrize("checks", [True, False])
def test_c_out_of_bounds(compiler: str, checks: bool) -> None:
    invocation = call(
        "scale", floats("x", X), floats("y", None, 7), ScalarArg("int", 8), ScalarArg("double", 2)
    )
    result = run_c(SCALE, invocation, compiler=compiler, checks=checks)
    assert [f.kind for f in result.errors] == ["oob_write"]
    if checks:
        found = result.errors[0]
        assert (found.line, found.buffer, found.index) == (4, "y", 7)


def test_c_heap_is_watched() -> None:
    text = """#include <stdlib.h>
void k(float *y, int n) {
    float *t = malloc((unsigned)n * sizeof *t);
    for (int i = 0; i <= n; i++) t[i] = 1;
    y[0] = t[n - 1];
    free(t);
}
"""
    result = run_c(text, call("k", floats("y", None, 1), ScalarArg("int", 5)))
    assert [(f.kind, f.line, f.index) for f in result.errors] == [("oob_write", 4, 5)]
    assert "allocated at line 3" in result.errors[0].message


@BOTH
def test_half_and_structs(compiler: str) -> None:
    text = """struct pair { int a; float b; };
void k(const _Float16 *x, _Float16 *y, struct pair p) {
    for (int i = 0; i < 4; i++) y[i] = (_Float16)((float)x[i] * p.b + (float)p.a);
}
"""
    x = np.array([1, 2, 3, 4], np.float16)
    invocation = call(
        "k",
        BufferArg("x", "_Float16", "float16", 4, x),
        BufferArg("y", "_Float16", "float16", 4, None),
        ScalarArg("struct pair", struct.pack("<if", 3, 0.5)),
    )
    result = run_c(text, invocation, compiler=compiler)
    assert result.findings == ()
    assert np.array_equal(result.outputs["y"], x * np.float16(0.5) + np.float16(3))


def test_unwritten_and_undefined_outputs() -> None:
    text = "void k(float *y, int n) { float t[8]; if (n) t[3] = 0; y[1] = t[3]; }\n"
    invocation = call("k", floats("y", None, 3), ScalarArg("int", 0))
    first = run_c(text, invocation)
    second = run_c(text, invocation, checks=False, poison=1)
    assert list(first.written["y"]) == [False, True, False]
    assert [(f.kind, f.index) for f in differential(first, second)] == [("uninitialised", 1)]


def test_compiler_errors_are_at_the_users_line() -> None:
    with pytest.raises(BuildError) as caught:
        run_c("int a;\nvoid k(float *y) {\n    y[0] = b;\n}\n", call("k", floats("y", None, 1)))
    diagnostic = caught.value.diagnostics[0]
    assert diagnostic.code == "XP0601"
    assert str(diagnostic.loc).startswith("unit.c:3:")
    assert diagnostic.source_line == "    y[0] = b;"


@BOTH
def test_link_and_call_errors(compiler: str) -> None:
    text = "void other(float *y);\nvoid k(float *y) { other(y); }\n"
    with pytest.raises(BuildError) as caught:
        run_c(text, call("k", floats("y", None, 1)), compiler=compiler)
    assert {d.code for d in caught.value.diagnostics} == {"XP0602"}
    with pytest.raises(BuildError) as caught:
        run_c("void k(float *y) { *y = 0; }\n", call("k"), compiler=compiler)
    assert caught.value.diagnostics[0].code == "XP0603"


def test_warnings_are_kept() -> None:
    text = "void k(float *y) {\n    int unused;\n    *y = 0;\n}\n"
    exe = build(text, "c", call("k", floats("y", None, 1)), filename="unit.c")
    assert [(d.code, d.loc.line) for d in exe.warnings if d.loc] == [("XP0606", 2)]


def test_programs_are_kept() -> None:
    invocation = call("k", floats("y", None, 1))
    text = "void k(float *y) { *y = 4; }\n"
    first, second = (build(text, "c", invocation) for _ in range(2))
    assert first.path == second.path


def test_time_and_output_limits() -> None:
    forever = "void k(volatile float *y) {\n    for (;;) *y = 1;\n}\n"
    invocation = call("k", floats("y", None, 1))
    result = run_c(forever, invocation, limits=Limits(seconds=2.0))
    assert [(f.kind, f.line) for f in result.errors] == [("timeout", 2)]
    flood = '#include <stdio.h>\nvoid k(float *y) { for (;;) puts("more"); }\n'
    result = run_c(flood, invocation, limits=Limits(seconds=5, output_bytes=1 << 16))
    assert [f.kind for f in result.errors] == ["resources"]


def test_every_kind_of_finding_is_explained() -> None:
    assert {*CODES.values(), code_of("something new")} <= all_codes().keys()


# ---- CUDA and HIP --------------------------------------------------------------------------------

SOFTMAX = """
template <typename T, int N>
__global__ void softmax(const T* x, T* y, int cols) {
  __shared__ float s[N];
  const T* row = x + blockIdx.x * cols;
  int t = threadIdx.x;
  float m = -1e30f;
  for (int c = t; c < cols; c += N) m = fmaxf(m, row[c]);
  s[t] = m;
  __syncthreads();
  for (int k = N / 2; k > 0; k >>= 1) {
    if (t < k) s[t] = fmaxf(s[t], s[t + k]);
    __syncthreads();
  }
  m = s[0];
  __syncthreads();
  float sum = 0;
  for (int c = t; c < cols; c += N) sum += expf(row[c] - m);
  s[t] = sum;
  __syncthreads();
  for (int k = N / 2; k > 0; k >>= 1) {
    if (t < k) s[t] += s[t + k];
    __syncthreads();
  }
  for (int c = t; c < cols; c += N) y[blockIdx.x * cols + c] = expf(row[c] - m) / s[0];
}
"""


def softmax_call(rows: int = 3, cols: int = 100) -> Invocation:
    x = np.random.default_rng(5).normal(size=rows * cols).astype(np.float32)
    return Invocation(
        "softmax<float, 64>",
        "kernel",
        (floats("x", x), floats("y", None, rows * cols), ScalarArg("int", cols)),
        (rows, 1, 1),
        (64, 1, 1),
    )


@BOTH
@pytest.mark.parametrize("platform", ["cuda", "hip"])
@pytest.mark.parametrize("checks", [True, False])
def test_template_kernel(compiler: str, platform: str, checks: bool) -> None:
    invocation = softmax_call()
    exe = build(SOFTMAX, platform, invocation, checks=checks, compiler=compiler)
    result = execute(exe, invocation, schedule=3)
    assert result.findings == ()
    x = invocation.args[0].data.reshape(3, 100).astype(float)  # type: ignore[union-attr]
    e = np.exp(x - x.max(axis=1, keepdims=True))
    want = e / e.sum(axis=1, keepdims=True)
    assert np.allclose(result.outputs["y"].reshape(3, 100), want, atol=1e-6)


STRUCTS = """namespace deep { namespace {
enum class Mode : unsigned char { plain, doubled = 4 };
struct Span { int first, count; };
struct Work {
  const float* const from;
  Span span = {0, 0};
  float* __restrict__ to = nullptr;
  alignas(16) float by[3] = {1, 1, 1};
};
struct Minus { __device__ float operator()(float v) const { return -v; } };
}
template <class F> __global__ void run(const Work work, F f, Mode mode, const bool& on) {
  int i = threadIdx.x;
  if (on && i < work.span.count)
    work.to[i] = f(work.from[work.span.first + i]) * work.by[2] * (mode == Mode::doubled ? 2 : 1);
}
}
"""


@BOTH
def test_a_call_gives_what_the_entry_s_own_types_ask_for(compiler: str) -> None:
    work = struct.pack("<8x2i8x8x3f4x", 2, 3, 9, 9, 0.5)
    invocation = call(
        "deep::run<deep::Minus>", ScalarArg("struct Work", work, (0, 16)), floats("from", X),
        floats("to", None, 3), ScalarArg("int", 4), ScalarArg("bool", True),
        kind="kernel", block=(4, 1, 1),
    )  # fmt: skip
    exe = build(STRUCTS, "cuda", invocation, compiler=compiler)
    result = execute(exe, invocation)
    assert result.errors == ()
    assert result.outputs["to"].tolist() == [-2, -3, -4]
    other = ScalarArg("struct Work", work[:-8], (0, 16))
    short = replace(invocation, args=(other, *invocation.args[1:]))
    with pytest.raises(BuildError, match="another layout"):
        build(STRUCTS, "cuda", short, compiler=compiler)


OVERLOADS = """enum class By { two = 2 };
void put(const float* x, float* y, By by) { y[0] = x[1] * (int)by; }
void put(const double* x, double* y, By by) { y[0] = -x[1] * (int)by; }
"""


@pytest.mark.parametrize(
    ("ctype", "dtype", "want"), [("float", "float32", 2), ("double", "float64", -2)]
)
def test_the_buffers_say_which_overload_is_called(ctype: str, dtype: str, want: float) -> None:
    x = BufferArg("x", ctype, dtype, 8, X.astype(dtype))
    y = BufferArg("y", ctype, dtype, 1, None)
    invocation = call("put", x, y, ScalarArg("int", 2), overloaded=True)
    result = execute(build(OVERLOADS, "hip", invocation), invocation)
    assert result.outputs["y"][0] == want


@BOTH
def test_dropped_barrier_is_told_as_a_diagnostic(compiler: str) -> None:
    text = SOFTMAX.replace("  s[t] = m;\n  __syncthreads();", "  s[t] = m;")
    invocation = softmax_call()
    exe = build(text, "cuda", invocation, filename="softmax.cu", compiler=compiler)
    found = execute(exe, invocation).errors
    lines = text.splitlines()
    assert {f.kind for f in found} == {"race"}
    told = as_diagnostic(found[0], "softmax.cu", text)
    assert told.code == "XP0510"
    assert told.loc is not None
    assert told.source_line == lines[told.loc.line - 1]
    assert "s[t]" in told.source_line


PROGRAM = """#include <cstdio>
#include <algorithm>
#include <vector>
__global__ void twice(float* x, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) x[i] *= 2;
}
int main(int argc, char** argv) {
  std::vector<float> h = {3, 1, 2};
  std::sort(h.begin(), h.end());
  float* d;
  cudaMalloc(&d, h.size() * sizeof(float));
  cudaMemcpy(d, h.data(), h.size() * sizeof(float), cudaMemcpyHostToDevice);
  twice<<<2, 2>>>(d, (int)h.size());
  cudaMemcpy(h.data(), d, h.size() * sizeof(float), cudaMemcpyDeviceToHost);
  cudaFree(d);
  printf("%s: %g %g %g\\n", argv[1], h[0], h[1], h[2]);
  return argc;
}
"""


@pytest.mark.parametrize("checks", [True, False])
def test_whole_program(checks: bool) -> None:
    invocation = call("main", kind="main")
    exe = build(PROGRAM, "cuda", invocation, filename="program.cu", checks=checks)
    result = execute(exe, invocation, argv=["result"])
    assert result.stdout == "result: 2 4 6\n"
    assert result.exit_status == 2
    assert result.findings == ()


def test_host_transfer_past_the_end() -> None:
    text = PROGRAM.replace("cudaMalloc(&d, h.size()", "cudaMalloc(&d, (h.size() - 1)")
    invocation = call("main", kind="main")
    exe = build(text, "cuda", invocation, filename="program.cu")
    found = execute(exe, invocation, argv=["result"]).errors
    assert ("oob_write", 13) in {(f.kind, f.line) for f in found}
    assert any("allocated at line 12" in f.message for f in found)


def test_wave_width_follows_the_chip() -> None:
    text = "__global__ void k(float* y) { y[0] = warpSize; }\n"
    for arch, width in (("gfx90a", 64), ("gfx1100", 32)):
        invocation = call("k", floats("y", None, 1), kind="kernel")
        exe = build(text, "hip", invocation, arch=arch)
        assert execute(exe, invocation).outputs["y"][0] == width


def test_what_was_read_is_told_through_transfers() -> None:
    text = """__global__ void pick(const float* x, float* y) {
      y[threadIdx.x] = x[2 * threadIdx.x + 1];
    }
    void run(const float* x, float* y) {
      float *dx, *dy;
      cudaMalloc(&dx, 32);
      cudaMalloc(&dy, 12);
      cudaMemcpy(dx, x, 32, cudaMemcpyHostToDevice);
      pick<<<1, 3>>>(dx, dy);
      cudaMemcpy(y, dy, 12, cudaMemcpyDeviceToHost);
      cudaFree(dx);
      cudaFree(dy);
    }
    """
    invocation = call("run", floats("x", X), floats("y", None, 3))
    exe = build(text, "cuda", invocation, filename="pick.cu")
    result = execute(exe, invocation)
    assert list(np.flatnonzero(result.read["x"])) == [1, 3, 5]


def test_rounding_on_purpose_is_to_the_nearest_in_every_mode() -> None:
    text = """#include <math.h>
void k(const float *x, float *y) {
    y[0] = rintf(x[0]); y[1] = nearbyintf(x[0]); y[2] = lrintf(x[0]); y[3] = llrintf(x[0]);
    y[4] = rint(x[0]); y[5] = nearbyint(x[0]); y[6] = lrint(x[0]); y[7] = llrint(x[0]);
}
"""
    for value, whole in ((2.5, 2), (3.5, 4), (-0.75, -1), (1e6 + 0.25, 1e6)):
        x = np.array([value], np.float32)
        invocation = call("k", floats("x", x), floats("y", None, 8))
        for rounding in range(3):
            result = run_c(text, invocation, rounding=rounding)
            assert result.outputs["y"].tolist() == [whole] * 8
    invocation = call("k", floats("x", np.array([np.inf], np.float32)), floats("y", None, 8))
    assert "float_to_int" in {f.kind for f in run_c(text, invocation).findings}


def test_a_buffer_that_did_not_change_is_what_was_given() -> None:
    text = "void k(const float *x, float *y, float *z) { y[0] = x[0]; z[7] = z[7] + 1; }\n"
    z = X.copy()
    result = run_c(text, call("k", floats("x", X), floats("y", None, 1), floats("z", z)))
    assert result.outputs["x"] is X
    assert result.outputs["z"].tolist() == [*X[:7], X[7] + 1]
    assert z[7] == X[7]


COUNTED = """#include <stdlib.h>
void f(float *y, const float *x, int n) {
    if (x[0] > 2) abort();
    for (int i = 0; i < n; i++) y[i] = x[i] + 1; }"""


def _job(first: float) -> Job:
    x = np.full(8, first, np.float32)
    args = (floats("y", None, 8), floats("x", x), ScalarArg("int", 8))
    return Job(Invocation("f", "function", args), 0, 0, 0)


@pytest.mark.parametrize("starts", [(0.0,), (0.0, 1.0, 2.0)])
def test_several_runs_share_a_process(starts: tuple[float, ...]) -> None:
    jobs = [_job(x) for x in starts]
    exe = build(COUNTED, "c", jobs[0].invocation)
    runs = execute_each(exe, jobs, limits=Limits())
    assert [float(run.outputs["y"][3]) for run in runs] == [x + 1 for x in starts]
    assert all(run.exit_status == 0 and run.written["y"].all() for run in runs)


def test_the_first_run_that_ends_badly_is_the_last() -> None:
    jobs = [_job(x) for x in (0.0, 3.0, 1.0)]
    exe = build(COUNTED, "c", jobs[0].invocation)
    good, bad = execute_each(exe, jobs, limits=Limits())
    assert good.exit_status == 0
    assert bad.exit_status != 0
    assert [f.kind for f in bad.errors] == ["abort"]


def test_a_limit_counts_for_each_run() -> None:
    text = "void f(float *y, const float *x, int n) { while (x[0] > 2) y[n - 1] += 1; y[0] = 1; }"
    jobs = [_job(x) for x in (0.0, 1.0, 3.0, 0.0)]
    exe = build(text, "c", jobs[0].invocation)
    runs = execute_each(exe, jobs, limits=Limits(seconds=0.5))
    assert len(runs) == 3
    assert [f.kind for f in runs[-1].errors] == ["timeout"]
