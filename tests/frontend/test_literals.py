"""Numbers keep the text that they are written with, where the user wrote it."""

from __future__ import annotations

from front_texts import program, result

from xpiler.ir.expr import Const
from xpiler.ir.rewrite import walk
from xpiler.ir.text import show_body

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


def test_designated_initialisers_lie_in_their_places() -> None:
    text = """
        struct g { int a; float b; int c[4]; };
        void f(int *y, int n) {
            struct g x = {.b = 1.5f, .a = n};
            int t[8] = {[2] = n, 5, [6] = 1};
            struct g w = {1, .c = {n}};
            y[0] = x.a + t[n] + w.c[n];
        }"""
    found = show_body(program(text, "c").function("f").body)
    assert "struct g{n, 1.5f}" in found
    assert "i32[8]{0, 0, n, 5, 0, 0, 1}" in found
    assert "struct g{1, 0.0, i32[4]{n}}" in found


def test_places_that_are_given_twice_are_left_out() -> None:
    found = result("void f(int *y, int n) { int t[4] = {[1] = n, [1] = 2}; y[0] = t[n]; }", "c")
    assert {d.code for d in found.diagnostics} == {"XP0205"}
