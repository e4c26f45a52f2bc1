"""Which accesses are ordered, and which race."""

from __future__ import annotations

import numpy as np
import pytest
from bare_platform import Runner, kinds

REDUCE = """
void k(const float* x, float* y, int n) {
  shared(float, s, 256);
  unsigned t = tid.x, i = bid.x * bdim.x + t;
  s[t] = i < (unsigned)n ? x[i] : 0.f;
  barrier();
  for (unsigned h = bdim.x / 2; h > 0; h /= 2) {
    if (t < h) s[t] += s[t + h];
    barrier();
  }
  if (t == 0) y[bid.x] = s[0];
}
"""
X = np.arange(1000, dtype=np.float32)
ARGS = {"x": X, "y": ("float32", 4), "n": 1000}
SUMS = np.pad(X, (0, 24)).reshape(4, 256).sum(axis=1)


@pytest.mark.parametrize("compiler", ["g++", "zig"])
@pytest.mark.parametrize("checks", [True, False])
@pytest.mark.parametrize("schedule", [0, 7])
def test_clean_reduction(run: Runner, compiler: str, checks: bool, schedule: int) -> None:
    result = run(REDUCE, ARGS, 4, 256, checks=checks, schedule=schedule, compiler=compiler)
    assert result.findings == ()
    assert np.array_equal(result.outputs["y"], SUMS)


@pytest.mark.parametrize("compiler", ["g++", "zig"])
def test_missing_barrier_names_both_lines(run: Runner, compiler: str) -> None:
    text = REDUCE.replace("  barrier();\n  for", "\n  for")
    result = run(text, ARGS, 4, 256, compiler=compiler)
    assert ("race", 4) in kinds(result)
    race = result.errors[0]
    assert "at line 7" in race.message
    assert race.buffer == "s"


def test_missing_inner_barrier(run: Runner) -> None:
    text = REDUCE.replace("s[t + h];\n    barrier();", "s[t + h];\n")
    assert {("race", 7)} <= set(kinds(run(text, ARGS, 4, 256)))


def test_blocks_that_write_one_place(run: Runner) -> None:
    result = run(REDUCE.replace("y[bid.x]", "y[0]"), ARGS, 4, 256)
    assert kinds(result) == [("race", 10)]
    assert "block 0" in result.errors[0].message


def test_same_value_is_a_note(run: Runner) -> None:
    result = run("void k(int* y) {\n  y[0] = 7;\n}", {"y": ("int32", 1)}, 2, 64)
    assert kinds(result) == []
    assert kinds(result, "note") == [("same_value_race", 2)]


def test_neighbouring_bytes_do_not_race(run: Runner) -> None:
    text = "void k(signed char* y) {\n  y[tid.x] = (signed char)tid.x;\n}"
    result = run(text, {"y": ("int8", 64)}, 1, 64)
    assert result.findings == ()
    assert np.array_equal(result.outputs["y"], np.arange(64))


WARP = """
void k(int* y) {
  shared(int, s, 64);
  s[tid.x] = (int)tid.x;
  SYNC
  y[tid.x] = s[tid.x ^ 1];
}
"""


@pytest.mark.parametrize(
    ("sync", "races"),
    [
        ("", True),
        ("warp_sync(0xffffffffu);", False),
        ("warp_sync(3u << (tid.x % 32 & 30));", False),
        ("warp_sync(tid.x & 1 ? 0xaaaaaaaau : 0x55555555u);", True),
        ("barrier();", False),
    ],
)
def test_lanes_are_not_in_lock_step(run: Runner, sync: str, races: bool) -> None:
    result = run(WARP.replace("SYNC", sync), {"y": ("int32", 64)}, 1, 64)
    assert set(kinds(result)) <= {("race", 3), ("race", 5)}
    assert bool(result.errors) == races


def test_a_warp_does_not_order_another(run: Runner) -> None:
    text = WARP.replace("SYNC", "warp_sync(0xffffffffu);").replace("^ 1", "^ 32")
    assert ("race", 5) in kinds(run(text, {"y": ("int32", 64)}, 1, 64))


