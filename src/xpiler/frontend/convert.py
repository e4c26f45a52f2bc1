"""Conversions of values: explicit casts, truth, folding of constants."""

from __future__ import annotations

import math
import struct
from dataclasses import replace

from xpiler.frontend.faults import NotUnderstood
from xpiler.frontend.types import unqualified
from xpiler.ir.expr import Aggregate, Binary, BinaryOp, Bits, Cast, Const, Expr, Unary, compare
from xpiler.ir.types import BOOL, Array, Pointer, Scalar, Struct, Type, Vector

_PACK = {"f16": "e", "f32": "f", "f64": "d"}


def wrap(value: int, t: Scalar) -> int:
    """`value` modulo the width of the integer type `t`."""
    value &= (1 << t.bits) - 1
    return value - (1 << t.bits) if t.is_signed and value >> (t.bits - 1) else value


def round_to(value: float, t: Scalar) -> float:
    """`value` rounded to the float type `t` (to nearest even; overflow gives infinity)."""
    if t.name == "bf16":
        if not math.isfinite(value):
            return value
        bits = struct.unpack("<I", struct.pack("<f", round_to(value, Scalar("f32"))))[0]
        bits = (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000
        return float(struct.unpack("<f", struct.pack("<I", bits))[0])
    try:
        code = _PACK[t.name]
        return float(struct.unpack(f"<{code}", struct.pack(f"<{code}", value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)


def const(value: int | float | bool, t: Type, text: str | None = None) -> Const:
    """A constant of a scalar type, its value brought into that type."""
    if isinstance(t, Scalar):
        if t == BOOL:
            value = bool(value)
        elif t.is_float:
            value = round_to(float(value), t)
        else:
            value = wrap(int(value), t)
    return Const(value, t, text)


def zero(t: Type) -> Expr:
    """The zero of any type."""
    if isinstance(t, Scalar):
        return const(0, t)
    return Const(0, t) if isinstance(t, Pointer) else Aggregate((), t)


def const_int(e: Expr) -> int | None:
    """The value of an integer constant, also below casts that keep it."""
    if isinstance(e, Const) and isinstance(e.value, int) and not isinstance(e.type, Pointer):
        return int(e.value)
    if isinstance(e, Cast) and isinstance(e.type, Scalar) and e.type.is_integer:
        inner = const_int(e.x)
        return inner if inner is not None and wrap(inner, e.type) == inner else None
    return None


def convert(x: Expr, t: Type) -> Expr:
    """`x` as a value of type `t`, as C converts it; raises NotUnderstood where C has no such way.

    Right programs do not ask for a number out of a structure: clang keeps the object of a call that
    it could not resolve in the place of the call.
    """
    if x.type == t:
        return x
    if isinstance(x.type, Struct) and isinstance(t, Scalar | Pointer):
        raise NotUnderstood("XP0207", f"the conversion of {x.type} to {t} is not understood")
    if isinstance(t, Pointer):
        return _to_pointer(x, t)
    if isinstance(x.type, Array):
        return x
    if isinstance(t, Vector) and _same_size(x.type, t):
        return Bits(x.x if isinstance(x, Bits) else x, t)
    if t == BOOL:
        return truth(x)
    if isinstance(x, Const) and isinstance(t, Scalar) and isinstance(x.type, Scalar):
        folded = _fold(x, t)
        if folded is not None:
            return folded
    if isinstance(x, Cast) and x.x.type == t and _keeps(t, x.type):
        return x.x
    return Cast(x, t)


def _keeps(t: Type, wide: Type) -> bool:
    """Whether a value of the integer type `t` survives the way over `wide`."""
    if not (isinstance(t, Scalar) and isinstance(wide, Scalar)):
        return False
    whole = t.is_integer and wide.is_integer and BOOL not in (t, wide)
    return whole and wide.bits >= t.bits


def _to_pointer(x: Expr, t: Pointer) -> Expr:
    if isinstance(x.type, Array):
        return x if unqualified(x.type.elem) == unqualified(t.elem) else Cast(x, t)
    if isinstance(x.type, Pointer) and unqualified(x.type) == unqualified(t):
        return replace(x, type=t) if isinstance(x, Cast) else x
    return Const(0, t) if isinstance(x, Const) and x.value == 0 else Cast(x, t)


def _fold(x: Const, t: Scalar) -> Const | None:
    named = x.text is not None and (x.text[0].isalpha() or x.text[0] == "_")
    if t.is_float:
        return None if named else const(x.value, t)
    if isinstance(x.value, float):
        return const(int(x.value), t) if x.value.is_integer() and not named else None
    same = wrap(int(x.value), t) == int(x.value)
    if named:
        return Const(int(x.value), t, x.text) if same else None
    return const(x.value, t, x.text if same and x.text and not x.text[-1].isalpha() else None)


_NEGATED: dict[str, BinaryOp] = {"==": "!=", "!=": "=="}
_ORDER_NEGATED: dict[str, BinaryOp] = {"<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def truth(x: Expr) -> Expr:
    """`x` as a condition."""
    if x.type == BOOL:
        return x
    if isinstance(x, Cast) and x.x.type == BOOL:
        return x.x
    if isinstance(x, Const):
        return Const(bool(x.value), BOOL)
    return compare("!=", x, zero(x.type))


def negate(x: Expr) -> Expr:
    """`!x` for a condition; comparisons of integers turn around."""
    if isinstance(x, Const):
        return Const(not x.value, BOOL)
    if isinstance(x, Unary) and x.op == "!":
        return x.x
    if isinstance(x, Binary):
        if x.op in _NEGATED:
            return replace(x, op=_NEGATED[x.op])
        exact = isinstance(x.a.type, Pointer) or (
            isinstance(x.a.type, Scalar) and x.a.type.is_integer
        )
        if x.op in _ORDER_NEGATED and exact:
            return replace(x, op=_ORDER_NEGATED[x.op])
    return Unary("!", x, BOOL)


def arithmetic(op: BinaryOp, a: Expr, b: Expr) -> Expr:
    """`a op b` of one type; comparisons of constants fold; vectors go lane by lane."""
    t = BOOL if op in ("<", "<=", ">", ">=", "==", "!=") else a.type
    if t == BOOL and isinstance(a, Const) and isinstance(b, Const):
        return Const(_COMPARE[op](a.value, b.value), BOOL)
    return Binary(op, a, b, t)


_COMPARE = {
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b, "==": lambda a, b: a == b, "!=": lambda a, b: a != b,
}  # fmt: skip


def _same_size(a: Type, b: Vector) -> bool:
    return isinstance(a, Vector) and a.elem.bits * a.lanes == b.elem.bits * b.lanes


def is_vector(t: Type) -> bool:
    return isinstance(t, Vector)
