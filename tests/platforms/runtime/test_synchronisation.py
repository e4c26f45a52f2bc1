"""Barriers, collectives, copies that complete later, and how runs end."""

from __future__ import annotations

import numpy as np
import pytest
from bare_platform import Runner, kinds

from xpiler.host.sandbox import Limits

Y = {"y": ("int32", 64)}


def test_divergent_barrier(run: Runner) -> None:
    text = """
void k(int* y) {
  if (tid.x < 32)
    barrier();
  else
    barrier();
  y[tid.x] = 1;
}
"""
    assert kinds(run(text, Y, 1, 64)) == [("divergent_barrier", 3)]


def test_barrier_that_some_never_reach(run: Runner) -> None:
    text = """
void k(int* y) {
  if (tid.x < 16) barrier();
  warp_sync(0xffffffffu);
  y[tid.x] = 1;
}
"""
    result = run(text, Y, 1, 64)
    assert [f.kind for f in result.errors] == ["deadlock"]
    assert "line 2" in result.errors[0].message
    assert "line 3" in result.errors[0].message


def test_exited_threads_count_out(run: Runner) -> None:
    text = """
void k(int* y) {
  if (tid.x >= 40) return;
  barrier();
  warp_sync(0xffffffffu);
  y[tid.x] = 1;
}
"""
    result = run(text, Y, 1, 64)
    assert kinds(result) == []
    assert kinds(result, "note") == [("early_exit", 3)]
    assert result.written["y"].sum() == 40


def test_lane_outside_its_mask(run: Runner) -> None:
    text = "void k(int* y) {\n  warp_sync(1u);\n  y[tid.x] = 1;\n}"
    assert kinds(run(text, Y, 1, 2))[0] == ("divergent_collective", 2)


def test_reducing_barrier(run: Runner) -> None:
    text = """
void k(int* y) {
  int n = (int)xprt::block_barrier_reduce(xprt::reduce_count, tid.x % 3 == 0, __LINE__);
  int all = (int)xprt::block_barrier_reduce(xprt::reduce_and, tid.x < 63, __LINE__);
  int any = (int)xprt::block_barrier_reduce(xprt::reduce_or, tid.x == 63, __LINE__);
  y[tid.x] = n * 100 + all * 10 + any;
}
"""
    assert set(run(text, Y, 1, 64, schedule=5).outputs["y"]) == {2201}


def test_named_barriers(run: Runner) -> None:
    text = """
void k(int* y) {
  shared(int, s, 64);
  s[tid.x] = (int)tid.x;
  xprt::named_barrier(tid.x / 32 + 1, 32, false, __LINE__);
  y[tid.x] = s[tid.x ^ 1];
}
"""
    result = run(text, Y, 1, 64, schedule=2)
    assert result.findings == ()
    assert np.array_equal(result.outputs["y"], np.arange(64) ^ 1)


GRID = """
void k(int* y) {
  if (tid.x == 0) y[bid.x] = (int)bid.x;
  xprt::grid_barrier(__LINE__);
  int other = y[(bid.x + 1) % gdim.x];
  xprt::grid_barrier(__LINE__);
  if (tid.x == 0) y[bid.x] = other;
}
"""


@pytest.mark.parametrize("schedule", [0, 9])
def test_grid_barrier(run: Runner, schedule: int) -> None:
    result = run(GRID, {"y": ("int32", 8)}, 8, 32, cooperative=True, schedule=schedule)
    assert result.findings == ()
    assert np.array_equal(result.outputs["y"], (np.arange(8) + 1) % 8)


def test_grid_barrier_needs_a_cooperative_launch(run: Runner) -> None:
    assert kinds(run(GRID, {"y": ("int32", 8)}, 8, 32)) == [("deadlock", 3)]


BALLOT = """
struct Vote { unsigned long long bit, all; };
void tally(void** lanes, xprt_u64) {
  unsigned long long all = 0;
  for (unsigned i = 0; i < xprt_warp_width; i++)
    if (lanes[i]) all |= ((Vote*)lanes[i])->bit << i;
  for (unsigned i = 0; i < xprt_warp_width; i++)
    if (lanes[i]) ((Vote*)lanes[i])->all = all;
}
void k(unsigned* y) {
  Vote v = {1, 0};
  if (tid.x % 2) xprt::warp_collective_active(&v, tally, "ballot", __LINE__);
  y[tid.x * 2] = (unsigned)v.all;
  y[tid.x * 2 + 1] = (unsigned)(v.all >> 32);
}
"""


