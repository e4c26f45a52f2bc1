"""Short names for building IR in tests."""

from __future__ import annotations

from typing import Any

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function
from xpiler.ir.types import BOOL, F32, I32, VOID, Pointer, Type

IN, OUT = Pointer(F32, const=True), Pointer(F32)


def var(name: str, t: Type = I32) -> e.Var:
    return e.Var(name, t)


def num(value: Any, t: Type = I32, text: str | None = None) -> e.Const:
    return e.Const(value, t, text)


def op(a: e.Expr, symbol: str, b: e.Expr) -> e.Binary:
    t = BOOL if symbol in e.COMPARISONS | e.LOGICAL else a.type
    return e.Binary(symbol, a, b, t)  # type: ignore[arg-type]


def at(base: e.Expr, index: e.Expr) -> e.Index:
    return e.Index(base, index, base.type.elem)  # type: ignore[attr-defined]


def put(target: e.Expr, value: e.Expr, symbol: Any = "") -> s.Assign:
    return s.Assign(target, value, symbol)


def loop(name: str, hi: e.Expr, *body: s.Stmt, **more: Any) -> s.For:
    return s.For(var(name), num(0), hi, num(1), body, **more)


def function(
    name: str, params: tuple[e.Var, ...], *body: s.Stmt, ret: Type = VOID, **more: Any
) -> Function:
    return Function(name, params, body, ret, **more)
