"""Loops through pointers in structs, and through arrays of structs."""

from __future__ import annotations

import pytest
from tests.passes.lowering.simt.build import codes, kernels, lowered

from xpiler.ir.expr import Const
from xpiler.ir.text import show_body, show_function
from xpiler.ir.types import I64
from xpiler.passes.lowering import Origin

MATRIX = "typedef struct { float *data; int n; } Vec;\n"
BLOCK = "typedef struct { float scale; signed char values[32]; } Block;\n"


def test_pointers_in_structs_by_value_are_buffers_like_others() -> None:
    found = lowered(
        MATRIX + "void add(Vec c, Vec a) { for (int i = 0; i < c.n; i++) c.data[i] += a.data[i]; }"
    )
    assert "if (i < c.n)" in show_function(kernels(found)[0])
    assert "a.data and c.data are the same or do not overlap" in found.assumptions


def test_a_struct_in_a_struct_has_its_own() -> None:
    text = """typedef struct { Vec from, to; } Pair;
    void copy(Pair p) { for (int i = 0; i < p.to.n; i++) p.to.data[i] = p.from.data[i + 1]; }"""
    found = lowered(MATRIX + text)
    assert "if (i < p.to.n)" in show_function(kernels(found)[0])
    assert "p.from.data and p.to.data do not overlap" in found.assumptions


def test_a_pointer_in_a_struct_that_moves_is_in_the_way() -> None:
    text = "void f(Vec v, int n) { for (int i = 0; i < n; i++) { v.data[0] = i; v.data += 1; } }"
    assert codes(lowered(MATRIX + text))[0] == "XP1101"


def test_what_a_call_reads_through_a_struct_is_in_the_way_of_writes() -> None:
    text = """static float last(Vec v, int i) {
        float s = 0; for (int k = 0; k < i; k++) s += v.data[k]; return s; }
    void f(Vec v, float *y) { for (int i = 0; i < v.n; i++) WRITE = last(v, i); }"""
    assert codes(lowered(MATRIX + text.replace("WRITE", "v.data[i]")))[0] == "XP1101"
    (kernel,) = kernels(lowered(MATRIX + text.replace("WRITE", "y[i]")))
    assert "if (i < v.n)" in show_function(kernel)


def test_fields_of_different_elements_are_apart() -> None:
    text = """void f(const float *x, Block *y, int n) { for (int i = 0; i < n; i++) {
        y[i].scale = x[i]; for (int j = 0; j < 32; j++) y[i].values[j] = x[i] * j; } }"""
    found = lowered(BLOCK + text)
    assert "XP1101" not in codes(found)
    assert "block.x" in show_function(kernels(found)[0])


def test_fields_of_neighbours_are_not() -> None:
    text = """void f(Block *y, int n) { for (int i = 1; i < n; i++) {
        y[i].scale = y[i - 1].values[0]; y[i].values[0] = 3; } }"""
    assert "XP1101" in codes(lowered(BLOCK + text))


@pytest.mark.parametrize(
    ("body", "back"),
    [
        ("y.data[i] = x.data[i];", "y"),
        ("y.data[(int)x.data[i]] += 1;", "y"),
        ("const float *p = x.data + i; y.data[i] = p[1];", "y"),
        ("float *p = x.data + i; y.data[i] = p[0]; p[0] = 0;", "xy"),
        ("y.data[i] = x.data[i]; x.data[i] = 0;", "xy"),
    ],
)
def test_only_what_is_written_comes_back(body: str, back: str) -> None:
    text = f"void f(Vec x, Vec y) {{ for (int i = 0; i < y.n; i++) {{ {body} }} }}"
    sizes = {"x.data": Const(64, I64), "y.data": Const(64, I64)}
    host = show_body(
        lowered(MATRIX + text, origin=Origin("c", extents={"f": sizes})).program.function("f").body
    )
    assert "".join(n for n in "xy" if f"host.copy({n}.data," in host) == back


QUAD = "typedef struct { float x, y, z, w; float *other; } Quad;\n"
HELD = """void f(QUALQuad *a, int n) {
    for (int q = 0; q < n; q++) {
        Quad own = a[q];
        float *p = TARGET;
        for (int i = 0; i < 4; i++) p[i] = p[i] * p[i] + 1;
        a[q] = own;
    } }""".replace("QUAL", "")


def test_a_pointer_into_a_variable_of_the_iteration_is_its_own() -> None:
    found = lowered(QUAD + HELD.replace("TARGET", "&own.x"))
    assert codes(found) == []
    assert "if (q < n)" in show_function(kernels(found)[0])


def test_a_pointer_that_such_a_variable_holds_is_not() -> None:
    found = lowered(QUAD + HELD.replace("TARGET", "own.other"))
    assert "for q" in "".join(map(show_function, found.program.functions))


def test_threads_do_not_share_what_each_has_for_itself() -> None:
    """Iterations of `i` fall to threads; each would see its own element of `own` changed only."""
    text = """void f(float *a, const int *at, int n) {
        for (int q = 0; q < n; q++) {
            Quad own = {a[at[q]], 1, 2, 3, 0};
            float *p = &own.x;
            for (int i = 0; i < 4; i++) p[i] = p[i] * p[i] + 1;
            a[at[q]] = own.y + own.w;
        } }"""
    shown = "".join(map(show_function, kernels(lowered(QUAD + text))))
    assert "thread.x" not in shown


def test_what_is_run_stays_callable_though_it_is_static() -> None:
    text = """static void add(float *y, int n) { for (int i = 0; i < n; i++) y[i] += 1; }
    void twice(float *y, int n) { add(y, n); add(y + n, n); }"""
    assert "add" not in [f.name for f in lowered(text).program.functions]
    asked = Origin("c", examples={"add": ()})
    assert "add" in [f.name for f in lowered(text, origin=asked).program.functions]


def test_a_pointer_made_of_a_number_may_point_anywhere() -> None:
    found = lowered(
        "void f(long *at, int n) { for (int q = 0; q < n; q++) {"
        " long where = at[q]; float *p = (float *)where; p[0] = 1; } }"
    )
    assert "for q" in "".join(map(show_function, found.program.functions))
