"""Pointers into a function's own arrays become subscripts."""

from __future__ import annotations

import pytest

from xpiler.frontend import read
from xpiler.ir.text import show_function
from xpiler.passes.cleanup import clean_up
from xpiler.pipeline import Options, translate
from xpiler.platforms.registry import platform

LOOP = """
void f(const float *restrict x, float *restrict o, int n) {{
    float p[64];
    for (int lane = 0; lane < 64; lane += 16) {{
        {pointer}
        for (int i = 0; i < 16; i++) {place} = x[lane + i] + n;
    }}
    for (int i = 0; i < 64; i++) o[i] = p[i] * p[63 - i];
}}"""


def cleaned(text: str) -> str:
    program = read(text, "f.c", platform("c").words).program
    return show_function(clean_up(program).program.function("f"))


@pytest.mark.parametrize(
    ("pointer", "place"),
    [
        ("float *t = &p[lane];", "t[i]"),
        ("float *t = p + lane;", "t[i]"),
        ("float *t = p;", "t[lane + i]"),
        ("void *t = &p[lane];", "((float *)t)[i]"),
        ("float *s = p; float *t = s + lane;", "t[i]"),
        ("float *t = p; t += lane;", "t[i]"),
    ],
)
def test_the_array_itself_is_written(pointer: str, place: str) -> None:
    text = LOOP.format(pointer=pointer, place=place)
    shown = cleaned(text)
    assert "p[lane] = " in shown
    assert "t:" not in shown
    assert translate(text, "f.c", Options("cuda", seed=1)).verified


@pytest.mark.parametrize(
    ("pointer", "place"),
    [
        ("float *t = p; if (n > 3) t += lane;", "t[i]"),
        ("int at = lane; float *t = &p[at]; at = n; o[at] = 1;", "t[i]"),
        ("unsigned *t = (unsigned *)&p[lane];", "t[i]"),
    ],
)
def test_what_moves_or_sees_other_numbers_stays(pointer: str, place: str) -> None:
    assert "t[i]" in cleaned(LOOP.format(pointer=pointer, place=place))
