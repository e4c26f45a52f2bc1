"""Compare-and-swap loops, once nobody interferes."""

from __future__ import annotations

import pytest
from interp import run
from test_walking import cleaned

from xpiler.frontend import read
from xpiler.passes.cleanup import clean_up
from xpiler.platforms.registry import platform

SWAP = (
    "int old = count[0]; int seen; do { seen = old; old = count[0];"
    " count[0] = old == seen ? seen * 3 + n : old; } while (seen != old); y[0] = old;"
)


def test_a_swap_that_nobody_disturbs_needs_one_turn() -> None:
    assert "while" not in cleaned(SWAP)
    head = "void f(const float *x, float *y, int *count, int n, int m) {"
    before = read(head + SWAP + "}", "t.c", platform("c").words).program
    results = []
    for program in (before, clean_up(before).program):
        y, count = [0.0], [7]
        run(program, "f", [[0.0], y, count, 5, 0])
        results.append((y, count))
    assert results == [([7.0], [26])] * 2


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("int old = count[0]", "int old = m"),
        ("int old = count[0]", "int old = count[1]"),
        ("do {", "count[0] = 4; do {"),
        ("seen = old; old", "seen = n; old"),
        ("old == seen ? seen * 3 + n : old", "old == seen ? seen * 3 + n : m"),
        ("old == seen ?", "old == m ?"),
        ("seen = old;", "seen = old; count[0] += 1;"),
    ],
)
def test_other_loops_turn_until_they_are_done(old: str, new: str) -> None:
    assert "while" in cleaned(SWAP.replace(old, new, 1))
