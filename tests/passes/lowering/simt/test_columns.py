"""Loops that threads share out come around serial ones, and sums into registers."""

from __future__ import annotations

import pytest
from tests.passes.lowering.simt.build import kernels, lowered

from xpiler.ir.text import show_function

GEMM = """
void gemm(const float *restrict a, const float *restrict b, float *restrict c,
          int m, int n, int k) {
    for (int i = 0; i < m; i++) {
        FIRST
        for (int p = 0; p < k; p++) {
            const float t = a[i * k + p];
            for (int j = 0; j < n; j++) c[i * n + j] += t * b[p * n + j];
        }
    }
}"""


def body(text: str) -> str:
    (kernel,) = kernels(lowered(text))
    return show_function(kernel)


def test_each_element_sums_in_a_register() -> None:
    found = body(GEMM.replace("FIRST", "for (int j = 0; j < n; j++) c[i * n + j] = 0.0f;"))
    assert "if ((i < m) && (j < n))" in found
    assert found.index("acc: f32 = 0.0") < found.index("for p") < found.index("c[((i * n) + j)] =")
    assert found.count("c[((i * n) + j)]") == 1
    assert "barrier" not in found


def test_what_is_added_to_is_read_where_there_are_turns() -> None:
    found = body(GEMM.replace("FIRST", ""))
    assert found.index("if (0 < k)") < found.index("acc: f32 = c[((i * n) + j)]")


@pytest.mark.parametrize(
    "text",
    [
        # what one turn writes others of the next one read
        """void f(float *x, int n, int k) { for (int p = 0; p < k; p++)
            for (int j = 1; j < n; j++) x[p % 2 * n + j] = x[(p + 1) % 2 * n + j - 1]; }""",
        # the inner loop is no work for threads
        """void f(float *restrict x, const float *restrict y, int r, int k) {
            for (int i = 0; i < r; i++) for (int p = 0; p < k; p++)
                for (int j = 0; j < 4; j++) x[i * 4 + j] += y[(i * k + p) * 4 + j]; }""",
    ],
)
def test_other_loops_keep_their_order(text: str) -> None:
    shown = "\n".join(map(show_function, kernels(lowered(text))))
    assert "for j" not in shown or shown.find("for p") < shown.find("for j")


def test_a_sum_that_something_else_may_see_stays_in_memory() -> None:
    found = body(
        """void f(float *restrict y, const float *restrict x, int n, int k) {
        for (int j = 0; j < n; j++) {
            y[2 * j] = 0.0f;
            for (int p = 0; p < k; p++) y[2 * j] += x[p] * y[2 * j + p % 2]; } }"""
    )
    assert "acc" not in found
