"""A pointer that may be null steps the same whether or not it is given.

`if (p) *p++ = x;` in a loop becomes `if (given) p[0] = x; p++;`, where `given` is asked once, at
the start: nothing but what asks for it uses a pointer that is null. Every turn steps then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from xpiler.analysis.effects import assigned
from xpiler.analysis.parallelism import asked_for_null
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import fresh_name, rewrite_exprs, rewrite_stmts, substitute, variables, walk
from xpiler.ir.types import BOOL, Pointer
from xpiler.passes.cleanup.base import Context, each_function


@dataclass(frozen=True)
class Optional:
    """Steps of pointers that may be null, out of the branches that ask for them."""

    name: str = "optional"

    def apply(self, program: Program, ctx: Context) -> Program:
        return each_function(program, _stepping)


def _stepping(f: Function) -> Function:
    f = _asked_again(f)
    changed = assigned(f.body)
    for p in f.params:
        if isinstance(p.type, Pointer) and p.name in changed and _guarded(f.body, p):
            return _stepping(_freed(f, p))
    return f


def _guarded(body: s.Body, p: e.Var) -> bool:
    """Whether `p` is used only where it is known to be given, and steps there."""
    branches = [n for n in walk(body) if isinstance(n, s.If) and _asks(n, p)]
    inside = sum(_uses(n.then, p) for n in branches)
    asked = sum(1 for n in walk(body) if isinstance(n, e.Expr) and asked_for_null(n) == p)
    lent = any(isinstance(n, e.AddressOf) and n.x == p for n in walk(body))
    steps = [n for n in walk(body) if isinstance(n, s.Assign) and n.target == p]
    direct = [x for n in branches for x in n.then if any(x is y for y in steps)]
    plain = len(direct) == len(steps) and all(_is_step(x) for x in steps)
    alone = all(sum(1 for x in n.then if any(x is y for y in steps)) <= 1 for n in branches)
    return bool(steps) and plain and alone and not lent and inside + asked == _uses(body, p)


def _asks(st: s.If, p: e.Var) -> bool:
    one = isinstance(st.cond, e.Binary) and st.cond.op == "!=" and asked_for_null(st.cond) == p
    nested = any(isinstance(n, e.Expr) and asked_for_null(n) == p for x in st.then for n in walk(x))
    return one and not st.orelse and not nested


def _uses(body: s.Body, p: e.Var) -> int:
    return sum(1 for n in walk(body) if n == p)


def _is_step(x: s.Assign) -> bool:
    return x.op in ("+", "-") and all(isinstance(n, (e.Const, e.Cast)) for n in walk(x.value))


def _freed(f: Function, p: e.Var) -> Function:
    given = e.Var(
        fresh_name(f"{p.name}_given", {q.name for q in f.params} | variables(f.body)), BOOL
    )
    first: list[e.Expr] = []

    def ask(x: e.Expr) -> e.Expr:
        if asked_for_null(x) != p:
            return x
        assert isinstance(x, e.Binary)
        first.append(replace(x, op="!="))
        return given if x.op == "!=" else e.Unary("!", given, BOOL)

    def out(st: s.Stmt) -> s.Stmt | s.Body:
        if not isinstance(st, s.If) or st.cond != given:
            return st
        at = next((k for k, x in enumerate(st.then) if _steps(x, p)), None)
        if at is None:
            return st
        step = st.then[at]
        assert isinstance(step, s.Assign)
        sign: e.BinaryOp = "+" if step.op == "+" else "-"
        behind = substitute(st.then[at + 1 :], {p.name: e.Binary(sign, p, step.value, p.type)})
        return (replace(st, then=(*st.then[:at], *behind)), step)

    body = rewrite_stmts(rewrite_exprs(f.body, ask), out)
    return f.with_body((s.Decl(given, first[0], const=True), *body))


def _steps(x: s.Stmt, p: e.Var) -> bool:
    return isinstance(x, s.Assign) and x.target == p


def _asked_again(f: Function) -> Function:
    """What was asked once is asked in its place again where the pointer steps no more."""
    changed = assigned(f.body)
    params = {p.name for p in f.params} - changed
    known = {
        st.var.name: st.init
        for st in f.body
        if isinstance(st, s.Decl) and st.init is not None and st.var.type == BOOL
        if st.var.name not in changed and (p := asked_for_null(st.init)) and p.name in params
    }
    if not known:
        return f
    rest = tuple(st for st in f.body if not (isinstance(st, s.Decl) and st.var.name in known))
    return f.with_body(substitute(rest, known))


__all__ = ["Optional"]
