"""Short names for the IR that this recipe writes: calls, sums, loops over elements, copies."""

from __future__ import annotations

import numpy as np

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import rewrite_exprs
from xpiler.ir.types import BOOL, I8, I32, VOID, Array, Pointer, Scalar, Type

ZERO = e.Const(0, I32)
ONE = e.Const(1, I32)


class NotVector(Exception):
    """A loop cannot be written in vector instructions, for the reason given."""


def const(value: int) -> e.Const:
    return e.Const(value, I32)


def real(value: float, t: Type) -> e.Const:
    """A floating constant of type `t`."""
    return e.Const(float(np.float32(value)), t)


def is_const(x: e.Expr, value: float | None = None) -> bool:
    return isinstance(x, e.Const) and (value is None or x.value == value)


def cast(x: e.Expr, t: Type) -> e.Expr:
    """`x` as a `t`; constants change their type themselves."""
    if x.type == t:
        return x
    if isinstance(x, e.Const) and isinstance(t, Scalar) and t.is_integer and not x.text:
        return e.Const(int(x.value), t)
    return e.Cast(x, t)


def add(a: e.Expr, b: e.Expr) -> e.Expr:
    """a + b in the type of `a`, constants folded."""
    if is_const(b, 0):
        return a
    b = cast(b, a.type)
    if is_const(a, 0):
        return b
    if isinstance(a, e.Const) and isinstance(b, e.Const):
        return e.Const(a.value + b.value, a.type)
    return e.Binary("+", a, b, a.type)


def sub(a: e.Expr, b: e.Expr) -> e.Expr:
    """a - b in the type of `a`, constants folded."""
    if is_const(b, 0):
        return a
    if a == b:
        return e.Const(0, a.type)
    b = cast(b, a.type)
    if isinstance(a, e.Const) and isinstance(b, e.Const):
        return e.Const(a.value - b.value, a.type)
    return e.Binary("-", a, b, a.type)


def mul(a: e.Expr, b: e.Expr) -> e.Expr:
    """a * b in the type of `a`, constants folded."""
    b = cast(b, a.type)
    if is_const(a, 1):
        return b
    if is_const(b, 1):
        return a
    if isinstance(a, e.Const) and isinstance(b, e.Const):
        return e.Const(a.value * b.value, a.type)
    return e.Binary("*", a, b, a.type)


def folded(x: e.Expr) -> e.Expr:
    """`x` without additions of zero and the like."""

    def one(n: e.Expr) -> e.Expr:
        whole = isinstance(n.type, Scalar) and n.type.is_integer
        if whole and isinstance(n, e.Binary) and n.op in ("+", "-", "*"):
            return {"+": add, "-": sub, "*": mul}[n.op](n.a, n.b)
        if isinstance(n, e.Cast) and isinstance(n.x, e.Const) and isinstance(n.type, Scalar):
            return cast(n.x, n.type) if n.type.is_integer and _plain(n.x) else n
        return n

    out: e.Expr = rewrite_exprs(x, one)
    return out


def _plain(x: e.Const) -> bool:
    return isinstance(x.type, Scalar) and x.type.is_integer and x.value >= 0


def least(a: e.Expr, b: e.Expr) -> e.Expr:
    if a == b:
        return a
    if isinstance(a, e.Const) and isinstance(b, e.Const):
        return a if a.value <= b.value else b
    return e.Call("min", (a, cast(b, a.type)), a.type)


def most(a: e.Expr, b: e.Expr) -> e.Expr:
    if a == b:
        return a
    if isinstance(a, e.Const) and isinstance(b, e.Const):
        return a if a.value >= b.value else b
    return e.Call("max", (a, cast(b, a.type)), a.type)


def less(a: e.Expr, b: e.Expr) -> e.Expr:
    return e.Binary("<", a, cast(b, a.type), BOOL)


def size_of(t: Type) -> int:
    """Bytes of a scalar."""
    assert isinstance(t, Scalar)
    return t.bits // 8


def elem_of(t: Type) -> Type:
    while isinstance(t, (Pointer, Array)):
        t = t.elem
    return t


def shift(base: e.Expr, offset: e.Expr) -> e.Expr:
    """The pointer `base + offset`."""
    if is_const(offset, 0):
        return base
    assert isinstance(base.type, (Pointer, Array))
    return e.Binary("+", base, offset, Pointer(base.type.elem))


def at(base: e.Expr, index: e.Expr) -> e.Index:
    assert isinstance(base.type, (Pointer, Array))
    return e.Index(base, index, base.type.elem)


def address(place: e.Expr) -> e.Expr:
    """`&place`; the array itself for its first element."""
    first = isinstance(place, e.Index) and is_const(place.index, 0)
    if first and isinstance(place, e.Index) and isinstance(place.base, e.Var):
        return place.base
    return e.AddressOf(place, Pointer(place.type))


def call(name: str, *args: e.Expr) -> s.Stmt:
    """An instruction as a statement."""
    return s.Eval(e.Call(name, args, VOID))


def word(name: str) -> e.Expr:
    """An enumerator of the platform."""
    return e.Call(name, (), I32)


def as_bytes(x: e.Expr) -> e.Expr:
    """A pointer as the bytewise instructions want it."""
    return e.Call("char.bytes", (x,), Pointer(I8))


def byte_count(n: e.Expr, t: Type) -> e.Expr:
    """Bytes of `n` elements."""
    if isinstance(n, e.Const):
        return const(int(n.value) * size_of(t))
    return e.Binary("*", n, e.Call(f"sizeof.{t}", (), I32), I32)


def copy(dst: e.Expr, src: e.Expr, n: e.Expr, t: Type, direction: str) -> s.Stmt:
    """`n` elements copied at once."""
    return call("__memcpy", dst, src, byte_count(n, t), word(direction))


def strided(
    dst: e.Expr, src: e.Expr, n: e.Expr, t: Type, direction: str, to: e.Expr, by: e.Expr
) -> s.Stmt:
    """`n` single elements, `to` and `by` elements apart at either side."""
    size = const(size_of(t))
    return call(
        "__memcpy", dst, src, size, word(direction),
        byte_count(to, t), byte_count(by, t), sub(n, ONE),
    )  # fmt: skip


def loop(var: e.Var, lo: e.Expr, hi: e.Expr, *body: s.Stmt, step: e.Expr | None = None) -> s.For:
    t = var.type
    return s.For(var, cast(lo, t), cast(hi, t), cast(step or ONE, t), tuple(body))
