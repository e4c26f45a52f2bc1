"""Last touches on a function's body: what became empty or unused goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xpiler.ir.expr import Const
from xpiler.ir.rewrite import rewrite_stmts
from xpiler.ir.stmt import Body, If, Return, Scope, Stmt

if TYPE_CHECKING:
    from xpiler.frontend.unit import Unit


def tidy(body: Body, unit: Unit) -> Body:
    """`body` without empty branches and a final plain `return`."""
    result: Body = rewrite_stmts(body, _tidied)
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
