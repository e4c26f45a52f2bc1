"""Sums stay in lanes through the loops around them where those do nothing else with them."""

from __future__ import annotations

import pytest

from xpiler.backend import write_unit
from xpiler.frontend import read
from xpiler.passes.cleanup import Assumptions, clean_up
from xpiler.passes.lowering import lower
from xpiler.platforms.registry import platform


def lowered(text: str) -> str:
    c = platform("c")
    program = clean_up(read(text, "f.c", c.words).program, assume=Assumptions()).program
    return write_unit(lower(program, c).program, c.spelling, ()).text


HEAD = "void f(const float *x, float *y, int n, int m) { "
ROWS = HEAD + "float s = START; for (int i = 0; i < n; i++) BODY y[0] = s; }"
SUM = "for (int j = 0; j < m; j++) s += x[i * m + j] * x[j];"
KEPT = {
    "rows": "{" + SUM + "}",
    "some rows": "{ if (i > m) {" + SUM + "} }",
    "maxima": "{ for (int j = 0; j < m; j++) s = x[i * m + j] > s ? x[i * m + j] : s; }",
    "planes": "for (int k = 0; k < m; k++) {" + SUM.replace("x[j]", "x[k]") + "}",
}
ASKED = {
    "written": "{" + SUM + "y[i] = s; }",
    "scaled": "{ s *= 0.5f; " + SUM + "}",
    "deciding": "{ if (s < 100.0f) {" + SUM + "} }",
    "its own": "{ float t = s; " + SUM + "y[i] = t; }",
}


def depth(text: str, what: str) -> int:
    """How many loops and conditions the line with `what` stands in."""
    line = next(x for x in text.splitlines() if what in x)
    return (len(line) - len(line.lstrip())) // 4 - 1


@pytest.mark.parametrize("name", KEPT)
def test_lanes_are_gathered_behind_all_loops(name: str) -> None:
    text = lowered(ROWS.replace("BODY", KEPT[name]).replace("START", "x[0]"))
    assert depth(text, "__m512 s_lanes =") == 0
    assert depth(text, "_mm512_reduce") == 0


@pytest.mark.parametrize("name", ASKED)
def test_a_sum_that_is_asked_for_is_there_in_time(name: str) -> None:
    text = lowered(ROWS.replace("BODY", ASKED[name]).replace("START", "x[0]"))
    assert depth(text, "_mm512_reduce") >= 1


def test_a_row_of_an_own_sum_is_gathered_in_its_turn() -> None:
    body = "{ float s = 0; " + SUM + " y[i] = s; }"
    text = lowered(HEAD + "for (int i = 0; i < n; i++) " + body + "}")
    assert depth(text, "__m512 s_lanes =") == 1


def test_a_pointer_that_all_lanes_share_stays_a_pointer() -> None:
    text = lowered(
        HEAD + "for (int k = 0; k < m; k++) for (int i = 0; i < n; i++) {"
        " const float *row = x + k * n; float a = 0; for (int j = 0; j < m; j++)"
        " a += row[i] * x[j]; y[k * n + i] = a; } }"
    )
    assert "const float *row = x + k * n;" in text
    assert "_mm512_maskz_loadu_ps(live, &row[i])" in text
