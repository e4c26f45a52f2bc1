"""Constant folding with C's exact arithmetic at the type's width."""

from __future__ import annotations

from dataclasses import replace

from xpiler.analysis.ranges import type_range
from xpiler.ir import expr as e
from xpiler.ir.types import BOOL, Scalar, Type

FLOAT_EXACT = {"f16": 1 << 11, "bf16": 1 << 8, "f32": 1 << 24, "f64": 1 << 53}


def is_named(x: e.Expr) -> bool:
    """Whether `x` is a constant that goes by a macro's name, which the output keeps."""
    return isinstance(x, e.Const) and bool(x.text) and (x.text[0].isalpha() or x.text[0] == "_")  # type: ignore[index]


def int_value(x: e.Expr) -> int | None:
    """The value of an integer (or bool) constant."""
    if isinstance(x, e.Const) and isinstance(x.type, Scalar) and x.type.is_integer:
        return int(x.value)
    return None


def wrap(value: int, t: Type) -> int | None:
    """`value` reduced to the width of `t`; None where a signed type overflows."""
    limits = type_range(t)
    if limits is None:
        return None
    lo, hi = limits
    if lo <= value <= hi:
        return value
    return value & hi if lo == 0 and t != BOOL else None


def convert(x: e.Const, t: Type) -> e.Const | None:
    """The constant `x` converted to scalar type `t`, where that is exact and defined."""
    if not isinstance(t, Scalar) or not isinstance(x.type, Scalar):
        return None
    v = x.value
    if t.is_float and x.type.is_integer:
        return e.Const(float(v), t) if abs(v) <= FLOAT_EXACT[t.name] else None
    if t == BOOL:
        return e.Const(bool(v), BOOL)
    if t.is_integer and x.type.is_integer:
        limits = type_range(t)
        assert limits
        raw = int(v) & ((1 << t.bits) - 1)
        return e.Const(raw - (1 << t.bits) if raw > limits[1] else raw, t)
    if t.is_float and x.type.is_float and t.bits > x.type.bits and x.text is None:
        return e.Const(v, t)
    return None


def fold_binary(op: str, a: int, b: int, t: Type, result: Type) -> e.Const | None:
    """The operation on operands of type `t`; None where undefined (overflow, /0, shifts)."""
    if op in e.COMPARISONS:
        table = {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b, "==": a == b, "!=": a != b}
        return e.Const(table[op], BOOL)
    if op in e.LOGICAL:
        return e.Const(bool(a and b) if op == "&&" else bool(a or b), BOOL)
    v = _arith(op, a, b, t)
    w = wrap(v, result) if v is not None else None
    return e.Const(w, result) if w is not None else None


def _arith(op: str, a: int, b: int, t: Type) -> int | None:
    if op in ("/", "%"):
        if b == 0:
            return None
        q = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        return q if op == "/" else a - q * b
    if op in ("<<", ">>"):
        width = t.bits if isinstance(t, Scalar) else 0
        if not 0 <= b < width or (op == "<<" and a < 0):
            return None
        return a << b if op == "<<" else a >> b
    return {"+": a + b, "-": a - b, "*": a * b, "&": a & b, "|": a | b, "^": a ^ b}[op]


def unscaled(x: e.Binary) -> tuple[e.Binary, int] | None:
    """`y * c < d` as `y < d / c` (rounded as the comparison wants) and c, if the product is exact.

    That it does not wrap is for the caller to show.
    """
    product, d = x.a, int_value(x.b)
    if not isinstance(product, e.Binary) or product.op != "*" or d is None:
        return None
    c = int_value(product.b)
    if c is None or c < 2 or is_named(x.b) or is_named(product.b):
        return None
    if x.op in ("==", "!="):
        bound = d // c if d % c == 0 else None
    else:
        bound = -(-d // c) if x.op in ("<", ">=") else d // c
    if bound is None:
        return None
    return replace(x, a=product.a, b=e.Const(bound, x.b.type)), c
