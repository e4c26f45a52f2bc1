"""Expressions: pure values and places, each with its exact type; every conversion is explicit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from xpiler.ir.types import BOOL, U32, Pointer, Type

UnaryOp = Literal["-", "!", "~"]
BinaryOp = Literal[
    "+", "-", "*", "/", "%", "<<", ">>", "&", "|", "^",
    "<", "<=", ">", ">=", "==", "!=", "&&", "||",
]  # fmt: skip
COMPARISONS = frozenset(("<", "<=", ">", ">=", "==", "!="))
LOGICAL = frozenset(("&&", "||"))


class Expr:
    """Base of all expressions; `type` is the C type of the value."""

    __slots__ = ()
    type: Type


@dataclass(frozen=True, slots=True)
class Const(Expr):
    """A constant. `text` is how the user wrote it (`1e-5f`) or the macro for it (`TILE`)."""

    value: int | float | bool
    type: Type
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Text(Expr):
    """A string literal (printf formats, assertion messages), without its quotes, escapes kept."""

    value: str
    type: Type


@dataclass(frozen=True, slots=True)
class Var(Expr):
    """A variable, parameter or global. Names are unique in a function: `i`, then `i.1`, `i.2`, ...

    Whoever prints drops the suffix where no conflict is left.
    """

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Axis(Expr):
    """A parallel coordinate or its extent, u32 as in CUDA.

    `level`: `block` (index of a block in the grid), `thread` (index of a thread in its block),
    `grid_dim` (blocks in the grid), `block_dim` (threads in a block), `lane` (linear thread id
    modulo the wave width), `warp_size`, `task` (index of a task among `task_dim` of them, on
    platforms whose launches are flat). `dim` is x, y, z; "" for lane, warp_size and a flat task.
    """

    level: Literal[
        "block", "thread", "grid_dim", "block_dim", "lane", "warp_size", "task", "task_dim"
    ]
    dim: Literal["x", "y", "z", ""] = "x"
    type: Type = U32


@dataclass(frozen=True, slots=True)
class Unary(Expr):
    op: UnaryOp
    x: Expr
    type: Type


@dataclass(frozen=True, slots=True)
class Binary(Expr):
    """Both operands have one type (shifts and pointer arithmetic excepted), converted beforehand.

    Integers wrap as C's do at their width (signed overflow is undefined in the source).
    f16 and bf16 operations round after each operation. Comparisons give `bool`.
    Pointer +/- integer counts elements; pointer - pointer gives i64.
    `&&` and `||` do not evaluate the second operand when the first decides.
    """

    op: BinaryOp
    a: Expr
    b: Expr
    type: Type


@dataclass(frozen=True, slots=True)
class Select(Expr):
    """`cond ? a : b`; only the chosen side is evaluated."""

    cond: Expr
    a: Expr
    b: Expr
    type: Type


@dataclass(frozen=True, slots=True)
class Cast(Expr):
    """A value conversion (C's cast), or between pointer types a reinterpretation of the pointee."""

    x: Expr
    type: Type


@dataclass(frozen=True, slots=True)
class Bits(Expr):
    """The same bits as another type of equal size (`__float_as_int`, half2 <-> u32)."""

    x: Expr
    type: Type


@dataclass(frozen=True, slots=True)
class Call(Expr):
    """A call of a mathematical function of `ir.intrinsics` or of a device/host function by name.

    `fast` marks the hardware's approximate form (`__expf`): the same function, looser tolerance.
    """

    func: str
    args: tuple[Expr, ...]
    type: Type
    fast: bool = False


@dataclass(frozen=True, slots=True)
class Index(Expr):
    """`base[index]`: a place in an array, behind a pointer, or a vector's lane; `*p` is `p[0]`."""

    base: Expr
    index: Expr
    type: Type


@dataclass(frozen=True, slots=True)
class Field(Expr):
    """`base.name`: a field of a struct, a lane of a vector, `x` of a fragment."""

    base: Expr
    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class AddressOf(Expr):
    """`&place`."""

    x: Expr
    type: Type


@dataclass(frozen=True, slots=True)
class Aggregate(Expr):
    """`{a, b, c}`: the elements of a vector, a struct or an array (missing ones are zero)."""

    items: tuple[Expr, ...]
    type: Type


def is_place(e: Expr) -> bool:
    """Whether `e` can be assigned to."""
    if isinstance(e, Field):
        return is_place(e.base)
    return isinstance(e, (Var, Index))


def compare(op: BinaryOp, a: Expr, b: Expr) -> Binary:
    """A comparison of two values of one type."""
    return Binary(op, a, b, BOOL)


def address_of(place: Expr, const: bool = False) -> AddressOf:
    """`&place`, typed."""
    return AddressOf(place, Pointer(place.type, const))
