"""Which variables a body reads and writes: what compilers call used, what a loop shares."""

from __future__ import annotations

from collections.abc import Iterator

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.intrinsics import math_functions
from xpiler.ir.rewrite import children, walk
from xpiler.ir.types import Array, Struct, Vector


def root(place: e.Expr) -> e.Var | None:
    """The variable whose own storage a place lies in; None behind a pointer."""
    while True:
        if isinstance(place, e.Var):
            return place
        if isinstance(place, e.Field) or (
            isinstance(place, e.Index) and isinstance(place.base.type, (Array, Vector, Struct))
        ):
            place = place.base
        else:
            return None


def written_places(st: s.Stmt) -> tuple[e.Expr, ...]:
    """The places that a statement itself writes."""
    if isinstance(st, s.Assign):
        return (st.target,)
    return st.outs if isinstance(st, s.Instr) else ()


def _inside(place: e.Expr) -> Iterator[e.Expr]:
    """The expressions that are evaluated to find a place of a variable: its subscripts."""
    while not isinstance(place, e.Var):
        if isinstance(place, e.Index):
            yield place.index
        assert isinstance(place, (e.Field, e.Index))
        place = place.base


def _read_here(st: s.Stmt | s.Case) -> Iterator[e.Expr]:
    """The expressions that a statement evaluates for their value, nested statements left out."""
    skip: list[object] = []
    if isinstance(st, s.Stmt):
        for place in written_places(st):
            if root(place) is not None:
                skip.append(place)
                yield from _inside(place)
    if isinstance(st, (s.Decl, s.For)):
        skip.append(st.var)
    for child in children(st):
        if isinstance(child, e.Expr) and not any(child is x for x in skip):
            yield child


def statements(body: s.Body) -> Iterator[s.Stmt | s.Case]:
    return (n for n in walk(body) if isinstance(n, (s.Stmt, s.Case)))


def reads(body: s.Body) -> set[str]:
    """Names of the variables whose value is used."""
    return {
        n.name
        for st in statements(body)
        for x in _read_here(st)
        for n in walk(x)
        if isinstance(n, e.Var)
    }


def names_in(n: e.Expr) -> set[str]:
    """Names of the variables in an expression."""
    return {x.name for x in walk(n) if isinstance(x, e.Var)}


def declared(body: s.Body) -> set[str]:
    """Names of the variables that a body declares."""
    return {n.var.name for n in walk(body) if isinstance(n, (s.Decl, s.For))}


def written_scalars(body: s.Body) -> set[str]:
    """Names of the variables that are written as a whole or in a field."""
    roots = (
        (place, root(place))
        for st in statements(body)
        if isinstance(st, s.Stmt)
        for place in written_places(st)
    )
    return {r.name for place, r in roots if r is not None and not isinstance(r.type, Array)}


def pure(n: e.Expr | None) -> bool:
    """Whether evaluating `n` has no effect."""
    return n is None or all(
        not isinstance(x, e.Call) or x.func in math_functions() for x in walk(n)
    )


def shareable(loop: s.For) -> bool:
    """Whether a parallel loop's iterations stay independent when threads share what is outside."""
    if written_scalars(loop.body) - declared(loop.body):
        return False
    for n in walk(loop.body):
        if isinstance(n, s.Return) or (isinstance(n, s.Instr) and n.name.startswith("atomic.")):
            return False
    return not _leaves(loop.body)


def _leaves(body: s.Body) -> bool:
    """Whether a `break` in `body` leaves the loop that `body` belongs to."""
    for st in body:
        if isinstance(st, s.Break):
            return True
        if isinstance(st, s.If) and (_leaves(st.then) or _leaves(st.orelse)):
            return True
        if isinstance(st, s.Scope) and _leaves(st.body):
            return True
    return False
