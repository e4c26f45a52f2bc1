"""Loops whose end a lent struct tells are loops of known length."""

from __future__ import annotations

import pytest

from xpiler.frontend import read
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import walk
from xpiler.pipeline import Options
from xpiler.platforms.registry import platform
from xpiler.verify.inference.infer import infer
from xpiler.verify.inference.lent import with_known_ends
from xpiler.verify.session import verify_pair
from xpiler.verify.spec import Spec

TEXT = """
struct shape {{ unsigned long rows, cols; }};
void f(const float *x, float *o, {const}struct shape *s) {{
    for (unsigned long r = 0; r < {end}; r++) {{
        {body}
        o[r] = x[r * s->cols];
    }}
}}
"""


def loops(const: str = "const ", end: str = "s->rows", body: str = "") -> list[str]:
    text = TEXT.format(const=const, end=end, body=body)
    program = read(text, "f.c", platform("c").words).program
    f = with_known_ends(program).function("f")
    return [type(n).__name__ for n in walk(f.body) if isinstance(n, (s.For, s.While))]


@pytest.mark.parametrize("end", ["s->rows", "s->rows - 1", "2 * s->rows"])
def test_the_end_is_taken_as_told(end: str) -> None:
    assert loops(end=end) == ["For"]


def test_what_may_change_is_asked_again() -> None:
    assert loops(const="") == ["While"]
    assert loops(end="s->rows + (unsigned long)o[0]") == ["While"]
    assert loops(body="r += s->cols;") == ["While"]


def test_sizes_are_found() -> None:
    text = TEXT.format(const="const ", end="s->rows", body="")
    (plan,) = infer(read(text, "f.c", platform("c").words).program, Spec())
    counts = {b.name: b.count for b in plan.cases[0].buffers}
    rows, cols = (int(plan.cases[0].scalars[n]) for n in ("s.rows", "s.cols"))
    assert counts["o"] == rows
    assert counts["x"] == (rows - 1) * cols + 1


def test_a_handle_that_nothing_is_done_with_is_null() -> None:
    text = """static void add(float *y, const float *x, int n) {
        for (int i = 0; i < n; i++) y[i] += x[i]; }
    void launch(float *y, const float *x, int n, void *stream) { (void)stream; add(y, x, n); }"""
    verdict = verify_pair(text, text, "k.c", Options(target="c", seed=1))
    assert verdict.ok, verdict
