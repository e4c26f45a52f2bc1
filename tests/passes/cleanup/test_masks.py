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


def test_a_packed_mask_in_a_combination_is_asked_by_itself() -> None:
    text = """#include <immintrin.h>
void f(const float *x, float *y, int n, float by) {
    for (int i = 0; i < n; i += 16) {
        __mmask16 live = n - i >= 16 ? 0xFFFF : (__mmask16)((1u << (n - i)) - 1u);
        __m512 v = _mm512_maskz_loadu_ps(live, x + i);
        __mmask16 up = _mm512_cmp_ps_mask(v, _mm512_setzero_ps(), 30);
        __mmask16 rest = (__mmask16)(live & (__mmask16)~up);
        __m512 low = _mm512_maskz_loadu_ps(rest, x + i);
        _mm512_mask_storeu_ps(y + i, live, _mm512_mul_ps(low, _mm512_set1_ps(by)));
    } }"""
    shown = cleaned(text)
    assert "|" not in shown
    assert ">> " not in shown
