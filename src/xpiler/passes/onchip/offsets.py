"""Addresses as a buffer and a number of bytes, and exact division of such numbers."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from xpiler.ir import expr as e
from xpiler.ir.types import I32, I64, Array, Pointer, Scalar, Type, Vector

ZERO = e.Const(0, I32)


def byte_size(t: Type) -> int | None:
    """Bytes of a value of type `t`; None where that is not plain."""
    if isinstance(t, Scalar):
        return t.bits // 8 or 1
    if isinstance(t, Vector):
        return t.elem.bits // 8 * t.lanes
    if isinstance(t, Pointer):
        return 8
    if isinstance(t, Array) and t.size is not None:
        inner = byte_size(t.elem)
        return None if inner is None else inner * t.size
    return None


def innermost(t: Type) -> Type:
    """The type of the elements of an array of arrays."""
    while isinstance(t, Array):
        t = t.elem
    return t


def plus(a: e.Expr, b: e.Expr) -> e.Expr:
    """The sum of two integers, in a type that holds both."""
    if _value(a) == 0:
        return b
    if _value(b) == 0:
        return a
    x, y = _value(a), _value(b)
    if x is not None and y is not None:
        return e.Const(x + y, I32)
    if x is not None:
        a, b, x, y = b, a, y, x
    if y is not None and isinstance(a, e.Binary) and a.op == "+" and _value(a.b) is not None:
        return plus(a.a, e.Const((_value(a.b) or 0) + y, I32))
    t = a.type if a.type == b.type or y is not None else I64
    a, b = _as(a, t), _as(b, t)
    return e.Binary("+", a, b, t)


def times(x: e.Expr, k: int) -> e.Expr:
    """`x * k`."""
    value = _value(x)
    if value is not None:
        return e.Const(value * k, I32)
    if k == 1:
        return x
    if isinstance(x, e.Binary) and x.op == "*" and _value(x.b) is not None:
        return times(x.a, (_value(x.b) or 0) * k)
    return e.Binary("*", x, e.Const(k, x.type), x.type)


def divide(x: e.Expr, k: int, defs: Mapping[str, e.Expr]) -> e.Expr | None:
    """The exact quotient `x / k` where the form of `x` shows that `k` divides it, else None.

    Byte counts are taken not to wrap at their width. `defs`: values of variables set once.
    """
    if k == 1:
        return x
    value = _value(x)
    if value is not None:
        return e.Const(value // k, x.type) if value % k == 0 else None
    if isinstance(x, e.Cast) and isinstance(x.type, Scalar) and x.type.is_integer:
        return _through_cast(x, k, defs)
    if isinstance(x, e.Var):
        return divide(defs[x.name], k, defs) if x.name in defs else None
    if isinstance(x, e.Select):
        a, b = divide(x.a, k, defs), divide(x.b, k, defs)
        return None if a is None or b is None else e.Select(x.cond, *_alike(a, b))
    if not isinstance(x, e.Binary):
        return None
    if x.op == "*":
        return _factor(x, k, defs)
    if x.op == "/" and _value(x.b) == 1:
        return divide(x.a, k, defs)
    if x.op in ("+", "-"):
        a, b = divide(x.a, k, defs), divide(x.b, k, defs)
        if a is None or b is None:
            return None
        a, b, t = _alike(a, b)
        return e.Binary(x.op, a, b, t)
    if x.op == "<<" and (shift := _value(x.b)) is not None and (1 << shift) % k == 0:
        return times(x.a, (1 << shift) // k)
    return None


def _through_cast(x: e.Cast, k: int, defs: Mapping[str, e.Expr]) -> e.Expr | None:
    inner = divide(x.x, k, defs)
    if inner is None or not isinstance(inner.type, Scalar) or not inner.type.is_integer:
        return None
    return _as(inner, x.type)


def _factor(x: e.Binary, k: int, defs: Mapping[str, e.Expr]) -> e.Expr | None:
    for one, other in ((x.b, x.a), (x.a, x.b)):
        value = _value(one)
        if value is not None and value != 0 and k % value == 0 and value != k:
            rest = divide(other, k // value, defs)
            if rest is not None:
                return rest
        quotient = divide(one, k, defs)
        if quotient is not None:
            if _value(quotient) == 1:
                return other
            a, b, t = _alike(other, quotient)
            return e.Binary("*", a, b, t)
    return None


def _alike(a: e.Expr, b: e.Expr) -> tuple[e.Expr, e.Expr, Type]:
    if a.type == b.type:
        return a, b, a.type
    if _value(a) is not None:
        return _as(a, b.type), b, b.type
    t = a.type if _value(b) is not None else I64
    return _as(a, t), _as(b, t), t


def _as(x: e.Expr, t: Type) -> e.Expr:
    if x.type == t:
        return x
    if isinstance(x, e.Const):
        return e.Const(int(x.value), t)
    if isinstance(x, e.Cast) and x.x.type == t and _holds(x.type, t):
        return x.x
    return e.Cast(x, t)


def _holds(wide: Type, t: Type) -> bool:
    if not (isinstance(wide, Scalar) and isinstance(t, Scalar)):
        return False
    return wide.is_integer and t.is_integer and wide.bits >= t.bits


def _value(x: e.Expr) -> int | None:
    """The value of an integer expression of constants (none so large that it would wrap)."""
    if isinstance(x, e.Const) and not isinstance(x.value, float):
        return int(x.value)
    if isinstance(x, e.Cast) and isinstance(x.type, Scalar) and x.type.is_integer:
        return _value(x.x)
    if not isinstance(x, e.Binary) or x.op not in ("+", "-", "*", "/", "%", "<<"):
        return None
    a, b = _value(x.a), _value(x.b)
    if a is None or b is None or (x.op in ("/", "%") and (b <= 0 or a < 0)):
        return None
    value = _FOLD[x.op](a, b)
    return value if 0 <= value < 1 << 31 else None


_FOLD: dict[str, Callable[[int, int], int]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.floordiv,
    "%": operator.mod, "<<": lambda a, b: a << min(b, 40),
}  # fmt: skip


@dataclass(frozen=True)
class Address:
    """A place in a buffer: `offset` bytes behind its beginning."""

    base: e.Var
    offset: e.Expr

    def moved(self, bytes_: e.Expr) -> Address:
        return Address(self.base, plus(self.offset, bytes_))

    def at(self, t: Type, index: e.Expr, defs: Mapping[str, e.Expr]) -> e.Expr | None:
        """The element `index` of the elements of type `t` that start here, or None."""
        size = byte_size(t)
        start = divide(self.offset, size, defs) if size else None
        if start is None:
            return None
        return e.Index(view(self.base, t), plus(start, index), t)


def view(base: e.Var, t: Type) -> e.Expr:
    """`base` as an array of elements of type `t`."""
    own = base.type.elem if isinstance(base.type, (Array, Pointer)) else None
    return base if own == t else e.Cast(base, Pointer(t))


def constant_part(x: e.Expr) -> tuple[int, e.Expr]:
    """`x` as a constant and the rest of the sum."""
    value = _value(x)
    if value is not None:
        return value, ZERO
    if isinstance(x, e.Binary) and x.op == "+":
        a, rest_a = constant_part(x.a)
        b, rest_b = constant_part(x.b)
        return a + b, plus(rest_a, rest_b)
    if isinstance(x, e.Binary) and x.op == "-" and _value(x.b) is not None:
        a, rest_a = constant_part(x.a)
        return a - (_value(x.b) or 0), rest_a
    return 0, x


integer_value = _value
same_type = _alike
