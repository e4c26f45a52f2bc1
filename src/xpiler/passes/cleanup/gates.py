"""What all effects of a loop's body hang on is asked once.

Where threads return early and meet again later, raising asks in each phase who is still there:
`if (c) A; while (s > 0) { if (c) B; s >>= 1; } if (c) C` in a loop is `if (c) { A; while (s > 0)
{ B; s >>= 1; } C }` if, without c, it only writes to variables of its own. A loop that does nothing
else is taken to end (C11 6.8.5, paragraph 6; C++ [intro.progress]).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from xpiler.analysis.effects import assigned, declared, names_in, of_body, of_expr, own_values
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import rewrite_exprs, rewrite_stmts, walk
from xpiler.ir.types import BOOL
from xpiler.passes.cleanup.base import Context, each_function
from xpiler.passes.cleanup.nests import plain
from xpiler.passes.cleanup.simplify import logical, negated


@dataclass(frozen=True)
class Gates:
    """One condition around a loop's body instead of one in each of its parts."""

    name: str = "gates"

    def apply(self, program: Program, ctx: Context) -> Program:
        def one(f: Function) -> Function:
            body = rewrite_stmts(f.body, _gated)
            return f if body == f.body else f.with_body(body)

        return each_function(program, one)


def _gated(st: s.Stmt) -> s.Stmt:
    if not isinstance(st, s.For):
        return st
    for c, first in _conditions(st.body):
        before, rest = st.body[:first], st.body[first:]
        if len(rest) < 2 or names_in(c) & (assigned(rest) | set(declared(rest))):
            continue
        if _idle(_given(rest, c, False)):
            gate = s.If(c, _given(rest, c, True), loc=rest[0].loc)
            return replace(st, body=(*before, gate))
    return st


def _conditions(body: s.Body) -> Iterator[tuple[e.Expr, int]]:
    """Conditions that statements of `body` ask, each with the number of what goes before it.

    Declarations of what is in the condition go before, if they and what is between them do nothing
    but compute.
    """
    seen: list[e.Expr] = []
    for st in body:
        c = st.init if isinstance(st, s.Decl) and st.var.type == BOOL else None
        c = st.cond if isinstance(st, s.If) else c
        if c is None or c in seen or isinstance(c, (e.Const, e.Var)) or not plain(c):
            continue
        seen.append(c)
        own = [k for k, d in enumerate(body) if isinstance(d, s.Decl) and d.var.name in names_in(c)]
        first = own[-1] + 1 if own else 0
        if all(isinstance(d, s.Decl) and _computes(d) for d in body[:first]):
            yield c, first


def _computes(d: s.Decl) -> bool:
    return d.init is None or not of_expr(d.init).other


def _given(body: s.Body, c: e.Expr, value: bool) -> s.Body:
    """`body` where `c` has that value throughout, and so has what was set to it."""
    known = e.Const(value, BOOL)
    changed = assigned(body)
    flags = {
        n.var.name
        for n in walk(body)
        if isinstance(n, s.Decl) and n.init == c and n.var.name not in changed
    }
    contrary = negated(c)

    def expr(x: e.Expr) -> e.Expr:
        if x == c or (isinstance(x, e.Var) and x.name in flags):
            return known
        if x == contrary:
            return e.Const(not value, BOOL)
        return _decided(x)

    def stmt(st: s.Stmt) -> s.Stmt | s.Body:
        if isinstance(st, s.Decl) and st.var.name in flags:
            return ()
        if isinstance(st, s.If) and isinstance(st.cond, e.Const):
            return st.then if st.cond.value else st.orelse
        return st

    # Declarations first: their variables are no values.
    kept = rewrite_stmts(body, lambda st: stmt(st) if isinstance(st, s.Decl) else st)
    found: s.Body = rewrite_stmts(rewrite_exprs(kept, expr), stmt)
    return found


def _decided(x: e.Expr) -> e.Expr:
    """`x`, where a constant in it decides it."""
    if isinstance(x, e.Unary) and x.op == "!" and isinstance(x.x, e.Const):
        return e.Const(not x.x.value, BOOL)
    return logical(x) if isinstance(x, e.Binary) and x.op in e.LOGICAL else x


def _idle(body: s.Body) -> bool:
    """Whether `body` writes to nothing but its own variables."""
    effects = of_body(body)
    return effects.writes <= own_values(body) and not effects.other and not effects.jumps
