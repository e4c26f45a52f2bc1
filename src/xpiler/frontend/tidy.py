"""Last touches on a function's body: what became empty or unused goes."""

from __future__ import annotations

from collections import Counter

from xpiler.frontend.outer import OuterVariables
from xpiler.ir.expr import Cast, Const, Var
from xpiler.ir.rewrite import rewrite_stmts, walk
from xpiler.ir.stmt import Body, Decl, If, Return, Scope, Stmt
from xpiler.ir.types import Pointer


def tidy(body: Body, memory: set[str], taken: set[str]) -> Body:
    """`body` without empty branches, dead addresses and a final plain `return`."""
    result: Body = rewrite_stmts(body, _tidied)
    result = _without_dead_addresses(result)
    result = OuterVariables(memory, taken).apply(result)
    if result and isinstance(result[-1], Return) and result[-1].value is None:
        result = result[:-1]
    return result


def _tidied(st: Stmt) -> Stmt | Body:
    if isinstance(st, If):
        if isinstance(st.cond, Const):
            return st.then if st.cond.value else st.orelse
        if not st.then and not st.orelse:
            return ()
    if isinstance(st, Scope) and not st.body:
        return ()
    return st


def _without_dead_addresses(body: Body) -> Body:
    """Without variables that hold a pointer as a number and that nobody reads any more."""
    counts = _occurrences(body)

    def drop(st: Stmt) -> Stmt | Body:
        dead = isinstance(st, Decl) and st.init is not None and counts[st.var.name] == 1
        numbers = dead and any(
            isinstance(n, Cast)
            and isinstance(n.x.type, Pointer)
            and not isinstance(n.type, Pointer)
            for n in walk((st,))
        )
        return () if numbers else st

    result: Body = rewrite_stmts(body, drop)
    return result


def _occurrences(body: Body) -> Counter[str]:
    return Counter(n.name for n in walk(body) if isinstance(n, Var))
