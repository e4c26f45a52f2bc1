"""What a function does to its pointers."""

from __future__ import annotations

from xpiler.analysis.effects import mutable_names
from xpiler.analysis.extents import Callees, Use, uses
from xpiler.analysis.ranges import Facts
from xpiler.frontend import read
from xpiler.ir.program import Function
from xpiler.ir.text import show
from xpiler.platforms.registry import platform


def of(f: Function, known: Callees) -> dict[str, Use]:
    return uses(f, f.body, Facts(mutable_names(f)), frozenset(), known)


def test_a_copy_of_a_stepping_pointer_writes_what_that_points_to() -> None:
    text = """void f(float *y, const float *x, int n) {
        for (int i = 0; i < n; i++)
            if (y) { float *at = y; y++; at[0] = x[i]; } }"""
    (f,) = read(text, "t.c", platform("c").words).program.functions
    found = of(f, {})
    assert (found["y"].writes, found["y"].lost) == (True, True)
    assert (found["x"].writes, found["x"].lost) == (False, False)


def test_calls_within_a_value_touch_what_their_functions_touch() -> None:
    text = """static float sum(const float *a, int n) {
            float s = 0; for (int i = 0; i < n; i++) s += a[i]; return s; }
        void f(float *y, const float *x, int n) { y[0] = sum(x, n) * 0.5f; }"""
    inner, f = read(text, "t.c", platform("c").words).program.functions
    known = {inner.name: (inner.params, of(inner, {}))}
    found = of(f, known)
    assert (found["x"].reads, found["x"].writes, found["x"].lost) == (True, False, False)
    assert show(found["x"].count()) == "i64(n)"
    assert found["y"].writes
