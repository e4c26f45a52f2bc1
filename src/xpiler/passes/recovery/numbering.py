"""Says what the lanes of a warp agree on in parallel coordinates, so that it can be computed once.

`int tid = threadIdx.x; int warp = tid / 32;`: the quotient is the warp's, but `tid` is each lane's.
With the coordinate in the place of `tid` the warp needs no lane's variable to know its number.
"""

from __future__ import annotations

from dataclasses import dataclass

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import map_children, substitute, walk
from xpiler.passes.recovery import nodes as n
from xpiler.passes.recovery.flow import effects
from xpiler.passes.recovery.uniformity import LANE, THREAD, Facts


def in_coordinates(body: s.Body, facts: Facts) -> s.Body:
    """`body` with uniform expressions over thread numbers that are kept in variables rewritten."""
    known = numbers(body, facts)
    return tuple(map(_Rewrite(known, facts).statement, body)) if known else body


def numbers(body: s.Body, facts: Facts) -> dict[str, e.Expr]:
    """Variables that hold a lane's or a thread's number from one definition on, as coordinates."""
    sites: dict[str, list[s.Stmt]] = {}
    for st in n.statements(body):
        _, defs, weak = effects(st)
        for name in defs | weak:
            sites.setdefault(name, []).append(st)
    found: dict[str, e.Expr] = {}
    for name, own in sites.items():
        st = own[0]
        if len(own) > 1 or not isinstance(st, s.Decl) or st.init is None:
            continue
        value = substitute(st.init, found)
        if facts.shapes.get(name) in (LANE, THREAD) and _coordinates(value):
            found[name] = value
    return found


def _coordinates(x: e.Expr) -> bool:
    """Whether `x` is arithmetic of coordinates and constants: the same wherever it is computed."""
    return all(isinstance(v, (e.Axis, e.Const, e.Binary, e.Cast)) for v in walk(x))


@dataclass
class _Rewrite:
    known: dict[str, e.Expr]
    facts: Facts

    def statement(self, st: s.Stmt) -> s.Stmt:
        inner = [tuple(map(self.statement, b)) for b in n.bodies(st)]
        bare = n.with_bodies(st, [() for _ in inner]) if inner else st
        new = n.edit_heads(bare, self.expression)
        return n.with_bodies(new, inner) if inner else new

    def expression(self, x: e.Expr) -> e.Expr:
        if isinstance(x, (e.Var, n.LaneRead)):
            return x
        if self.facts.uniform(x):
            new: e.Expr = substitute(x, self.known)
            return new
        return map_children(x, lambda c: self.expression(c) if isinstance(c, e.Expr) else c)
