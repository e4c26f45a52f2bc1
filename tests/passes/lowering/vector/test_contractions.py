"""Products of matrices: which nests become one, what is left of the loops, what must stay."""

from __future__ import annotations

import pytest

from xpiler.backend import write_unit
from xpiler.frontend import read
from xpiler.host.processor import features
from xpiler.passes.cleanup import Assumptions, clean_up
from xpiler.passes.lowering import lower
from xpiler.pipeline import Options, translate
from xpiler.platforms.registry import platform

NEST = """
void f(const float *a, const float *b, float *c, float t, int m, int n, int k)
{{
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) {{
            float s = 0;
            for (int p = 0; p < k; p++) s += {};
            {};
        }}
}}
"""

NEEDS = set(platform("c").tables["lowering"]["needs"])


def lowered(text: str) -> str:
    c = platform("c")
    program = clean_up(read(text, "f.c", c.words).program, assume=Assumptions()).program
    return write_unit(lower(program, c).program, c.spelling, ()).text


def test_sums_that_are_stored_as_they_are_go_where_they_belong() -> None:
    text = lowered(NEST.format("a[i * k + p] * b[p * n + j]", "c[i * n + j] = s"))
    assert "matrix_product(m, n, k, a, k, 1, b, n, 1, c, n);" in text
    assert "malloc(across" in text  # the helper and what it needs come along
    assert "pack_panel(float *to" in text


def test_what_else_happens_to_a_sum_happens_in_the_loops_that_are_left() -> None:
    text = lowered(NEST.format("a[i * k + p] * b[j * k + p]", "c[i * n + j] = t * s"))
    assert "matrix_product(m, n, k, a, k, 1, b, 1, k, s_product, n);" in text
    assert "free(s_product);" in text


@pytest.mark.parametrize(
    ("product", "store"),
    [
        ("a[i * k + p] * b[i * k + p]", "c[i * n + j] = s"),  # no second matrix
        ("a[i * k + p] * b[p * n + j]", "c[i] = s"),  # iterations that meet
        ("a[i * k + p * p] * b[p * n + j]", "c[i * n + j] = s"),  # no even steps
        ("a[i * k + p] * c[p * n + j]", "c[i * n + j] = s"),  # reads what it writes
    ],
)
def test_other_sums_stay(product: str, store: str) -> None:
    assert "matrix_product" not in lowered(NEST.format(product, store))


@pytest.mark.skipif(bool(NEEDS - features()), reason="the processor lacks the instructions")
def test_a_product_is_right_for_sizes_that_fill_no_tile() -> None:
    source = """
__global__ void mm(const float* a, const float* b, float* c, int m, int n, int k)
{
    int i = blockIdx.y * blockDim.y + threadIdx.y, j = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= m || j >= n) return;
    float s = 0;
    for (int p = 0; p < k; p++) s += a[i * k + p] * b[p * n + j];
    c[i * n + j] = s;
}
void run(const float* a, const float* b, float* c, int m, int n, int k)
{
    mm<<<dim3((n + 7) / 8, (m + 7) / 8), dim3(8, 8)>>>(a, b, c, m, n, k);
}
"""
    done = translate(source, "mm.cu", Options("c", seed=1))
    assert done.text is not None
    assert "matrix_product(m, n, k" in done.text
    assert done.verified, done.verdict
