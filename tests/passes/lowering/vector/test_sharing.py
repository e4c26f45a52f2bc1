"""What the values of calls use repeatedly is computed once."""

from __future__ import annotations

from xpiler.backend import write_unit
from xpiler.frontend import read
from xpiler.passes.cleanup import Assumptions, clean_up
from xpiler.passes.lowering import lower
from xpiler.platforms.registry import platform

FUNCTIONS = """
static float gelu(float x) { return 0.5f * x * (1.0f + 0.79f * (x + 0.044f * x * x * x)); }
static float leaky(float v, float a) { if (v > 0.0f) return v; return a * v; }
"""


def loop(value: str) -> str:
    head = "void f(const float *x, const int *c, float *y, float a, int n) {"
    source = f"{FUNCTIONS}{head} for (int i = 0; i < n; i++) y[i] = {value}; }}"
    c = platform("c")
    program = clean_up(read(source, "f.c", c.words).program, assume=Assumptions()).program
    text = write_unit(lower(program, c).program, c.spelling, ()).text
    return text[text.index("void f(") :]


def test_arguments_that_are_used_often() -> None:
    text = loop("leaky(gelu(x[i]), a)")
    assert text.count("&x[i]") == 1
    assert text.count("0.044f") == 1
    assert "leaky" not in text


def test_what_only_a_branch_reads_stays_there() -> None:
    text = loop("c[i] > 0 ? gelu(x[i]) : 0.0f")
    assert "x_i = " not in text


def test_without_calls_a_statement_is_left_alone() -> None:
    assert " x_i" not in loop("x[i] * x[i]")
