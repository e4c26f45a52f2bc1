"""Launch dimensions that host code sets one by one, as variables of their own.

`dim.x = 8; dim.y = 1; kernel<<<dim, ..>>>()` says how the kernel is launched as plainly as
`dim3 dim(8, 1)` does, once each component is a variable whose values can be followed.
"""

from __future__ import annotations

from dataclasses import replace

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import children, fresh_name, rewrite_exprs, rewrite_stmts, variables, walk
from xpiler.ir.types import Vector

LANES = "xyzw"


def split_components(program: Program) -> Program:
    """Vectors of host code that are written by components, split where nothing takes them whole."""
    return replace(program, functions=tuple(_split(f) for f in program.functions))


def _split(f: Function) -> Function:
    if f.role != "host" or not any(isinstance(st, s.Launch) for st in walk(f.body)):
        return f
    taken = {p.name for p in f.params} | variables(f.body)
    parts: dict[tuple[str, str], e.Var] = {}
    for v in _candidates(f):
        assert isinstance(v.type, Vector)
        for lane in LANES[: v.type.lanes]:
            name = fresh_name(f"{v.name}_{lane}", taken)
            taken.add(name)
            parts[v.name, lane] = e.Var(name, v.type.elem)
    if not parts:
        return f
    names = {name for name, _ in parts}

    def declared(st: s.Stmt) -> s.Stmt | s.Body:
        if not isinstance(st, s.Decl) or st.var.name not in names:
            return st
        items = st.init.items if isinstance(st.init, e.Aggregate) else (None,) * len(LANES)
        own = [v for (name, _), v in parts.items() if name == st.var.name]
        return tuple(replace(st, var=v, init=x) for v, x in zip(own, items, strict=False))

    def component(x: e.Expr) -> e.Expr:
        if isinstance(x, e.Field) and isinstance(x.base, e.Var):
            return parts.get((x.base.name, x.name), x)
        return x

    return replace(f, body=rewrite_exprs(rewrite_stmts(f.body, declared), component))


def _candidates(f: Function) -> list[e.Var]:
    """Variables declared once, with all components given or none, used by components only."""
    declared = [n for n in walk(f.body) if isinstance(n, s.Decl) and _divisible(n)]
    written = {
        n.target.base.name
        for n in walk(f.body)
        if isinstance(n, s.Assign)
        and isinstance(n.target, e.Field)
        and isinstance(n.target.base, e.Var)
    }
    whole = _taken_whole(f)
    once = [d.var for d in declared if sum(o.var.name == d.var.name for o in declared) == 1]
    return [v for v in once if v.name in written and v.name not in whole]


def _divisible(d: s.Decl) -> bool:
    t = d.var.type
    if not isinstance(t, Vector) or t.lanes > len(LANES):
        return False
    return d.init is None or (isinstance(d.init, e.Aggregate) and len(d.init.items) == t.lanes)


def _taken_whole(f: Function) -> set[str]:
    """Variables that occur other than as the base of a component (or where they are declared)."""
    found: set[str] = set()

    def visit(n: e.Expr | s.Stmt | s.Case) -> None:
        if isinstance(n, e.Var):
            found.add(n.name)
        for child in children(n):
            by_part = isinstance(n, e.Field) and child is n.base and isinstance(n.base, e.Var)
            declares = isinstance(n, s.Decl) and child is n.var
            if not by_part and not declares:
                visit(child)

    for st in f.body:
        visit(st)
    return found
