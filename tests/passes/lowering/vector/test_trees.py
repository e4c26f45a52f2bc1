"""Tree reductions: which loops become one sum or maximum of all elements, which stay."""

from __future__ import annotations

import pytest

from xpiler.backend import write_unit
from xpiler.frontend import read
from xpiler.passes.cleanup import Assumptions, clean_up
from xpiler.passes.lowering import lower
from xpiler.pipeline import Options, translate
from xpiler.platforms.registry import platform

HEAD = """#include <math.h>
void f(const float *x, float *y)
{{
    float v[32], w[32];
    for (int i = 0; i < 32; i++) v[i] = x[i * 3];
    {}
}}
"""
DOWN = "for (int o = 16; o > 0; o >>= 1) for (int i = 0; i < o; i++) v[i] += v[i + o];"
XOR = (
    "for (int o = 16; o > 0; o >>= 1) { for (int i = 0; i < 32; i++) w[i] = v[i];"
    " for (int i = 0; i < 32; i++) v[i] = fmaxf(v[i], w[i ^ o]); }"
)


def lowered(body: str) -> str:
    c = platform("c")
    program = read(HEAD.format(body), "f.c", c.words).program
    cleaned = clean_up(program, assume=Assumptions()).program
    return write_unit(lower(cleaned, c).program, c.spelling, ()).text


def test_halvings_become_one_sum() -> None:
    text = lowered(DOWN + " y[0] = v[0];")
    assert "v_all += _mm512_reduce_add_ps(v_all_lanes);" in text
    assert ">>=" not in text


def test_an_exchange_that_leaves_the_maximum_everywhere() -> None:
    text = lowered(XOR + " for (int i = 0; i < 32; i++) y[i] = v[i];")
    assert "_mm512_reduce_max_ps(v_all_lanes)" in text
    assert ">>=" not in text


@pytest.mark.parametrize(
    "body",
    [
        DOWN + " y[0] = v[0] + v[1];",  # a partial sum is read
        DOWN.replace("o > 0", "o > 1") + " y[0] = v[0];",  # two sums are left
        DOWN.replace("v[i + o]", "v[i + o - 1]") + " y[0] = v[0];",  # some elements twice
        XOR + " for (int i = 0; i < 32; i++) y[i] = v[i] + w[i];",  # what was exchanged is read
    ],
)
def test_other_trees_stay(body: str) -> None:
    text = lowered(body)
    assert "v_all" not in text


def test_shuffles_of_a_warp_come_out_right() -> None:
    source = """
__global__ void rows(const float* x, float* y, int n)
{
    float s = 0;
    for (int j = threadIdx.x; j < n; j += 32) s += x[blockIdx.x * n + j];
    for (int o = 16; o > 0; o >>= 1) s += __shfl_down_sync(0xffffffffu, s, o);
    if (threadIdx.x == 0) y[blockIdx.x] = s;
}
void run(const float* x, float* y, int m, int n) { rows<<<m, 32>>>(x, y, n); }
"""
    done = translate(source, "rows.cu", Options("c", seed=1))
    assert done.text is not None
    assert "_mm512_reduce_add_ps" in done.text
    assert ">>=" not in done.text
    assert done.verified, done.verdict
