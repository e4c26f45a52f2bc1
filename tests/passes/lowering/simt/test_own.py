"""Allocations before a loop whose iterations each fill the memory anew."""

from __future__ import annotations

import pytest
from tests.passes.lowering.simt.build import kernels, lowered

from xpiler.ir.text import show_body, show_function

ROWS = """#include <math.h>
#include <stdlib.h>
void soft(const float *x, float *y, int rows, int n) {
    float *t = malloc(n * sizeof(float));
    for (int r = 0; r < rows; r++) {
        float sum = 0.0f;
        FILL
        for (int c = 0; c < n; c++) sum += t[c];
        for (int c = 0; c < n; c++) y[r * n + c] = t[c] / sum;
    }
    AFTER
    free(t);
}"""
FILL = "for (int c = 0; c < n; c++) t[c] = expf(x[r * n + c]);"


def text(fill: str = FILL, after: str = "") -> str:
    return ROWS.replace("FILL", fill).replace("AFTER", after)


def test_memory_that_each_row_fills_belongs_to_its_block() -> None:
    found = lowered(text())
    (kernel,) = kernels(found)
    assert "shared dynamic t: f32[]" in show_function(kernel)
    host = show_body(found.program.function("soft").body)
    assert host.count("launch") == 1
    assert "for r" not in host


@pytest.mark.parametrize(
    ("fill", "after"),
    [
        ("for (int c = 1; c < n; c++) t[c] = expf(x[r * n + c]);", ""),  # t[0] is the last row's
        ("for (int c = 0; c < n; c++) t[c] += x[r * n + c];", ""),
        (FILL, "y[0] = t[0];"),
        ("if (r % 2) " + FILL, ""),
    ],
)
def test_what_other_rows_see_stays_outside(fill: str, after: str) -> None:
    found = lowered(text(fill, after))
    assert not any("shared dynamic t" in show_function(k) for k in kernels(found))


def test_a_buffer_with_a_part_for_each_row_stays_one() -> None:
    whole = """#include <stdlib.h>
        void f(const float *x, float *y, int rows, int n) {
        float *t = malloc(rows * n * sizeof(float));
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < n; c++) t[r * n + c] = x[r * n + c] * 2.0f;
            for (int c = 0; c < n; c++) y[r * n + c] = t[r * n + n - 1 - c]; }
        free(t); }"""
    found = lowered(whole)
    host = show_body(found.program.function("f").body)
    assert "t <- host.alloc(((u64((rows * n))" in host or "t <- host.alloc((u64((rows * n))" in host
    assert "for r" not in host
