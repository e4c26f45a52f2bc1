"""Loops that give every element of an array a new value, so that the old ones are dead."""

from __future__ import annotations

from collections.abc import Iterator

from xpiler.analysis.effects import names_in
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import walk
from xpiler.passes.cleanup.fold import int_value
from xpiler.passes.cleanup.nests import from_zero


def dealt(st: s.Stmt, name: str, first: int, end: int) -> int | None:
    """Where in the body of the loop `st` an element of the array `name` gets its value, if each of
    [first, end) gets one, in an iteration of its own that touches no other; else None."""
    if not isinstance(st, s.For) or not from_zero(st):
        return None
    hi = int_value(st.hi)
    if hi is None or hi < end or first != 0:
        return None
    for k, inner in enumerate(st.body):
        if name not in names_in(inner):
            continue
        if not isinstance(inner, s.Assign) or inner.op or name in names_in(inner.value):
            return None
        places = list(elements(st, name))
        alone = all(x.index == st.var for x in places)
        return k if alone and len(places) == _mentions(st, name) else None
    return None


def dead_before(rest: s.Body, name: str, first: int, end: int) -> int:
    """How many statements of `rest` can still read what [first, end) of the array holds now."""
    for k, st in enumerate(rest):
        if dealt(st, name, first, end) is not None:
            return k
    return len(rest)


def elements(node: s.Stmt | s.Body, name: str) -> Iterator[e.Index]:
    """Every place in `node` that is an element of the array `name`."""
    for n in walk(node):
        if isinstance(n, e.Index) and isinstance(n.base, e.Var) and n.base.name == name:
            yield n


def _mentions(node: s.Stmt, name: str) -> int:
    return sum(1 for n in walk(node) if isinstance(n, e.Var) and n.name == name)