def test_write_after_many_readers(run: Runner) -> None:
    text = """
void k(int* y) {
  shared(int, s, 1);
  if (tid.x == 0) s[0] = 1;
  barrier();
  y[tid.x] = s[0];
  if (tid.x == 7) s[0] = 2;
}
"""
    assert set(kinds(run(text, {"y": ("int32", 64)}, 1, 64))) == {("race", 5), ("race", 6)}


def test_atomics_do_not_race(run: Runner) -> None:
    text = "void k(int* y) {\n  atomic_add(&y[0], 1);\n}"
    result = run(text, {"y": np.zeros(1, np.int32)}, 4, 64)
    assert kinds(result) == []
    assert kinds(result, "note") == [("atomic", 2)]
    assert result.outputs["y"][0] == 256


def test_plain_access_beside_an_atomic(run: Runner) -> None:
    text = """
void k(int* y, int* z) {
  atomic_add(&y[0], 1);
  z[tid.x] = y[0];
  if (tid.x == 63) y[0] = 3;
}
"""
    result = run(text, {"y": np.zeros(1, np.int32), "z": ("int32", 64)}, 1, 64)
    assert kinds(result) == [("race", 4)]
    assert ("atomic_race", 3) in kinds(result, "note")


LAST_BLOCK = """
void k(int* part, int* count, int* y) {
  if (tid.x == 0) {
    part[bid.x] = (int)bid.x + 1;
    FENCE
    if (atomic_add(count, 1) == (int)gdim.x - 1) {
      int sum = 0;
      for (unsigned b = 0; b < gdim.x; b++) sum += part[b];
      y[0] = sum;
    }
  }
}
"""


@pytest.mark.parametrize(
    ("fence", "expected"), [("xprt::fence(xprt::scope_device);", []), ("", [("race", 7)])]
)
def test_last_block_needs_its_fence(
    run: Runner, fence: str, expected: list[tuple[str, int]]
) -> None:
    args = {"part": ("int32", 8), "count": np.zeros(1, np.int32), "y": ("int32", 1)}
    result = run(LAST_BLOCK.replace("FENCE", fence), args, 8, 32, schedule=3)
    assert kinds(result) == expected
    assert result.outputs["y"][0] == 36


LOOK_BACK = """
void k(const int* x, int* sums, int* flags, int* y) {
  volatile int* f = flags;
  if (tid.x != 0) return;
  int before = 0;
  if (bid.x > 0) {
    while (f[bid.x - 1] == 0) { }
    FENCE
    before = sums[bid.x - 1];
  }
  sums[bid.x] = before + x[bid.x];
  FENCE
  f[bid.x] = 1;
  y[bid.x] = before;
}
"""


@pytest.mark.parametrize("compiler", ["g++", "zig"])
@pytest.mark.parametrize(
    ("fence", "races"), [("xprt::fence(xprt::scope_device);", False), ("", True)]
)
def test_flags_between_blocks(run: Runner, compiler: str, fence: str, races: bool) -> None:
    x = np.arange(8, dtype=np.int32)
    args = {"x": x, "sums": ("int32", 8), "flags": np.zeros(8, np.int32), "y": ("int32", 8)}
    result = run(LOOK_BACK.replace("FENCE", fence), args, 8, 32, compiler=compiler)
    assert bool(result.errors) == races
    assert np.array_equal(result.outputs["y"], np.cumsum(x) - x)


def test_launches_are_ordered(run: Runner) -> None:
    text = """
void first(int* y) { y[tid.x] = (int)tid.x; }
void second(int* y) { y[63 - tid.x] += 1; }
void k(int* y) {
  xprt::run({1, 1, 1}, {64, 1, 1}, 0, [=]() XPRT_QUIET { first(y); }, "first", 5);
  xprt::run({1, 1, 1}, {64, 1, 1}, 0, [=]() XPRT_QUIET { second(y); }, "second", 6);
}
"""
    result = run(text, {"y": ("int32", 64)}, kind="function")
    assert result.findings == ()
    assert np.array_equal(result.outputs["y"], np.arange(64) + 1)
