"""Contractions on the matrix unit: which nests, which layouts, what is padded."""

from __future__ import annotations

import pytest

from xpiler.pipeline import Options, Translation, translate


def gemm(a: str, b: str, *, elem: str = "float", out: str = "c[i * n + j] = sum;") -> str:
    acc = "int" if elem == "int8_t" else "float"
    wide = f"({acc})" if elem != "float" else ""
    return f"""#include <stdint.h>
void gemm(const {elem} *a, const {elem} *b, const float *bias, {acc} *c, int m, int n, int k) {{
  for (int i = 0; i < m; i++)
    for (int j = 0; j < n; j++) {{
      {acc} sum = 0;
      for (int p = 0; p < k; p++) sum += {wide}a[{a}] * {wide}b[{b}];
      {out}
    }}
}}"""


def made(text: str) -> Translation:
    found = translate(text, "gemm.c", Options("bang", seed=3))
    assert found.verified, found.verdict
    return found


LAYOUTS = {
    "rows times rows": ("i * k + p", "p * n + j", 1),
    "rows times columns": ("i * k + p", "j * k + p", 0),
    "columns times rows": ("p * m + i", "p * n + j", 2),
    "columns times columns": ("p * m + i", "j * k + p", 1),
}


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("elem", ["float", "int8_t", "_Float16"])
def test_every_layout_is_staged_for_the_matrix_unit(name: str, elem: str) -> None:
    a, b, turned = LAYOUTS[name]
    text = made(gemm(a, b, elem=elem)).text or ""
    assert "__bang_matmul(" in text
    assert text.count("__bang_transpose(") == turned
    assert "__bang_reshape_filter(" in text


def test_what_is_done_with_the_sums_is_done_row_by_row() -> None:
    text = made(gemm("i * k + p", "p * n + j", out="c[i * n + j] += fmaxf(sum + bias[j], 0.f);"))
    assert "__bang_matmul(" in (text.text or "")
    assert "__bang_maxeq_scalar(" in (text.text or "")


def test_results_that_lie_in_columns_exchange_the_loops() -> None:
    text = made(gemm("i * k + p", "p * n + j", out="c[j * m + i] = sum;")).text or ""
    assert "__bang_matmul(part, b_rows, a_wram" in text


@pytest.mark.parametrize(
    "body",
    [
        gemm("i * k + p", "i * n + p"),  # no columns
        gemm("i * k + p * 2", "p * n + j * 2"),  # nothing to copy in rows
        gemm("i * k + p", "p * n + j", out="c[i * n + j] = sum + (j ? c[i * n + j - 1] : 0);"),
    ],
)
def test_what_is_no_matrix_product_is_left(body: str) -> None:
    assert "__bang_matmul(" not in (made(body).text or "")
