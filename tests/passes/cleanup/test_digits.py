"""Tiles that are numbered through: rows and columns where that sets iterations apart."""

from __future__ import annotations

import pytest

from xpiler.frontend import read
from xpiler.ir.text import show_body
from xpiler.passes.cleanup import Assumptions, clean_up
from xpiler.platforms.registry import platform

HEAD = "void f(const float *x, float *y, int rows, int cols) { int a = (rows + 7) / 8, b = (cols + 7) / 8;"  # noqa: E501
TILE = """{
    int r = (t / b) * 8, c = (t % b) * 8;
    int h = rows - r < 8 ? rows - r : 8, w = cols - c < 8 ? cols - c : 8;
    for (int i = 0; i < h; i++)
        for (int j = 0; j < w; j++) y[(c + j) * rows + r + i] = x[(r + i) * cols + c + j];
}"""


def cleaned(text: str) -> tuple[str, tuple[str, ...]]:
    found = read(f"{HEAD} {text} }}", "t.c", platform("c").words)
    assert not found.diagnostics
    done = clean_up(found.program, assume=Assumptions(no_alias=True))
    return show_body(done.program.functions[0].body), done.assumptions


def test_numbered_tiles_are_rows_and_columns() -> None:
    text, given = cleaned(f"for (int t = 0; t < a * b; t++) {TILE}")
    assert "parallel for row" in text
    assert "for col" in text
    assert "%" not in text
    assert "b is not negative" in given


@pytest.mark.parametrize(
    "loop",
    [
        "for (int t = 0; t < a * b + 1; t++)",  # the last row has one column
        "for (int t = 0; t < a * b - a; t++)",  # rows of another length
        "for (int t = 1; t < a * b; t++)",
    ],
)
def test_other_numbers_stay(loop: str) -> None:
    text, _ = cleaned(f"{loop} {TILE}")
    assert "for t" in text


def test_a_number_that_is_used_as_such_stays() -> None:
    tile = TILE.replace("for (int i", "y[0] += x[t]; for (int i", 1)
    text, _ = cleaned(f"for (int t = 0; t < a * b; t++) {tile}")
    assert "for t" in text


def test_a_way_out_of_the_loop_stays() -> None:
    tile = TILE.replace("for (int i", "if (x[r] < 0) break; for (int i", 1)
    text, _ = cleaned(f"for (int t = 0; t < a * b; t++) {tile}")
    assert "for row" not in text
