"""Loops that read at a distance which a parameter says: one version for neighbours."""

from __future__ import annotations

import pytest

from xpiler.backend import write_unit
from xpiler.frontend import read
from xpiler.passes.cleanup import Assumptions, clean_up
from xpiler.passes.lowering import lower
from xpiler.platforms.registry import platform

HEAD = "void f(const float *x, const float *b, float *y, int n, int m, int step) { "


def lowered(text: str) -> str:
    c = platform("c")
    program = clean_up(read(HEAD + text + "}", "f.c", c.words).program, assume=Assumptions())
    return write_unit(lower(program.program, c).program, c.spelling, ()).text


TAPS = """for (int t = 0; t < n; t++) {
    float s = b != 0 ? b[m] : 0;
    for (int k = 0; k < m; k++) { int at = t * step + k; if (at < n) s += x[at] * b[k]; }
    y[t] = s;
}"""


def test_neighbours_are_read_in_lanes_where_the_distance_is_one() -> None:
    text = lowered(TAPS)
    near, far = text.split("if (step == 1) {")[1].split("} else {")
    assert "_mm512_mask_storeu_ps(&y[t]" in near
    assert "step" not in near
    assert "t * step + k" in far


OTHERS = {
    "a row's length": "for (int t = 0; t < n; t++) { float s = 0; for (int k = 0; k < m; k++)"
    " s += x[t * m + k] * b[k]; y[t] = s; }",
    "what is written": "for (int t = 0; t < n; t++) y[t * step] = x[t];",
    "both": "for (int t = 0; t < n; t++) y[t * step] = x[t * step];",
    "changing": "for (int t = 0; t < n; t++) { y[t] = x[t * step]; step = step + 1; }",
    "still strided": "for (int t = 0; t < n; t++) y[t] = x[t * step] + x[t * m];",
    "only sums": "float s = 0; for (int t = 0; t < n; t++) s += x[t * step]; y[0] = s;",
}


@pytest.mark.parametrize("name", OTHERS)
def test_no_version_where_that_is_not_all(name: str) -> None:
    assert "== 1" not in lowered(OTHERS[name])


def test_a_pointer_that_is_only_compared_reads_nothing() -> None:
    text = lowered("for (int t = 0; t < n; t++) y[t] = x[t] + (b != 0 ? 1.0f : 2.0f);")
    assert "_mm512_mask_storeu_ps(&y[t]" in text
