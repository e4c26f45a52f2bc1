"""Short ways to write the expressions that kernels and launches are made of."""

from __future__ import annotations

from typing import Literal

from xpiler.ir import expr as e
from xpiler.ir.types import BOOL, U32, U64, Pointer, Scalar, Type, Vector

Dim = Literal["x", "y", "z"]
_C_NAMES = {
    "f32": "float", "f64": "double", "i8": "char", "u8": "unsigned char", "i16": "short",
    "u16": "unsigned short", "i32": "int", "u32": "unsigned int",
}  # fmt: skip


def const(value: int | float, t: Type) -> e.Const:
    return e.Const(value, t)


def u32(value: int) -> e.Const:
    return e.Const(value, U32)


def cast(x: e.Expr, t: Type) -> e.Expr:
    """`x` as type `t`; constants are converted at once."""
    if x.type == t:
        return x
    if isinstance(x, e.Const) and isinstance(t, Scalar) and t.is_integer:
        return e.Const(int(x.value), t, None)
    return e.Cast(x, t)


def binary(op: e.BinaryOp, a: e.Expr, b: e.Expr) -> e.Expr:
    """`a op b` in the type of `a`, without additions of zero and factors of one."""
    b = cast(b, a.type)
    if op in ("+", "-") and is_const(b, 0):
        return a
    if op == "+" and is_const(a, 0):
        return b
    if op in ("*", "/") and is_const(b, 1):
        return a
    if op == "*" and is_const(a, 1):
        return b
    if isinstance(a, e.Const) and isinstance(b, e.Const) and _is_int(a.type):
        folded = _folded(op, int(a.value), int(b.value))
        if folded is not None:
            return e.Const(folded, a.type)
    return e.Binary(op, a, b, a.type)


def _folded(op: str, a: int, b: int) -> int | None:
    if op in ("+", "-", "*"):
        return a + b if op == "+" else a - b if op == "-" else a * b
    return a // b if op == "/" and b > 0 and a >= 0 else None


def _is_int(t: Type) -> bool:
    return isinstance(t, Scalar) and t.is_integer


def is_const(x: e.Expr, value: int) -> bool:
    return isinstance(x, e.Const) and x.value == value


def less(a: e.Expr, b: e.Expr) -> e.Binary:
    return e.compare("<", a, cast(b, a.type))


def both(conds: list[e.Expr]) -> e.Expr:
    """The conjunction of at least one condition."""
    out = conds[0]
    for c in conds[1:]:
        out = e.Binary("&&", out, c, BOOL)
    return out


def ceil_div(x: e.Expr, by: int) -> e.Expr:
    """Blocks of `by` for `x` items, u32: the sum is formed without a sign."""
    if by == 1:
        return cast(x, U32)
    if isinstance(x, e.Const):
        return u32(-(-int(x.value) // by))
    wide = U64 if isinstance(x.type, Scalar) and x.type.bits == 64 else U32
    return cast(binary("/", binary("+", cast(x, wide), const(by - 1, wide)), const(by, wide)), U32)


def global_index(dim: Dim, t: Type) -> e.Expr:
    """`blockIdx.d * blockDim.d + threadIdx.d` as type `t`."""
    wide = t if isinstance(t, Scalar) and t.bits == 64 else U32
    block, size = cast(e.Axis("block", dim), wide), cast(e.Axis("block_dim", dim), wide)
    thread = cast(e.Axis("thread", dim), wide)
    return cast(e.Binary("+", e.Binary("*", block, size, wide), thread, wide), t)


def thread_id(t: Type) -> e.Expr:
    return cast(e.Axis("thread", "x"), t)


def size_of(t: Type, size: int) -> e.Const:
    """`sizeof(T)`, by name where every platform spells it the same."""
    name = _C_NAMES.get(t.name) if isinstance(t, Scalar) else None
    return e.Const(size, U64, f"sizeof({name})" if name else None)


def bytes_of(t: Type) -> int | None:
    if isinstance(t, Vector):
        return t.elem.bits // 8 * t.lanes
    if isinstance(t, Pointer):
        return 8
    return t.bits // 8 if isinstance(t, Scalar) and t.bits else None
