"""Tests of single bits are read as what decides those bits."""

from __future__ import annotations

import pytest

from xpiler.frontend import read
from xpiler.ir.text import show_function
from xpiler.passes.cleanup import clean_up
from xpiler.platforms.registry import platform

LOOP = """
void f(const float *x, float *y, int n) {{
    const unsigned short m = {mask};
    for (int i = 0; i < 16; i++)
        if ((m >> i & 1) != 0) y[i] = x[i];
}}"""


def cleaned(text: str) -> str:
    program = read(text, "f.c", platform("c").words).program
    return show_function(clean_up(program).program.function("f"))


@pytest.mark.parametrize(
    ("helper", "mask"),
    [
        ("", "n >= 16 ? 0xFFFF : (unsigned short)((1u << n) - 1u)"),
        (
            "static unsigned short low(int k) {"
            " return k >= 16 ? 0xFFFF : (unsigned short)((1u << k) - 1u); }",
            "low(n)",
        ),
        (
            "static unsigned short low(int k) { if (k >= 16) return 0xFFFF;"
            " return (unsigned short)((1u << k) - 1u); }",
            "low(n)",
        ),
    ],
)
def test_the_lowest_bits_are_those_below_a_number(helper: str, mask: str) -> None:
    text = cleaned(helper + LOOP.format(mask=mask))
    assert ">>" not in text
    assert "n" in text.split("[0, ")[1].splitlines()[0] or "(i < n)" in text


def test_a_mask_that_memory_gives_is_asked_bit_by_bit() -> None:
    text = cleaned(LOOP.format(mask="(unsigned short)(x[0] > 0 ? 7 : y[0])"))
    assert ">> i" in text
