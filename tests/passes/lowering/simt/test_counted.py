"""Loops that count, and what becomes of pointers that walk along with them."""

from __future__ import annotations

from xpiler.frontend import read
from xpiler.ir.text import show_body
from xpiler.passes.lowering.simt.counted import counted
from xpiler.platforms.registry import platform


def body(text: str) -> str:
    program = read(f"void f(float *y, int n, int m) {{ {text} }}", "f.c", platform("c").words)
    return show_body(counted(program.program.function("f")).body)


def test_a_pointer_that_starts_anew_in_each_turn_is_a_sum() -> None:
    found = body(
        "for (int i = 0; i < n; i++) { float *p = y + i; int j = 0;"
        " while (j < m) { *p = j; j++; p += n; } }"
    )
    assert "for j: i32 in [0, m)" in found
    assert "p[(i64(j) * i64(n))] = " in found
    assert "+=" not in found


def test_a_pointer_that_walks_on_goes_its_whole_way_behind_the_inner_loop() -> None:
    """The outer loop's next turn starts there."""
    found = body(
        "int i = 0; while (i < n) { int j = 0; while (j < m) { *y = j; j++; y += 2; } i++; }"
    )
    assert "for i: i32 in [0, n)" in found
    assert "for j: i32 in [0, m)" in found
    assert "    y[(i64(j) * 2)] = " in found
    assert "  y += (((0 < m) ? i64(m) : 0) * 2)" in found


def test_a_pointer_that_is_used_later_is_where_the_loop_left_it() -> None:
    found = body("for (int j = 0; j < m; j++, y += 3) *y = j; *y = 7;")
    assert "y += (((0 < m) ? i64(m) : 0) * 3)" in found
