"""Pointers to rows of constant tables, which kernels get as numbers."""

from __future__ import annotations

import pytest
from tests.passes.lowering.simt.build import kernels, lowered

from xpiler.ir.text import show_function

TEXT = """
static const float taps[3][4] = {{1, 2, 3, 4}, {5, 6, 7, 8}, {9, 1, 2, 3}};
float first(const float *p);
void f(const float *x, float *y, int n, int mode) {
    const float *k = taps[mode];
    MORE
    for (int i = 0; i < n; i++) y[i] = x[i] * k[i & 3];
}"""


def test_a_kernel_is_given_the_row() -> None:
    (kernel,) = kernels(lowered(TEXT.replace("MORE", "")))
    text = show_function(kernel)
    assert "k_row: i32" in text
    assert "taps[k_row][(i & 3)]" in text
    assert "block_dim" in text


@pytest.mark.parametrize("more", ["k++;", "if (n > 9) k = taps[0];"])
def test_pointers_that_move_stay(more: str) -> None:
    found = kernels(lowered(TEXT.replace("MORE", more)))
    assert not any("k_row" in show_function(k) for k in found)
