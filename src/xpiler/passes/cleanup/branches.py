"""What both branches of a condition step by the same amount steps once, behind them.

`if (c) *p++ = a; else *p++ = b;` is `if (c) *p = a; else *p = b; p++;`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from xpiler.analysis.effects import assigned, declared, escapes, names_in
from xpiler.analysis.ranges import is_int
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import rewrite_stmts, substitute, walk
from xpiler.ir.types import Pointer
from xpiler.passes.cleanup.base import Context, each_function


@dataclass(frozen=True)
class Branches:
    """Steps of pointers and counters that do not depend on a condition, behind it."""

    name: str = "branches"

    def apply(self, program: Program, ctx: Context) -> Program:
        return each_function(program, _function)


def _function(f: Function) -> Function:
    lent = {n.x.name for n in walk(f.body) if isinstance(n, e.AddressOf) and isinstance(n.x, e.Var)}
    own = ({p.name for p in f.params} | set(declared(f.body))) - lent

    def one(st: s.Stmt) -> s.Stmt | s.Body:
        return _joined(st, own) if isinstance(st, s.If) and st.orelse else st

    body = rewrite_stmts(f.body, one)
    return f if body is f.body else f.with_body(body)


def _joined(st: s.If, own: set[str]) -> s.Stmt | s.Body:
    """`st` and the steps behind it, of variables `own` that nobody else sees."""
    if escapes(st):
        return st
    behind: list[s.Stmt] = []
    for step in _steps(st.then):
        other = next((x for x in _steps(st.orelse) if x == step), None)
        if other is None or step.target.name not in own:  # type: ignore[attr-defined]
            continue
        st = replace(st, then=_without(st.then, step), orelse=_without(st.orelse, other))
        behind.append(step)
    return (st, *behind) if behind else st


def _steps(body: s.Body) -> Iterator[s.Assign]:
    """Statements of `body` that step a variable which nothing else there changes."""
    changed = assigned(body)
    for k, st in enumerate(body):
        if not isinstance(st, s.Assign) or not isinstance(st.target, e.Var):
            continue
        v = st.target
        counts = isinstance(v.type, Pointer) or is_int(v.type)
        if not counts or st.op not in ("+", "-") or not _is_steady(st.value, changed):
            continue
        own = any(isinstance(x, s.Decl) and x.var == v for x in body)
        if not own and v.name not in assigned((*body[:k], *body[k + 1 :])):
            yield st


def _is_steady(x: e.Expr, changed: frozenset[str]) -> bool:
    plain = not any(isinstance(n, (e.Index, e.Call, e.Field, e.AddressOf)) for n in walk(x))
    return plain and not names_in(x) & changed


def _without(body: s.Body, step: s.Assign) -> s.Body:
    """`body` without the step: what followed it uses the sum."""
    k = next(k for k, st in enumerate(body) if st == step)
    v = step.target
    assert isinstance(v, e.Var)
    way = step.value
    if isinstance(v.type, Pointer) and step.op == "-":
        stepped = e.Binary("+", v, e.Unary("-", way, way.type), v.type)
    else:
        stepped = e.Binary("-" if step.op == "-" else "+", v, way, v.type)
    return (*body[:k], *substitute(body[k + 1 :], {v.name: stepped}))
