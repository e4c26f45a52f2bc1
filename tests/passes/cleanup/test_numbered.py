"""Loops over numbers that are taken apart into rows and columns."""

from __future__ import annotations

import pytest
from interp import run
from test_walking import cleaned

from xpiler.frontend import read
from xpiler.ir.text import show_body
from xpiler.passes.cleanup import clean_up
from xpiler.platforms.registry import platform

TABLE = "for (int i = 0; i < 6 * 16; i++) { int r = i / 16; int c = i % 16; %s }"
SAME = [
    TABLE.replace("%s", "y[c * 6 + r] = x[i] + x[r];"),
    TABLE.replace("%s", "int k = r * 2; if (k > 5 && c > 3) y[i] = x[c]; else y[i] = k;"),
    "for (unsigned i = 0; i < 96u; i++) y[(i & 15) * 6 + (i >> 4)] = x[i];",
    "for (int i = 0; i < 96; i++) { int r = i / 16 + 1; y[i] = x[i % 16] * r; r = 3; }",
    "for (int i = 0; i < 96; i++) y[i] = x[i / 32] + x[i / 8 % 4] * 2 + x[i % 8];",
    "for (int i = 0; i < n * m; i++) y[i] = x[i % m] - x[i / m];",
    TABLE.replace("i % 16", "i - r * 16").replace("%s", "y[c * 6 + r] = x[i] + x[r];"),
    "for (int i = 0; i < n * m; i++) y[i] = x[i - i / m * m] - x[i / m];",
]


@pytest.mark.parametrize("body", SAME)
def test_rows_and_columns_compute_the_same(body: str) -> None:
    text = cleaned(body, in_order=True)
    assert "% 16" not in text
    assert "% m" not in text
    assert text.count("for ") >= 2
    head = "void f(const float *x, float *y, int *count, int n, int m) {"
    before = read(head + body + "}", "t.c", platform("c").words).program
    after = clean_up(before, in_order=True).program
    results = []
    for program in (before, after):
        x, y = [float(k * k % 89) for k in range(96)], [0.0] * 96
        run(program, "f", [x, y, [0], 8, 12])
        results.append(y)
    assert results[0] == results[1]


@pytest.mark.parametrize(
    "body",
    [
        "for (int i = 0; i < 90; i++) y[i] = x[i / 16] * x[i % 16];",
        "for (int i = 0; i < 96; i++) { y[i] = x[i / 16] * x[i % 16]; if (y[i] > 5) break; }",
        "for (int i = 0; i < n * m; i++) { y[i] = x[i / m] * x[i % m]; m = count[i]; }",
        "float t[96]; for (int i = 0; i < 96; i++) { t[i] = x[i / 16] * x[i % 16]; y[n] += t[m]; }",
    ],
)
def test_numbers_of_no_whole_table_stay(body: str) -> None:
    assert "% " in cleaned(body, in_order=True)


@pytest.mark.parametrize("n", [1, 7, 8, 9, 90, 96])
@pytest.mark.parametrize(
    "value", ["x[i / m]", "x[i % m]", "x[i / m] * x[i % m]", "x[i / 16 % m]", "x[i / m] - x[i]"]
)
def test_the_last_row_may_be_shorter(value: str, n: int) -> None:
    head = "void f(const float *x, float *y, int n, int m) {"
    body = f"{head} for (int i = 0; i < n; i++) y[i] = {value}; }}"
    before = read(body, "t.c", platform("c").words).program
    done = clean_up(before, in_order=True)
    text = show_body(done.program.functions[0].body)
    assert "row" in text
    assert "i /" not in text
    results = []
    for program in (before, done.program):
        x, y = [float(k * k % 89) for k in range(96)], [0.0] * 96
        run(program, "f", [x, y, n, 8])
        results.append(y)
    assert results[0] == results[1]


def test_a_width_that_no_row_has_is_taken_to_be_none() -> None:
    head = "void f(const float *x, float *y, int n, int m) {"
    body = f"{head} for (int i = 0; i < n; i++) y[i] = x[i / m]; }}"
    done = clean_up(read(body, "t.c", platform("c").words).program, in_order=True)
    assert "m is at least 1" in done.assumptions
