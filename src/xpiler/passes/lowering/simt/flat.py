"""Arrays of arrays that a function takes as pointers to their elements, where it is inlined."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import rewrite_exprs, rewrite_stmts, walk
from xpiler.ir.types import I32, Array, Scalar, Type
from xpiler.passes.cleanup.fold import fold_binary
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
            return _element(array, rewrite_exprs(x.index, _counted), sizes, columns)
        return x

    def one(st: s.Stmt) -> s.Stmt:
        if isinstance(st, s.Instr) and st.name == "host.set" and _uncast(st.ins[0]) is flat:
            return replace(st, ins=(array, *st.ins[1:]))
        return st

    out: s.Body = rewrite_stmts(rewrite_exprs(body, place), one)
    return out


def _counted(x: e.Expr) -> e.Expr:
    """An operation on two constants as one."""
    if isinstance(x, e.Binary) and isinstance(x.a, e.Const) and isinstance(x.b, e.Const):
        known = all(isinstance(c.type, Scalar) and c.type.is_integer for c in (x, x.a, x.b))
        if known:
            return fold_binary(x.op, int(x.a.value), int(x.b.value), x.a.type, x.type) or x
    return x


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
    """The quotient and the rest of `x`, which is not negative, by `width`.

    Whole rows in a sum are the quotient where all else of it stays within a row: loop variables,
    as often as they are taken, and a constant.
    """
    t = x.type
    whole: e.Expr = w.const(0, t)
    rest: e.Expr = w.const(0, t)
    constant, most = 0, 0
    for times, of in _terms(x):
        if of is None:
            constant += times
        elif times % width == 0:
            whole = w.binary("+", whole, _times(of, times // width, t))
        else:
            end = columns.get(of.name) if isinstance(of, e.Var) else None
            most += times * (end - 1) if end is not None and times > 0 else width
            rest = w.binary("+", rest, _times(of, times, t))
    q, r = divmod(constant, width)
    if isinstance(t, Scalar) and t.is_signed and most + r < width:  # without a sign, sums wrap
        whole, rest = w.binary("+", whole, w.const(q, t)), w.binary("+", rest, w.const(r, t))
        return _narrow(whole), _narrow(rest)
    wide = w.const(width, x.type)
    return e.Binary("/", x, wide, x.type), e.Binary("%", x, wide, x.type)


def _times(x: e.Expr, times: int, t: Type) -> e.Expr:
    return w.binary("*", w.cast(x, t), w.const(times, t))


def _terms(x: e.Expr, times: int = 1) -> Iterator[tuple[int, e.Expr | None]]:
    """What `x` is the sum of: each something (None: 1) and how often it is taken."""
    x = _narrow(x)
    if isinstance(x, e.Const):
        yield times * int(x.value), None
    elif isinstance(x, e.Binary) and x.op in ("+", "-"):
        yield from _terms(x.a, times)
        yield from _terms(x.b, times if x.op == "+" else -times)
    elif isinstance(x, e.Binary) and x.op == "*" and isinstance(x.b, e.Const):
        yield from _terms(x.a, times * int(x.b.value))
    else:
        yield times, x


def _narrow(x: e.Expr) -> e.Expr:
    """A variable or a constant that index arithmetic has widened."""
    if isinstance(x, e.Cast) and isinstance(x.x, (e.Var, e.Const)):
        of, to = x.x.type, x.type
        if isinstance(of, Scalar) and isinstance(to, Scalar) and of.is_integer and to.is_integer:
            wider = to.bits > of.bits and (to.is_signed or not of.is_signed)
            return x.x if wider else x
    return x
