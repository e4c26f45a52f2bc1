"""Writes that only one iteration of a loop makes: `if (lane == 0) y[row] = sum[lane];`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from xpiler.analysis.dependence import not_aliased
from xpiler.analysis.effects import assigned, declared, root
from xpiler.analysis.pointers import target
from xpiler.analysis.ranges import Facts
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import fresh_name, rewrite_stmts, walk
from xpiler.ir.types import Array, Pointer, Scalar


def without_single(loop: s.For, facts: Facts, taken: set[str]) -> s.For:
    """`loop` for the analysis: places that one iteration alone touches become its own variables.

    What such a place is called occurs nowhere else in the loop, and no other pointer of the loop
    leads there.
    """
    alone = _alone(loop)
    if alone is None:
        return loop
    bases = {n.base for n in walk(loop.body) if isinstance(n, e.Index)}
    for place in _written(alone):
        name = root(place)
        uses = [n for n in walk(loop.body) if isinstance(n, e.Var) and n.name == name]
        own = [n for st in alone for n in walk(st) if isinstance(n, e.Var) and n.name == name]
        if len(uses) != len(own) or not _apart(place, bases, facts):
            continue
        loop = replace(loop, body=rewrite_stmts(loop.body, _dropped(place, taken)))
    return loop


def _alone(loop: s.For) -> list[s.If] | None:
    """Branches that exactly one iteration takes, the same one; None without them."""
    found: list[s.If] = []
    which: set[e.Expr] = set()
    fixed = assigned(loop.body)
    own = declared(loop.body)
    for n in walk(loop.body):
        if not isinstance(n, s.If) or n.orelse:
            continue
        c = n.cond
        if not isinstance(c, e.Binary) or c.op != "==" or not isinstance(c.b, e.Const):
            continue
        a = c.a.x if isinstance(c.a, e.Cast) and _widens(c.a) else c.a
        if isinstance(a, e.Var) and a.name in own and a.name not in fixed:
            a = own[a.name].init or a
        if _steps(a, loop, fixed | set(own)):
            found.append(n)
            which.add(e.compare("==", a, c.b))
    return found if len(which) == 1 else None


def _widens(x: e.Cast) -> bool:
    t, source = x.type, x.x.type
    if not isinstance(t, Scalar) or not isinstance(source, Scalar):
        return False
    return t.is_integer and source.is_integer and t.bits >= source.bits


def _steps(x: e.Expr, loop: s.For, moving: frozenset[str] | set[str]) -> bool:
    """Whether `x` is the loop's variable and something that stays: different in each iteration."""
    if x == loop.var:
        return True
    if isinstance(x, e.Binary) and x.op == "+":
        for mine, other in ((x.a, x.b), (x.b, x.a)):
            names = {n.name for n in walk(other) if isinstance(n, e.Var)}
            reads = any(isinstance(n, (e.Index, e.Call)) for n in walk(other))
            if mine == loop.var and not reads and not names & ({loop.var.name} | moving):
                return True
    return False


def _written(branches: list[s.If]) -> Iterator[e.Index]:
    for st in branches:
        for n in walk(st.then):
            if isinstance(n, s.Assign) and isinstance(n.target, e.Index):
                yield n.target


def _apart(place: e.Index, bases: set[e.Expr], facts: Facts) -> bool:
    """Whether no other pointer of the loop reaches what `place` is part of."""
    if not isinstance(place.base, e.Var) or not isinstance(place.base.type, (Pointer, Array)):
        return False
    others = {b for b in bases if b != place.base}
    if any(isinstance(n, e.Var) and n == place.base for n in walk(place.index)):
        return False
    mine = target(place.base, facts)
    found = [target(b, facts) for b in others]
    return mine is not None and all(
        x is not None and x.root != mine.root and not_aliased(x.root, mine.root, facts)
        for x in found
    )


def _dropped(place: e.Index, taken: set[str]) -> Callable[[s.Stmt], s.Stmt]:
    def one(st: s.Stmt) -> s.Stmt:
        if isinstance(st, s.Assign) and st.target == place:
            return s.Decl(e.Var(fresh_name("alone", taken), place.type), st.value)
        return st

    return one
