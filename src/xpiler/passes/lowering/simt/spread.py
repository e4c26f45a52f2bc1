"""Arrays of a host function that start with values, and change: the values become statements."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from xpiler.analysis.effects import set_once, stored
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function
from xpiler.ir.rewrite import fresh_name
from xpiler.ir.types import I32, Array, Type

MOST_VALUES = 64


def spread(f: Function, taken: set[str]) -> Function:
    """`f`, in which arrays outside loops that are written later are declared without values.

    A device buffer has none when it is allocated: loops and assignments give them.
    """
    changed = stored(f.body)
    out: list[s.Stmt] = []
    for st in f.body:
        values = _values(st) if isinstance(st, s.Decl) and st.var.name in changed else None
        if not isinstance(st, s.Decl) or values is None or set_once(f.body, st):
            out.append(st)
        else:
            out += [
                replace(st, init=None, const=False),
                *_zeros(st.var, st.var.type, taken),
                *values,
            ]
    return f.with_body(tuple(out))


def _values(st: s.Decl) -> list[s.Stmt] | None:
    """Assignments of an array's elements that are not zero; None for others and long lists."""
    t = st.var.type
    if not isinstance(t, Array) or not isinstance(st.init, e.Aggregate) or st.space != "local":
        return None
    places = list(_given(st.var, t, st.init))
    if len(places) > MOST_VALUES or any(isinstance(x, e.Aggregate) for _, x in places):
        return None
    return [s.Assign(place, x) for place, x in places]


def _given(place: e.Expr, t: Array, init: e.Aggregate) -> Iterator[tuple[e.Expr, e.Expr]]:
    for k, x in enumerate(init.items):
        item = e.Index(place, e.Const(k, I32), t.elem)
        if isinstance(t.elem, Array) and isinstance(x, e.Aggregate):
            yield from _given(item, t.elem, x)
        elif not (isinstance(x, e.Const) and x.value == 0):
            yield item, x


def _zeros(place: e.Expr, t: Type, taken: set[str]) -> list[s.Stmt]:
    """Loops that set every element to zero."""
    assert isinstance(t, Array)
    assert t.size is not None
    i = e.Var(fresh_name("i", taken), I32)
    item = e.Index(place, i, t.elem)
    inner = (
        _zeros(item, t.elem, taken)
        if isinstance(t.elem, Array)
        else [s.Assign(item, e.Const(0, t.elem))]
    )
    size = e.Const(t.size, I32)
    return [s.For(i, e.Const(0, I32), size, e.Const(1, I32), tuple(inner))]
