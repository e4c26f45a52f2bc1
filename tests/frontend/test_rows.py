"""Pointers to rows and arrays of variable length are read as pointers to numbers."""

import pytest

from xpiler.frontend import read
from xpiler.ir.check import check
from xpiler.ir.text import show_program
from xpiler.platforms.registry import platform


def _shown(text: str) -> str:
    result = read(text, "rows.c", platform("c").words)
    assert not result.diagnostics
    assert check(result.program) == []
    return show_program(result.program)


def test_a_parameter_with_rows_of_variable_length() -> None:
    shown = _shown("void f(int n, int m, float a[n][m]) { a[1][2] = a[n - 1][m - 1]; }")
    assert "a: f32*" in shown
    assert "a[(i64(m) + 2)] = a[((i64((n - 1)) * i64(m)) + i64((m - 1)))]" in shown


def test_constness_and_macros_are_kept() -> None:
    shown = _shown("#define K 48\nvoid f(const float a[8][K], float *y) { y[0] = a[3][4]; }")
    assert "a: const f32*" in shown
    assert "a[((3 * K) + 4)]" in shown


def test_a_cast_to_rows() -> None:
    shown = _shown(
        "void f(float *x, int h, int w) { float (*X)[h][w] = (float (*)[h][w])x; X[1][2][3] = 0; }"
    )
    assert "X[(((i64(h) + 2) * i64(w)) + 3)] = 0" in shown


@pytest.mark.parametrize(
    ("row", "place"),
    [
        ("float *p = a[2]; p[1] = 0;", "(a + (2 * i64(m)))"),
        ("float *p = &a[2][1]; *p = 0;", "&a[((2 * i64(m)) + 1)]"),
        ("float (*p)[m] = a + 2; (*p)[1] = 0;", "(a + (2 * i64(m)))"),
    ],
)
def test_rows_as_pointers(row: str, place: str) -> None:
    assert place in _shown(f"void f(int m, float (*a)[m]) {{ {row} }}")


def test_extents_are_those_of_the_declaration() -> None:
    shown = _shown("void f(int m, float (*a)[m]) { m = m + 1; a[1][0] = 0; }")
    assert "a[i64(extent)]" in shown


def test_a_local_array_of_variable_length_is_freed() -> None:
    shown = _shown("float f(int n) { float t[n][4]; t[1][2] = 1; return t[1][2]; }")
    assert "host.alloc" in shown
    assert shown.index("host.free(t)") < shown.index("return")


def test_a_difference_of_rows_is_refused() -> None:
    result = read("long f(int m, float (*a)[m], float (*b)[m]) { return a - b; }", "rows.c",
                  platform("c").words)  # fmt: skip
    assert [d.code for d in result.diagnostics if d.severity == "error"] or not (
        result.program.functions
    )


@pytest.mark.parametrize(
    ("size", "bytes_"),
    [
        ("sizeof(float[n][m])", "(u64((i64(n) * i64(m))) * sizeof(float))"),
        ("sizeof(short[n + 1][2])", "(u64((i64((n + 1)) * i64(2))) * sizeof(short))"),
        ("sizeof(index_t[m])", "(u64(m) * sizeof(int))"),
        ("n * sizeof *a", "(u64(n) * (u64(m) * sizeof(float)))"),
        ("sizeof(a[0]) * n", "((u64(m) * sizeof(float)) * u64(n))"),
    ],
)
def test_sizes_of_what_has_extents_that_are_values(size: str, bytes_: str) -> None:
    text = "#include <stdlib.h>\ntypedef int index_t;\nvoid f(float *y, int n, int m) {"
    shown = _shown(f"{text} float (*a)[m] = malloc({size}); y[0] = a[0][1]; free(a); }}")
    assert f"host.alloc({bytes_})" in shown
