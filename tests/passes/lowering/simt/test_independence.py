"""Loops that are independent for some sizes, and through pointers that step along."""

from __future__ import annotations

import pytest
from tests.passes.lowering.simt.build import codes, kernels, lowered

from xpiler.ir.text import show_body, show_function

PAIRS = """void f(const float *x, float *y, int rows, int n) {
    for (int r = 0; r < rows; r++) for (int j = 0; j < n; j += STEP) {
        y[r * n + j] = x[r * n + j]; y[r * n + j + NEXT] = 2; } }"""
JOIN = """void f(const float *a, const float *b, float *y, int rows, int n, int m) {
    for (int r = 0; r < rows; r++) {
        float *o = y + r * (n + m);
        for (int j = 0; j < n; j++) *o++ = a[r * n + j];
        for (int j = 0; j < m; j++) *o++ = b[r * m + j];
    } }"""


@pytest.mark.parametrize("step", [2, 4])
def test_rows_of_whole_steps_are_launched_at_once(step: int) -> None:
    found = lowered(PAIRS.replace("STEP", str(step)).replace("NEXT", str(step - 1)))
    host = show_body(found.program.function("f").body)
    assert f"if ((n % {step}) == 0)" in host
    first, second = (show_function(k) for k in kernels(found))
    assert "(r < rows)" in first
    assert "(r < rows)" not in second


def test_a_step_that_reaches_into_the_next_row_keeps_rows_in_order() -> None:
    found = lowered(PAIRS.replace("STEP", "2").replace("NEXT", "2"))
    assert "% 2" not in show_body(found.program.function("f").body)


def test_a_pointer_that_goes_on_behind_each_loop_keeps_rows_apart() -> None:
    found = lowered(JOIN)
    assert codes(found) == []
    (kernel,) = kernels(found)
    assert "block.x" in show_function(kernel)
    assert {"n is not negative", "m is not negative"} <= set(found.assumptions)


def test_a_pointer_that_goes_on_from_row_to_row_does_not() -> None:
    text = """void f(const float *a, float *y, const int *n, int rows) {
        float *o = y;
        for (int r = 0; r < rows; r++) {
            for (int j = 0; j < n[r]; j++) o[j] = a[j];
            o += n[r]; } }"""
    assert "block.x" not in "".join(map(show_function, kernels(lowered(text))))


def test_rows_that_overlap_stay_in_order() -> None:
    found = lowered(JOIN.replace("r * (n + m)", "r * n"))
    assert "for r: i32" in show_body(found.program.function("f").body)


PICK = """void f(const int *mask, const float *a, const float *b, float *y, int n) {
    for (int i = 0; i < n; i++) { if (mask[i]) { YES } else { NO } } }"""


@pytest.mark.parametrize(
    ("yes", "no", "parallel"),
    [
        ("*y++ = a[i];", "*y++ = b[i];", True),
        ("y += 2; y[-1] = a[i];", "y[0] = b[i]; y += 2;", True),
        ("if (a[i] > 0) *y++ = 1; else *y++ = 2;", "*y++ = b[i];", True),
        ("*y++ = a[i];", "*y = b[i];", False),
        ("*y++ = a[i];", "*y = b[i]; y += 2;", False),
        ("*y++ = a[i];", "*y++ = b[i]; if (b[i] > 9) break;", False),
    ],
)
def test_a_step_that_both_branches_take(yes: str, no: str, parallel: bool) -> None:
    found = lowered(PICK.replace("YES", yes).replace("NO", no))
    assert ("thread.x" in show_function(kernels(found)[0])) is parallel
