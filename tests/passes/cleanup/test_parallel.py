"""Loops over what functions compute: which functions leave the iterations independent."""

from __future__ import annotations

import pytest

from xpiler.frontend import read
from xpiler.ir.text import show_body
from xpiler.passes.cleanup import clean_up
from xpiler.platforms.registry import platform

LOOP = "void f(const float *x, float *y, int n) { for (int i = 0; i < n; i++) y[i] = g(%s); }"
PURE = {
    "value": ("float g(float a) { float b = a; if (a < 0) b = -a; return b; }", "x[i]"),
    "calls": ("float h(float a) { return a + 1; } float g(float a) { return h(a); }", "x[i]"),
}
OTHER = {
    "a counter": ("int c; float g(float a) { c = c + 1; return a + c; }", "x[i]"),
    "memory": ("float g(float *p) { p[1] = p[0]; return p[0]; }", "y + i"),
}


def cleaned(function: str, value: str) -> str:
    found = read(f"{function} {LOOP % value}", "t.c", platform("c").words)
    program = clean_up(found.program).program
    return show_body(program.function("f").body)


@pytest.mark.parametrize("name", PURE)
def test_functions_of_values_keep_nothing(name: str) -> None:
    assert cleaned(*PURE[name]).startswith("parallel for")


@pytest.mark.parametrize("name", OTHER)
def test_other_functions_may_hand_something_on(name: str) -> None:
    assert "parallel" not in cleaned(*OTHER[name])
