"""Copies of bytes as what they copy."""

from __future__ import annotations

from xpiler.frontend import read
from xpiler.ir.text import show_program
from xpiler.passes.recovery import recover
from xpiler.platforms.registry import platform

COPY = """__device__ void put({0}* s, const {1}* g) {{
  asm volatile("cp.async.ca.shared.global [%0], [%1], 8;"
               :: "r"((unsigned)__cvta_generic_to_shared(s)), "l"(g));
}}"""


def raised(to: str, source: str) -> str:
    text = COPY.format(to, source)
    return show_program(recover(read(text, "t.cu", platform("cuda").words).program, {}).program)


def test_bytes_of_one_type_are_copied_as_elements() -> None:
    assert "in [0, 2)" in raised("float", "float")
    assert "s[0] = g[0]" in raised("double", "double")


def test_bytes_of_two_types_stay_bytes() -> None:
    text = raised("float", "int")
    assert "s[0] = g[0]" not in text
    assert "in [0, 2)" not in text
