"""What is the same for all lanes is computed once.

In a loop of constant length, a declaration that does not depend on the loop moves in front of it,
and an array each of whose elements gets one and the same value is a scalar.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from xpiler.analysis.effects import (
    ANY,
    declared,
    escapes,
    is_memory,
    names_in,
    of_body,
    of_expr,
    stored,
)
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import fresh_name, rewrite_exprs, walk
from xpiler.ir.types import Array, Scalar
from xpiler.passes.cleanup.base import Context, each_function
from xpiler.passes.cleanup.bodies import each_body
from xpiler.passes.cleanup.fold import int_value
from xpiler.passes.cleanup.overwrites import dealt, elements


@dataclass(frozen=True)
class Uniform:
    """Values that do not depend on the lane leave the loop over lanes."""

    name: str = "uniform"

    def apply(self, program: Program, ctx: Context) -> Program:
        def one(f: Function) -> Function:
            taken = {p.name for p in f.params} | set(names_in(f.body))
            body = each_body(f.body, _hoisted)
            body = each_body(body, lambda b: _scalars(b, taken))
            return replace(f, body=body) if body is not f.body else f

        return each_function(program, one)


def _runs(st: s.Stmt) -> bool:
    """Whether `st` is a loop over lanes: of constant length, and not empty."""
    if not isinstance(st, s.For):
        return False
    lo, hi = int_value(st.lo), int_value(st.hi)
    return lo is not None and hi is not None and lo < hi


def _hoisted(body: s.Body) -> s.Body:
    out: list[s.Stmt] = []
    for st in body:
        if _runs(st):
            assert isinstance(st, s.For)
            same = [d for d in st.body if _same(d, st)]
            told = [x for x in st.body if _told(x, st)]
            out += same
            if same or told:
                st = replace(st, body=tuple(x for x in st.body if x not in same + told))
            out += [st, *told] if st.body else told
            continue
        out.append(st)
    return tuple(out) if tuple(out) != body else body


def _same(d: s.Stmt, loop: s.For) -> bool:
    """Whether the declaration is the same in each iteration: arithmetic on what stays."""
    if not isinstance(d, s.Decl) or d.init is None or not isinstance(d.var.type, Scalar):
        return False
    inside = {n.var.name for n in walk(loop) if isinstance(n, (s.Decl, s.For))}
    fixed = stored(loop.body) - {d.var.name}
    if d.var.name in stored(tuple(st for st in loop.body if st is not d)):
        return False
    return _pure(d.init) and not names_in(d.init) & (inside | fixed)


def _told(x: s.Stmt, loop: s.For) -> bool:
    """Whether `x` sets a variable to a constant that nothing else in the loop has to do with."""
    if not isinstance(x, s.Assign) or x.op or not isinstance(x.target, e.Var):
        return False
    rest = tuple(st for st in loop.body if st is not x)
    mine = x.target.name in declared(loop.body) or x.target.name in names_in(rest) | stored(rest)
    return isinstance(x.value, e.Const) and not mine and not escapes(loop.body)


def _pure(x: e.Expr) -> bool:
    """Arithmetic without memory; no integer division, which may trap."""
    if of_expr(x).other or any(isinstance(n, (e.Index, e.Field, e.AddressOf)) for n in walk(x)):
        return False
    return not any(
        isinstance(n, e.Binary)
        and n.op in ("/", "%")
        and not (isinstance(n.type, Scalar) and n.type.is_float)
        and not int_value(n.b)
        for n in walk(x)
    )


def _scalars(body: s.Body, taken: set[str]) -> s.Body:
    """`body` with a scalar for every array of equal elements that is filled once."""
    for d in body:
        if not isinstance(d, s.Decl) or not isinstance(d.var.type, Array) or d.init is not None:
            continue
        new = _scalar(body, d, taken)
        if new is not None:
            return _scalars(new, taken)
    return body


def _scalar(body: s.Body, d: s.Decl, taken: set[str]) -> s.Body | None:
    t = d.var.type
    assert isinstance(t, Array)
    users = [k for k, st in enumerate(body) if d.var.name in names_in(st) and st is not d]
    if not users or t.size is None or not isinstance(t.elem, Scalar):
        return None
    at = users[0]
    loop = body[at]
    where = dealt(loop, d.var.name, 0, t.size)
    if where is None or not isinstance(loop, s.For):
        return None
    first = loop.body[where]
    assert isinstance(first, s.Assign)
    if sum(1 for _ in _stores(body, d.var.name)) != 1 or not _only_elements(body, d.var):
        return None
    effects = of_body(loop.body)
    if effects.other or ANY in effects.writes or not _stays(first.value, loop):
        return None
    v = e.Var(fresh_name(d.var.name.split(".")[0], taken), t.elem)
    taken.add(v.name)
    rest = replace(loop, body=(*loop.body[:where], *loop.body[where + 1 :]))
    new = s.Decl(v, first.value, loc=first.loc, comments=first.comments)
    whole = (*body[:at], new, rest, *body[at + 1 :])
    return tuple(st for st in rewrite_exprs(whole, lambda x: v if _of(x, d) else x) if st != d)


def _stays(x: e.Expr, loop: s.For) -> bool:
    inside = {n.var.name for n in walk(loop) if isinstance(n, (s.Decl, s.For))}
    return _pure(x) and not names_in(x) & (inside | stored(loop.body))


def _of(x: e.Expr, d: s.Decl) -> bool:
    return isinstance(x, e.Index) and x.base == d.var


def _stores(body: s.Body, name: str) -> list[s.Assign]:
    return [
        n for n in walk(body)
        if isinstance(n, s.Assign) and is_memory(n.target) and name in _base(n.target)
    ]  # fmt: skip


def _base(x: e.Expr) -> tuple[str, ...]:
    base = x.base if isinstance(x, (e.Index, e.Field)) else x
    return (base.name,) if isinstance(base, e.Var) else ()


def _only_elements(body: s.Body, array: e.Var) -> bool:
    """Whether the array is only ever subscripted, and written by assignments alone."""
    met = sum(1 for n in walk(body) if isinstance(n, e.Var) and n.name == array.name)
    outs = any(array.name in names_in(n) for n in walk(body) if isinstance(n, s.Instr))
    return not outs and met - 1 == sum(1 for _ in elements(body, array.name))


__all__ = ["Uniform"]
