"""Which variables move into the loop that uses them, and which have to stay outside."""

from __future__ import annotations

import pytest

from xpiler.frontend import read
from xpiler.ir.text import show_body
from xpiler.passes.cleanup import clean_up
from xpiler.platforms.registry import platform

HEAD = "void f(const float *x, float *y, int n, int m) { float t[12]; int k; DECL "


def cleaned(text: str) -> str:
    found = read(
        HEAD.replace("DECL", "float u[3][4], v[5] = {1, 1, 1, 1, 1};") + text + "}",
        "t.c",
        platform("c").words,
    )
    assert not found.diagnostics
    return show_body(clean_up(found.program).program.functions[0].body)


FILL = "for (int a = 0; a < 3; a++) for (int b = 0; b < 4; b++) "
SUM = "float s = 0; for (int q = 0; q < 12; q++) s += t[q]; y[i] = s;"
MOVES = {
    "rows": FILL + "t[a * 4 + b] = x[i * 12 + b * 3 + a];" + SUM,
    "columns": FILL + "t[b * 3 + a] = x[i];" + SUM,
    "steps": "for (int b = 0; b < 12; b += 2) { t[b] = x[i]; t[b + 1] = 1; }" + SUM,
    "halves": "for (int b = 0; b < 6; b++) t[b] = x[i]; for (int b = 6; b < 12; b++) t[b] = 1;"
    + SUM,
    "branches": FILL + "if (x[i] > 0) t[a * 4 + b] = x[i]; else t[4 * a + b] = 1;" + SUM,
}
MOVES["columns beside each other"] = (
    "for (int a = 0; a < 3; a++) for (int b = 0; b < 1; b++) t[a * 4 + b] = x[i];"
    "for (int a = 0; a < 3; a++) for (int b = 0; b < 3; b++) t[a * 4 + 1 + b] = 1;" + SUM
)
MOVES["what nobody fills"] = "for (int b = 0; b < 11; b++) t[b] = x[i];" + SUM
MOVES["none at all"] = (
    "for (int b = 0; b < m; b++) for (int q = 0; q < 12; q++) t[q] = x[i + b];" + SUM
)
MOVES["rows of a given width"] = (
    "for (int a = 0; a < 3; a++) for (int b = 0; b < m; b++) t[a * m + b] = x[a];"
    "for (int a = 0; a < 3; a++) for (int b = 0; b < m; b++) y[(i * 3 + a) * m + b] = t[a * m + b];"
)
STAYS = {
    "growing": "for (int b = 0; b < i; b++) t[b] = x[i];" + SUM,
    "sometimes none": "for (int b = 0; b < i; b++) for (int q = 0; q < 12; q++) t[q] = x[b];" + SUM,
    "filled behind": "for (int b = 0; b < 11; b++) t[b] = x[i];" + SUM + "t[11] = x[i];",
    "set before": "for (int b = 0; b < 4; b++) v[b] = x[i]; y[i] = v[4];",
    "every other": "for (int b = 0; b < 12; b += 2) t[b] = x[i];" + SUM,
    "columns apart": "for (int a = 0; a < 3; a++) for (int b = 0; b < 1; b++) t[a * 4 + b] = x[i];"
    "for (int a = 0; a < 3; a++) for (int b = 0; b < 2; b++) t[a * 4 + 2 + b] = 1;" + SUM,
    "guarded": FILL + "if (x[i] > 0) t[a * 4 + b] = x[i];" + SUM,
    "left early": FILL + "{ if (x[b] > 0) break; t[a * 4 + b] = x[i]; }" + SUM,
    "too late": SUM + FILL + "t[a * 4 + b] = x[i];",
    "added": FILL + "t[a * 4 + b] += x[i];" + SUM,
    "far apart": "for (int b = 0; b < 12; b++) t[b * m] = x[i];" + SUM,
}


@pytest.mark.parametrize("name", MOVES)
def test_what_each_iteration_fills_is_its_own(name: str) -> None:
    text = cleaned("for (int i = 0; i < n; i++) {" + MOVES[name] + "}")
    assert text.startswith("parallel for i")


@pytest.mark.parametrize("name", STAYS)
def test_what_may_come_from_another_iteration_stays(name: str) -> None:
    text = cleaned("for (int i = 0; i < n; i++) {" + STAYS[name] + "}")
    used = "v: f32[5]" if name == "set before" else "t: f32[12]"
    assert text.index(used) < text.index("for i")
    assert "parallel" not in text.split("for i")[0]


def test_what_is_read_behind_the_loop_stays() -> None:
    text = cleaned("for (int i = 0; i < n; i++) {" + MOVES["rows"] + "} y[0] = t[1];")
    assert text.index("t: f32[12]") < text.index("for i")


def test_scalars_move_too() -> None:
    text = cleaned(
        "for (int i = 0; i < n; i++) { k = i * 2; if (x[i] > 0) k = k + m; y[i] = (float)k; }"
    )
    assert "parallel for i" in text


def test_two_subscripts_are_two_spans() -> None:
    fill = FILL + "u[a][b] = x[i];"
    text = cleaned("for (int i = 0; i < n; i++) {" + fill + "y[i] = u[2][m & 3]; }")
    assert text.startswith("parallel for i")


def test_the_way_to_what_is_written_is_read() -> None:
    text = cleaned("int q = m * 2; for (int i = 0; i < n; i++) { q[y + i] = x[i]; }")
    assert "m * 2" in text
