"""Parameters that a function writes whole."""

from __future__ import annotations

import pytest

from xpiler.analysis.filled import filled
from xpiler.analysis.ranges import Facts
from xpiler.frontend import read
from xpiler.passes.cleanup import clean_up
from xpiler.platforms.registry import platform

HEAD = "void f(const float *x, float *o, int r, int c) "


def counts(body: str) -> list[str]:
    program = read(HEAD + "{" + body + "}", "f.c", platform("c").words).program
    f = clean_up(program).program.function("f")
    o = next(p for p in f.params if p.name == "o")
    return [str(n) for n, _ in filled(f.body, o, Facts())]


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("for (int i = 0; i < r; i++) o[i] = x[i];", "r"),
        ("for (int i = 0; i < r; i++) for (int j = 0; j < c; j++) o[i * c + j] = 1;", "c*r"),
        ("for (int i = 0; i < r; i++) for (int j = 0; j < c; j++) o[j * r + i] = 1;", "c*r"),
        ("for (int i = 0; i < r; i++) { int q = i * 4; for (int j = 0; j < 4; j++) o[q + j] = j; }",
         "4*r"),
        ("for (int i = 0; i < r; i++) { int s = 0; for (int j = 0; j < c; j++) s += j; o[i] = s; }",
         "r"),
    ],
)  # fmt: skip
def test_each_element_is_written(body: str, count: str) -> None:
    assert counts(body) == [count]


@pytest.mark.parametrize(
    "body",
    [
        "for (int i = 1; i < r; i++) o[i] = x[i];",
        "for (int i = 0; i < r; i++) o[2 * i] = x[i];",
        "for (int i = 0; i < r; i++) if (x[i] > 0) o[i] = x[i];",
        "for (int i = 0; i < r; i++) { if (x[i] > 0) break; o[i] = x[i]; }",
        "if (c) return; for (int i = 0; i < r; i++) o[i] = x[i];",
        "for (int i = 0; i < r; i++) for (int j = 0; j < i; j++) o[i * r + j] = 1;",
        "for (int i = 0; i < r; i++) for (int j = 0; j < c; j++) o[i * r + j] = 1;",
        "for (int i = 0; i < r; i++) for (int j = 0; j < c; j++) o[i] = j;",
        "if (c) for (int i = 0; i < r; i++) o[i] = x[i];",
    ],
)
def test_some_may_stay(body: str) -> None:
    assert counts(body) == []
