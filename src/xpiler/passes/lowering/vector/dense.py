"""A loop that reads at a distance which a parameter says has a version for neighbours.

`for t: y[t] = x[t * stride]` reads neighbours where `stride` is 1, which is what most callers give.
"""

from __future__ import annotations

from dataclasses import replace

from xpiler.analysis.effects import assigned, declared, loop_vars, names_in
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import fresh_name, rewrite_exprs, walk
from xpiler.ir.types import I32
from xpiler.passes.lowering.simt.inline import renamed


def distances(loop: s.For) -> list[e.Var]:
    """The variables that `loop` multiplies its own by, but not to say what it writes.

    Nor is one meant that ends an inner loop: that is the length of a row.
    """
    fixed = assigned(loop.body) | declared(loop.body).keys() | loop_vars(loop.body)
    written = {
        x for n in walk(loop.body) if isinstance(n, s.Assign) for x in names_in(n.target)
    } | names_in((loop.lo, loop.hi))
    written |= {x for n in walk(loop.body) if isinstance(n, s.For) for x in names_in((n.lo, n.hi))}
    found: list[e.Var] = []
    for n in walk(loop.body):
        if isinstance(n, e.Binary) and n.op == "*":
            for i, v in ((n.a, n.b), (n.b, n.a)):
                if not isinstance(v, e.Var) or _bare(i) != loop.var or v.type != I32:
                    continue
                if v.name not in written | fixed and v not in found:
                    found.append(v)
    return found


def side_by_side(loop: s.For, distance: e.Var, taken: set[str]) -> s.For:
    """`loop` where `distance` is 1, with names of its own."""
    own = {n.var.name: n.var for n in walk(loop) if isinstance(n, (s.Decl, s.For))}
    fresh: dict[str, e.Var] = {}
    for name, v in own.items():
        fresh[name] = replace(v, name=fresh_name(name, taken))
        taken.add(fresh[name].name)
    one = e.Const(1, I32)
    (new,) = renamed((loop,), fresh, {**fresh, distance.name: one})
    assert isinstance(new, s.For)
    body: s.Body = rewrite_exprs(new.body, _without_ones)
    return replace(new, body=body)


def either(distance: e.Var, near: s.Body, far: s.Body) -> s.Stmt:
    """`near` where the distance is 1, else `far`."""
    return s.If(e.compare("==", distance, e.Const(1, I32)), near, far)


def _without_ones(x: e.Expr) -> e.Expr:
    if isinstance(x, e.Binary) and x.op == "*":
        for one, other in ((x.a, x.b), (x.b, x.a)):
            if isinstance(_bare(one), e.Const) and _bare(one).value == 1 and other.type == x.type:  # type: ignore[attr-defined]
                return other
    return x


def _bare(x: e.Expr) -> e.Expr:
    return _bare(x.x) if isinstance(x, e.Cast) else x