@pytest.mark.parametrize("platform", ["bare", "bare64"])
def test_maskless_collective_takes_those_who_come(run: Runner, platform: str) -> None:
    result = run(BALLOT, {"y": ("uint32", 128)}, 1, 64, platform=platform, schedule=4)
    pairs = result.outputs["y"].reshape(64, 2)
    assert result.errors == ()
    assert list(pairs[1]) == [0xAAAAAAAA, 0xAAAAAAAA if platform == "bare64" else 0]
    assert list(pairs[0]) == [0, 0]


def test_loop_with_maskless_collectives(run: Runner) -> None:
    text = (
        BALLOT[: BALLOT.index("void k")]
        + """
void k(unsigned* y) {
  unsigned n = 0;
  for (unsigned i = 0; i <= tid.x; i++) {
    Vote v = {1, 0};
    xprt::warp_collective_active(&v, tally, "ballot", __LINE__);
    n = (unsigned)__builtin_popcountll(v.all);
  }
  y[tid.x] = n;
}
"""
    )
    result = run(text, {"y": ("uint32", 32)}, 1, 32)
    assert list(result.outputs["y"]) == [32 - i for i in range(32)]


ASYNC = """
void k(const int* x, int* y) {
  shared(int, s, 64);
  xprt::async_copy(&s[tid.x], &x[tid.x], 4, 4, __LINE__);
  xprt::async_commit();
  WAIT
  barrier();
  y[tid.x] = s[tid.x];
}
"""


def test_asynchronous_copy(run: Runner) -> None:
    args = {"x": np.arange(64, dtype=np.int32), **Y}
    good = run(ASYNC.replace("WAIT", "xprt::async_wait(0, __LINE__);"), args, 1, 64)
    assert good.findings == ()
    assert np.array_equal(good.outputs["y"], np.arange(64))
    assert ("missing_wait", 7) in kinds(run(ASYNC.replace("WAIT", ""), args, 1, 64))


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("y[0] = *(volatile int*)(long)(n - 3);", "null_pointer"),
        ("y[0] = 7 / (n - 3);", "division"),
        ('xprt::trap("assert", "n > 3", __LINE__);', "assert"),
        ("__builtin_abort();", "abort"),
        ("volatile char big[600000]; big[n] = 1; y[0] = big[n];", "stack_overflow"),
        ("y[0] = 1 << (n + 31);", "shift"),
    ],
)
@pytest.mark.parametrize("checks", [True, False])
def test_ends_of_a_run(run: Runner, statement: str, kind: str, checks: bool) -> None:
    text = f"void k(int* y, int n) {{\n  y[1] = n;\n  {statement}\n}}"
    result = run(text, {"y": ("int32", 2), "n": 3}, checks=checks)
    if kind == "shift" and not checks:
        return
    assert kind in {f.kind for f in result.errors}
    if checks and kind != "stack_overflow":  # found on entry of the function
        assert (kind, 3) in kinds(result)


def test_endless_loop(run: Runner) -> None:
    text = "void k(volatile int* y) {\n  while (y[0] == 0) { }\n}"
    args = {"y": np.zeros(1, np.int32)}
    result = run(text, args, limits=Limits(seconds=1.0))
    assert [f.kind for f in result.errors] == ["timeout"]


def test_spinning_thread_lets_others_run(run: Runner) -> None:
    text = """
XPRT_QUIET int look(int* p) { xprt::atomic(p, 4, 1); return *p; }
void k(int* y) {
  if (tid.x == 0) while (look(y) == 0) { }
  else atomic_add(y, 1);
}
"""
    result = run(text, {"y": np.zeros(1, np.int32)}, 1, 2, limits=Limits(seconds=5.0))
    assert result.errors == ()


def test_bad_launch_shapes(run: Runner) -> None:
    text = "void k(int* y) {\n  y[0] = 1;\n}"
    result = run(text, {"y": ("int32", 1)}, 1, 2048)
    assert [f.kind for f in result.errors] == ["launch"]


@pytest.mark.parametrize("schedule", [0, 11])
def test_same_run_twice_is_the_same(run: Runner, schedule: int) -> None:
    text = """
void k(int* y) {
  int turn = atomic_add(y, 1);
  y[1 + turn] = (int)(tid.x + bid.x * bdim.x);
}
"""
    args = {"y": np.zeros(257, np.int32)}
    first, second = (run(text, args, 4, 64, schedule=schedule) for _ in range(2))
    assert np.array_equal(first.outputs["y"], second.outputs["y"])
    assert first.findings == second.findings
    if schedule:
        assert not np.array_equal(first.outputs["y"][1:], np.arange(256))
