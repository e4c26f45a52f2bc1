"""The smaller of two integers, in the forms that programs write it in."""

from __future__ import annotations

from xpiler.ir import expr as e
from xpiler.ir.types import Scalar


def smaller(x: e.Expr) -> tuple[e.Expr, e.Expr] | None:
    """The two values of which `x` is the smaller one: `min(a, b)`, `a < b ? a : b`."""
    if isinstance(x, e.Cast) and _is_int(x) and _is_int(x.x):
        return smaller(x.x)
    if isinstance(x, e.Call) and x.func == "min" and len(x.args) == 2:
        return x.args[0], x.args[1]
    if not isinstance(x, e.Select) or not isinstance(x.cond, e.Binary):
        return None
    c = x.cond
    if c.op in ("<", "<=") and (c.a, c.b) == (x.a, x.b):
        return x.a, x.b
    if c.op in (">", ">=") and (c.a, c.b) == (x.b, x.a):
        return x.a, x.b
    return None


def _is_int(x: e.Expr) -> bool:
    return isinstance(x.type, Scalar) and x.type.is_integer
