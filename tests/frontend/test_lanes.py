"""Records of C that are short vectors, and numbers that are copied by their bytes."""

from __future__ import annotations

import pytest

from xpiler.frontend import read
from xpiler.ir.check import check
from xpiler.ir.text import show_program
from xpiler.platforms.registry import platform

UNION = "typedef union { struct { float x, y, z, w; }; _Alignas(16) float s[4]; } Quad;\n"
STRUCT = "typedef struct { _Alignas(16) float x; float y, z, w; } Quad;\n"
CODE = """
static Quad quad(float a, float b) { return (Quad)INIT; }
static Quad twice(Quad q) { q.x *= 2; EACH return q; }
void f(float *y, int n) {
    for (int i = 0; i < n; i++) ((Quad *)y)[i] = twice(quad(y[4 * i], 1.0f));
}"""


def shown(text: str) -> str:
    result = read(text, "lanes.c", platform("c").words)
    assert not result.diagnostics, result.diagnostics
    assert check(result.program) == []
    return show_program(result.program)


@pytest.mark.parametrize(
    ("record", "init", "each"),
    [
        (UNION, "{{a, b, b, b}}", "for (int k = 1; k < 4; k++) q.s[k] += q.x;"),
        (STRUCT, "{a, b, b, b}", "q.y += q.x; q.w += q.x;"),
    ],
)
def test_lanes_in_one_place_are_a_vector(record: str, init: str, each: str) -> None:
    text = shown(record + CODE.replace("INIT", init).replace("EACH", each))
    assert "struct" not in text
    assert "f32[4]" in text


@pytest.mark.parametrize(
    "record",
    [
        UNION.replace("_Alignas(16) ", ""),  # a pointer to floats would have to be aligned
        UNION.replace("s[4]", "s[8]"),
        STRUCT.replace("y, z, w", "y, z, v"),
        STRUCT.replace("float y", "int y"),
    ],
)
def test_other_records_stay_what_they_are(record: str) -> None:
    found = read(record + "void f(Quad *q) { q->x = 1; }", "k.c", platform("c").words).program
    assert "f32x4" not in show_program(found)
    assert {d.name for d in found.structs} or "f32[" in show_program(found)


def test_bytes_of_a_number_as_all_that_a_struct_holds() -> None:
    text = shown("""#include <string.h>
typedef struct { unsigned short bits; } Half;
void f(Half *h, const short *x, short *y, int i) {
    memcpy(&h[i], &x[i], sizeof(Half));
    memcpy(&y[i], &h[i], 2);
}""")
    assert "h[i].bits = u16(x[i])" in text
    assert "y[i] = i16(h[i].bits)" in text
