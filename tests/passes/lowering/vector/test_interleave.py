"""Lanes that take turns along a row: they become the inner loop, each in its own order."""

from __future__ import annotations

import pytest

from xpiler.backend import write_unit
from xpiler.frontend import read
from xpiler.host.processor import features
from xpiler.passes.cleanup import Assumptions, clean_up
from xpiler.passes.lowering import lower
from xpiler.pipeline import Options, translate
from xpiler.platforms.registry import platform

NEEDS = set(platform("c").tables["lowering"]["needs"])


def lowered(body: str) -> str:
    c = platform("c")
    head = "void f(const float *x, float *y, int n, int m) { for (int lane = 0; lane < 32; lane++)"
    program = read(f"{head} {{ {body} }} }}", "f.c", c.words).program
    cleaned = clean_up(program, assume=Assumptions()).program
    return write_unit(lower(cleaned, c).program, c.spelling, ()).text


def test_neighbours_are_read_together() -> None:
    text = lowered("float s = 0; for (int j = lane; j < n; j += 32) s += x[j]; y[lane] = s;")
    assert "float s[32];" in text
    assert "_mm512_maskz_loadu_ps(live, &x[j + lane])" in text


def test_lanes_that_meet_keep_their_order() -> None:
    text = lowered("for (int j = lane; j < n; j += 32) y[j + m] = y[j] + 1.0f;")
    assert "j + lane" not in text


@pytest.mark.skipif(bool(NEEDS - features()), reason="the processor lacks the instructions")
def test_rows_of_any_length_come_out_right() -> None:
    source = """
__global__ void rows(const float* x, float* y, int n)
{
    float s = 0;
    for (int j = threadIdx.x; j < n; j += 32) s += x[blockIdx.x * n + j];
    y[blockIdx.x * 32 + threadIdx.x] = s;
}
void run(const float* x, float* y, int m, int n) { rows<<<m, 32>>>(x, y, n); }
"""
    done = translate(source, "rows.cu", Options("c", seed=1))
    assert done.text is not None
    assert "j + t" in done.text
    assert done.verified, done.verdict


def test_a_row_that_the_lanes_share_whole_is_one_loop() -> None:
    text = lowered(
        "for (int j = lane; j < n; j += 32) { y[j] = 2.0f * x[j]; }",
    )
    assert "j + lane" not in text
    assert "for (int j = 0; j < n; j += 16)" in text
