"""Numbers keep the text that they are written with, where the user wrote it."""

from __future__ import annotations

from front_texts import program

from xpiler.ir.expr import Const
from xpiler.ir.rewrite import walk

DIGITS = "/* " + "7 " * 4000 + "*/"


def constants(text: str) -> list[tuple[object, str | None]]:
    found = program(text, "c")
    return [(n.value, n.text) for n in walk(found.function("f").body) if isinstance(n, Const)]


def test_a_number_keeps_its_text() -> None:
    assert (255, "0xFF") in constants("int f(void) { return 0xFF; }")
    assert (255, "ALL") in constants("#define ALL 0xFF\nint f(void) { return ALL; }")


def test_a_number_of_a_header_has_no_text_in_the_file() -> None:
    text = f"#include <limits.h>\nint f(int n) {{ return n < INT_MAX ? n : 1; }}\n{DIGITS}\n"
    assert {t for v, t in constants(text) if v == 2147483647} == {None}
