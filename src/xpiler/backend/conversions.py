"""C's conversion rules on IR types: promotions, usual arithmetic conversions, what is implicit.

Source: ISO C11 6.3.1.1 (promotions), 6.3.1.8 (usual arithmetic conversions), 6.5.16.1 (assignment).
"""

from __future__ import annotations

from typing import cast

from xpiler.ir.types import F64, I32, Array, Pointer, Scalar, ScalarName, Type

_FLOATS = ("f16", "bf16", "f32", "f64")


def scalar(name: str) -> Scalar:
    """The scalar type called `name` (from a platform's table)."""
    return Scalar(cast(ScalarName, name))


def promote(t: Type) -> Type:
    """The type that an operand of type `t` has in an expression."""
    if isinstance(t, Scalar) and t.is_integer and t.bits < 32:
        return I32
    return t


def usual(a: Type, b: Type) -> Type | None:
    """The common type of two arithmetic operands; None where C has none."""
    a, b = promote(a), promote(b)
    if not (isinstance(a, Scalar) and isinstance(b, Scalar)):
        return a if a == b else None
    if a.is_float or b.is_float:
        rank = {name: k for k, name in enumerate(_FLOATS)}
        return max(a, b, key=lambda t: rank.get(t.name, -1))
    if a.bits != b.bits:
        return a if a.bits > b.bits else b
    return a if not a.is_signed else b


def integer_range(t: Scalar) -> tuple[int, int]:
    """The least and greatest value of an integer type."""
    if t.name == "bool":
        return 0, 1
    return (
        (-(1 << (t.bits - 1)), (1 << (t.bits - 1)) - 1) if t.is_signed else (0, (1 << t.bits) - 1)
    )


def mantissa(t: Scalar) -> int:
    """Significant bits of a floating type."""
    return {"f16": 11, "bf16": 8, "f32": 24, "f64": 53}[t.name]


def holds_all(wide: Type, narrow: Type) -> bool:
    """Whether every value of `narrow` survives the conversion to `wide` unchanged."""
    if not (isinstance(wide, Scalar) and isinstance(narrow, Scalar)):
        return wide == narrow
    if wide == narrow:
        return True
    if wide.is_integer and narrow.is_integer:
        (low, high), (lo, hi) = integer_range(wide), integer_range(narrow)
        return low <= lo and hi <= high
    if wide.is_float and narrow.is_integer:
        return mantissa(wide) >= narrow.bits - narrow.is_signed
    if wide.is_float and narrow.is_float:
        return wide == F64 or (wide.name == "f32" and narrow != F64)
    return False


def same_low_bits(first: Type, then: Type, source: Type) -> bool:
    """Whether source -> first -> then is source -> then because all of them wrap integers."""
    kinds = (first, then, source)
    if not all(isinstance(t, Scalar) and t.is_integer and t.name != "bool" for t in kinds):
        return False
    assert isinstance(first, Scalar)
    assert isinstance(then, Scalar)
    return then.bits <= first.bits


def implicit_pointer(to: Type, source: Type, cpp: bool = False) -> bool:
    """Whether C (C++) converts a value of type `source` to the pointer type `to` by itself."""
    if not isinstance(to, Pointer) or not isinstance(source, (Pointer, Array)):
        return False
    if isinstance(source, Pointer) and source.const and not to.const:
        return False
    void = Scalar("void")
    untyped = (to.elem,) if cpp else (to.elem, source.elem)
    return _plain(to.elem) == _plain(source.elem) or void in untyped


def _plain(t: Type) -> Type:
    """`t` with the restrict qualifiers of its pointees dropped."""
    return Pointer(_plain(t.elem), t.const) if isinstance(t, Pointer) else t
