"""What calls of the program's own functions compute, as expressions in the place of the calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function
from xpiler.ir.rewrite import rewrite_exprs, substitute, walk
from xpiler.ir.types import VOID, Scalar

LARGEST = 160
"""Nodes of a call's value that still replaces the call."""

N = TypeVar("N", s.Body, e.Expr)
Values = dict[str, e.Expr]


def valued(body: N, functions: Mapping[str, Function]) -> N:
    """Calls of the program's own functions replaced by their value, where that is an expression."""

    def one(x: e.Expr) -> e.Expr:
        for _ in range(8):
            f = functions.get(x.func) if isinstance(x, e.Call) else None
            if f is None or not isinstance(x, e.Call):
                return x
            new = value_of(f, x.args)
            if new is None:
                return x
            x = new if isinstance(new, e.Call) else rewrite_exprs(new, one)
        return x

    out: N = rewrite_exprs(body, one)
    return out


def value_of(f: Function, args: tuple[e.Expr, ...]) -> e.Expr | None:
    """What f(args) computes, as an expression; None where that is no plain arithmetic."""
    plain = f.ret != VOID and all(isinstance(p.type, Scalar) for p in f.params)
    if not plain or len(args) != len(f.params):
        return None
    env = {p.name: a for p, a in zip(f.params, args, strict=True)}
    found = _result(f.body, env, [LARGEST])
    small = found is not None and found.type == f.ret and sum(1 for _ in walk(found)) <= LARGEST
    return found if small else None


def _result(body: s.Body, env: Values, left: list[int]) -> e.Expr | None:
    env = dict(env)
    for k, st in enumerate(body):
        left[0] -= 1
        if left[0] < 0:
            return None
        if isinstance(st, s.Return):
            return None if st.value is None else substitute(st.value, env)
        if isinstance(st, s.If):
            return _either(st, body[k + 1 :], env, left)
        if not _bind(st, env):
            return None
    return None


def _either(st: s.If, rest: s.Body, env: Values, left: list[int]) -> e.Expr | None:
    a = _result((*st.then, *rest), env, left)
    b = _result((*st.orelse, *rest), env, left)
    if a is None or b is None or a.type != b.type:
        return None
    return a if a == b else e.Select(substitute(st.cond, env), a, b, a.type)


def _bind(st: s.Stmt, env: Values) -> bool:
    """Take note of a local variable's new value."""
    if isinstance(st, s.Decl) and isinstance(st.var.type, Scalar) and st.space != "shared":
        if st.init is not None:
            env[st.var.name] = substitute(st.init, env)
        return st.init is not None and st.init.type == st.var.type
    if isinstance(st, s.Assign) and isinstance(st.target, e.Var) and st.target.name in env:
        value = e.Binary(st.op, st.target, st.value, st.target.type) if st.op else st.value
        env[st.target.name] = substitute(value, env)
        return bool(value.type == st.target.type)
    return False
