"""Arrays of arrays that a function takes as pointers to their elements, where it is inlined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import rewrite_exprs, rewrite_stmts, walk
from xpiler.ir.types import I32, Array, Type
from xpiler.passes.lowering.simt import words as w


def array_of_rows(p: e.Expr) -> e.Expr | None:
    """The array of arrays that `p`, a pointer to an element, points to the start of."""
    first = p.x if isinstance(p, e.AddressOf) else p
    while isinstance(p, e.AddressOf) and isinstance(first, e.Index) and w.is_const(first.index, 0):
        first = first.base
    rows = isinstance(first.type, Array) and isinstance(first.type.elem, Array)
    return first if rows else None


def in_rows(body: s.Body, name: str, array: e.Expr) -> s.Body:
    """`body` with `array[x / 4][x % 4]` for `name[x]`, where that is an array of rows of 4.

    Fillings of what `name` points to are fillings of `array`.
    """
    sizes = dims(array.type)[0][1:]
    columns = _below(body)
    first: e.Expr = array
    while isinstance(first.type, Array):
        first = e.Index(first, w.const(0, I32), first.type.elem)
    flat = e.address_of(first)

    def place(x: e.Expr) -> e.Expr:
        if isinstance(x, e.Var) and x.name == name:
            return flat
        if isinstance(x, e.Index) and x.base is flat:
            return _element(array, x.index, sizes, columns)
        return x

    def one(st: s.Stmt) -> s.Stmt:
        if isinstance(st, s.Instr) and st.name == "host.set" and _uncast(st.ins[0]) is flat:
            return replace(st, ins=(array, *st.ins[1:]))
        return st

    out: s.Body = rewrite_stmts(rewrite_exprs(body, place), one)
    return out


def _uncast(p: e.Expr) -> e.Expr:
    while isinstance(p, e.Cast):
        p = p.x
    return p


def dims(t: Type) -> tuple[list[int], Type]:
    """How many elements an array of arrays has in each direction, and what they are."""
    counts: list[int] = []
    while isinstance(t, Array):
        counts.append(t.size or 0)
        t = t.elem
    return counts, t


def _below(body: s.Body) -> Mapping[str, int]:
    """The ends of the loops from 0 to a constant, by their variables."""
    return {
        n.var.name: int(n.hi.value)
        for n in walk(body)
        if isinstance(n, s.For) and w.is_const(n.lo, 0) and isinstance(n.hi, e.Const)
    }


def _element(array: e.Expr, x: e.Expr, sizes: list[int], columns: Mapping[str, int]) -> e.Expr:
    """Number `x` of the elements of `array`, whose rows have `sizes`."""
    place = array
    for k in range(len(sizes)):
        width = 1
        for n in sizes[k:]:
            width *= n
        row, x = _split(x, width, columns)
        assert isinstance(place.type, Array)
        place = e.Index(place, row, place.type.elem)
    assert isinstance(place.type, Array)
    return e.Index(place, x, place.type.elem)


def _split(x: e.Expr, width: int, columns: Mapping[str, int]) -> tuple[e.Expr, e.Expr]:
    """The quotient and the rest of `x` by `width`."""
    if isinstance(x, e.Const):
        q, r = divmod(int(x.value), width)
        return w.const(q, x.type), w.const(r, x.type)
    if isinstance(x, e.Binary) and x.op == "+":
        for row, rest in ((x.a, x.b), (x.b, x.a)):
            inside = isinstance(rest, e.Var) and columns.get(rest.name, width + 1) <= width
            inside = inside or (isinstance(rest, e.Const) and 0 <= rest.value < width)
            if inside and isinstance(row, e.Binary) and row.op == "*" and w.is_const(row.b, width):
                return row.a, rest
    wide = w.const(width, x.type)
    return e.Binary("/", x, wide, x.type), e.Binary("%", x, wide, x.type)
