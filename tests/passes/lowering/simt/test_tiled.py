"""Nests that go through tiles, as threads want them."""

from __future__ import annotations

import pytest
from tests.passes.lowering.simt.build import kernels, lowered

from xpiler.ir.text import show_body, show_function

MIN = "#define MIN(a, b) ((a) < (b) ? (a) : (b))\n"
CALL = "static inline int MIN(int a, int b) { return a < b ? a : b; }\n"
PRODUCT = """void f(int m, int n, int p, const float *a, const float *b, float *c, int ldc) {
    for (int i0 = 0; i0 < m; i0 += 32) for (int k0 = 0; k0 < p; k0 += 16)
        for (int j0 = 0; j0 < n; j0 += 32)
            for (int i = i0; i < MIN(i0 + 32, m); i++) for (int k = k0; k < MIN(k0 + 16, p); k++) {
                float t = a[i * p + k];
                for (int j = j0; j < MIN(j0 + 32, n); j++) c[i * LDC + j] += t * b[k * n + j];
            } }"""
SUMS = """void f(int n, int m, int p, const float *a, float *y) {
    for (int k0 = 0; k0 < n; k0 += 16) for (int l0 = 0; l0 < m; l0 += 16)
        for (int i = 0; i < p; i++)
            for (int k = k0; k < MIN(k0 + 16, n); k++) for (int l = l0; l < MIN(l0 + 16, m); l++)
                y[i] += a[(i * n + k) * m + l]; }"""


@pytest.mark.parametrize("least", [MIN, CALL])
def test_a_blocked_product_is_one_launch_with_a_thread_for_each_element(least: str) -> None:
    (kernel,) = kernels(lowered(least + PRODUCT.replace("LDC", "n")))
    text = show_function(kernel)
    assert "if ((i < m) && (j < n))" in text
    assert "for k: i32 in [0, p)" in text
    assert "acc += (t * b[((k * n) + j)])" in text


def test_rows_at_a_distance_are_asked_for() -> None:
    found = lowered(MIN + PRODUCT.replace("LDC", "ldc"))
    host = show_body(found.program.function("f").body)
    assert "if (ldc >= n)" in host
    assert "for i0" in host.split("else")[1]


def test_sums_keep_their_order() -> None:
    found = lowered(MIN + SUMS)
    both = "".join(show_function(k) for k in kernels(found))
    assert "k0" in both
    assert "l0" in both


def test_what_is_written_is_not_read_at_another_time() -> None:
    text = PRODUCT.replace("LDC", "n").replace("t = a[i * p + k]", "t = c[i * n]")
    found = lowered(MIN + text)
    assert "for i0" in show_body(found.program.function("f").body)


def test_a_tile_that_is_longer_than_its_step_stays() -> None:
    text = PRODUCT.replace("LDC", "n").replace("MIN(i0 + 32, m)", "MIN(i0 + 33, m)")
    assert "i0" in "".join(show_function(k) for k in kernels(lowered(MIN + text)))
