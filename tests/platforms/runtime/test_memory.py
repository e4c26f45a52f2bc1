"""Bounds, lifetimes and undefined values."""

from __future__ import annotations

import numpy as np
import pytest
from bare_platform import Runner, kinds

from xpiler.verify.execution import differential

X = np.arange(10, dtype=np.float32)


@pytest.mark.parametrize("compiler", ["g++", "zig"])
@pytest.mark.parametrize("index", [10, -1, 100000])
def test_read_out_of_bounds(run: Runner, compiler: str, index: int) -> None:
    text = f"void k(const float* x, float* y) {{\n\n  y[0] = x[{index}];\n}}"
    result = run(text, {"x": X, "y": ("float32", 1)}, compiler=compiler)
    assert ("oob_read", 3) in kinds(result)
    assert any(f.buffer == "x" and f.index == index for f in result.errors) or index == 100000


@pytest.mark.parametrize("checks", [True, False])
def test_write_past_the_end(run: Runner, checks: bool) -> None:
    text = "void k(float* y, int n) {\n  for (int i = 0; i < n; i++) y[i] = 1.f;\n}"
    result = run(text, {"y": ("float32", 16), "n": 17}, checks=checks)
    assert kinds(result) == [("oob_write", 2)]
    assert result.errors[0].index == 16


def test_unchecked_run_sees_writes_in_the_slack(run: Runner) -> None:
    text = "void k(float* y, int n) {\n  for (int i = 0; i < n; i++) y[i] = 1.f;\n}"
    result = run(text, {"y": ("float32", 10), "n": 11}, checks=False)
    assert [f.kind for f in result.errors] == ["oob_write"]


@pytest.mark.parametrize("checks", [True, False])
def test_shared_arrays_have_red_zones(run: Runner, checks: bool) -> None:
    text = """
void k(int* y) {
  shared(int, a, 32);
  shared(int, b, 32);
  b[tid.x] = 0;
  a[tid.x + 1] = 1;
  y[tid.x] = a[1] + b[tid.x];
}
"""
    result = run(text, {"y": ("int32", 32)}, 1, 32, checks=checks)
    faults = [f for f in result.errors if f.kind == "oob_write"]
    assert faults
    if checks:
        assert (faults[0].line, faults[0].buffer, faults[0].index) == (5, "a", 32)


@pytest.mark.parametrize("compiler", ["g++", "zig"])
def test_local_array(run: Runner, compiler: str) -> None:
    text = """
void k(int* y, int n) {
  int a[4] = {1, 2, 3, 4};
  y[0] = a[n];
}
"""
    result = run(text, {"y": ("int32", 1), "n": 4}, compiler=compiler)
    assert kinds(result)[0] == ("array_bounds", 3)


def test_use_after_free_and_double_free(run: Runner) -> None:
    text = """
void k(float* y) {
  float* p = (float*)xprt::device_alloc(64, xprt::space_both);
  p[0] = 1;
  xprt::device_free(p, 4);
  xprt::device_free(p, 5);
  y[0] = p[0];
}
"""
    result = run(text, {"y": ("float32", 1)}, kind="function")
    assert kinds(result) == [("bad_free", 5), ("use_after_free", 6)]


def test_leak_is_a_note(run: Runner) -> None:
    text = "void k(float* y) {\n  xprt::device_alloc(64);\n  y[0] = 1;\n}"
    result = run(text, {"y": ("float32", 1)}, kind="function")
    assert [f.kind for f in result.findings] == ["leak"]


def test_host_and_device_memory_are_apart(run: Runner) -> None:
    text = """
XPRT_QUIET void body(void* p);
void kernel(float* p) { p[tid.x] = 1; }
XPRT_QUIET void body(void* p) { kernel((float*)p); }
void k(float* y) {
  float* d = (float*)xprt::device_alloc(64);
  float h[16];
  xprt::launch({1, 1, 1}, {1, 1, 1}, 0, body, h, "kernel", 6);
  y[0] = d[0];
  xprt::device_free(d);
}
"""
    result = run(text, {"y": ("float32", 1)}, kind="function")
    assert kinds(result) == [("wrong_space", 2), ("wrong_space", 8)]


def test_misaligned_vector_access(run: Runner) -> None:
    text = """
struct alignas(16) Four { float x, y, z, w; };
void k(const float* x, float* y, int at) {
  Four v = *(const Four*)(x + at);
  y[0] = v.x + v.w;
}
"""
    args = {"x": X, "y": ("float32", 1), "at": 1}
    assert ("misaligned", 3) in kinds(run(text, args, compiler="g++"))
    assert run(text, args | {"at": 4}, compiler="g++").errors == ()


def test_written_elements_are_told(run: Runner) -> None:
    text = "void k(float* y) {\n  if (tid.x % 2) y[tid.x] = 0;\n}"
    result = run(text, {"y": ("float32", 8)}, 1, 8)
    assert np.array_equal(result.written["y"], np.arange(8) % 2 == 1)


@pytest.mark.parametrize("compiler", ["g++", "zig"])
def test_undefined_value_that_reaches_an_output(run: Runner, compiler: str) -> None:
    text = """
void k(float* y) {
  shared(float, s, 64);
  if (tid.x < 63) s[tid.x] = 1;
  barrier();
  y[tid.x] = s[tid.x] + 1;
  float unused = s[63];
  if (unused > 1e30f) y[0] = y[0];
}
"""
    runs = [run(text, {"y": ("float32", 64)}, 1, 64, poison=p, compiler=compiler) for p in (0, 1)]
    assert kinds(runs[0]) == []
    assert ("uninitialised_read", 5) in kinds(runs[0], "note")
    found = differential(*runs)
    assert [(f.kind, f.buffer, f.index, f.line) for f in found] == [("uninitialised", "y", 63, 5)]


def test_undefined_local(run: Runner) -> None:
    text = "void k(int* y, int n) {\n  int v;\n  if (n) v = 1;\n  y[0] = v;\n}"
    args = {"y": ("int32", 1), "n": 0}
    found = differential(run(text, args), run(text, args, checks=False, poison=1))
    assert [f.kind for f in found] == ["uninitialised"]
    assert differential(run(text, args | {"n": 1}), run(text, args | {"n": 1}, checks=False)) == []


def test_defined_values_do_not_differ(run: Runner) -> None:
    text = """
void k(float* y) {
  shared(float, s, 64);
  float p = s[0];
  if (p < 0) p = 0;
  y[tid.x] = 1;
}
"""
    runs = [run(text, {"y": ("float32", 64)}, 1, 64, poison=p, schedule=p) for p in (0, 1)]
    assert differential(*runs, same_schedule=False) == []


@pytest.mark.parametrize("compiler", ["g++", "zig"])
def test_block_copies_are_watched(run: Runner, compiler: str) -> None:
    text = """
void k(const float* x, float* y, int n) {
  __builtin_memcpy(y, x, (unsigned)n * 4);
}
"""
    args = {"x": X, "y": ("float32", 10)}
    clean = run(text, args | {"n": 10}, compiler=compiler)
    assert clean.findings == ()
    assert np.array_equal(clean.outputs["y"], X)
    assert ("oob_read", 2) in kinds(run(text, args | {"n": 11}, compiler=compiler))


def test_constant_memory(run: Runner) -> None:
    text = """
int table[4] = {1, 2, 3, 4};
static int announced = (xprt::register_global(table, sizeof table, "table", true, false), 0);
void k(int* y) {
  y[0] = table[2] + announced;
  table[1] = 5;
}
"""
    assert kinds(run(text, {"y": ("int32", 1)})) == [("constant_write", 5)]
