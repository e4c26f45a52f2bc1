"""What a function does to its pointers."""

from __future__ import annotations

from xpiler.analysis.effects import mutable_names
from xpiler.analysis.extents import uses
from xpiler.analysis.ranges import Facts
from xpiler.frontend import read
from xpiler.platforms.registry import platform


def test_a_copy_of_a_stepping_pointer_writes_what_that_points_to() -> None:
    text = """void f(float *y, const float *x, int n) {
        for (int i = 0; i < n; i++)
            if (y) { float *at = y; y++; at[0] = x[i]; } }"""
    (f,) = read(text, "t.c", platform("c").words).program.functions
    found = uses(f, f.body, Facts(mutable_names(f)), frozenset(), {})
    assert (found["y"].writes, found["y"].lost) == (True, True)
    assert (found["x"].writes, found["x"].lost) == (False, False)
