"""Constants as C text, each with the C type that its spelling has."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import numpy as np

from xpiler.backend.conversions import integer_range
from xpiler.backend.pieces import PRIMARY, UNARY, Piece
from xpiler.ir.expr import Const
from xpiler.ir.types import BOOL, F32, F64, I32, I64, U32, U64, Pointer, Scalar, Type

_INTEGER = re.compile(r"(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)([uU]?)([lL]{0,2})([uU]?)")
_FLOAT = re.compile(r"((?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)([fFlL]?)")
_SIZE = re.compile(
    r"sizeof\((?:float|double|char|(?:unsigned )?(?:int|short|long long)|unsigned)\)"
)
_NAME = re.compile(r"[A-Za-z_]\w*")
_LIMITS = {
    "INT_MAX": I32, "INT_MIN": I32, "UINT_MAX": U32, "INT32_MAX": I32, "INT32_MIN": I32,
    "INFINITY": F32, "NAN": F32, "UINT32_MAX": U32, "INT64_MIN": I64, "INT64_MAX": I64,
}  # fmt: skip


def shortest_float(value: float) -> str:
    """The shortest decimal text that reads back as the same binary32 value."""
    for digits in range(1, 10):
        text = f"{value:.{digits}g}"
        with np.errstate(over="ignore"):
            if float(np.float32(text)) == value:
                break
    return _tidy(text)


def _tidy(text: str) -> str:
    """`1e-05` as `1e-5`; a point where nothing else makes it a floating constant."""
    if "e" in text:
        head, power = text.split("e")
        return f"{head}e{int(power)}"
    return text if "." in text else text + ".0"


def _in_range(value: int, t: Scalar) -> bool:
    low, high = integer_range(t)
    return low <= value <= high


def _decimal(value: float, t: Scalar) -> tuple[str, Scalar]:
    if math.isnan(value):
        return "NAN", F32
    if math.isinf(value):
        return ("INFINITY" if value > 0 else "-INFINITY"), F32
    if t == F64:
        return _tidy(repr(value)), F64
    return shortest_float(value) + "f", F32


def literal_type(text: str, macros: Mapping[str, str]) -> Scalar | None:
    """The C type of a constant as the user wrote it; None where it is no C constant."""
    if m := _INTEGER.fullmatch(text):
        digits = m.group(1)
        base = (
            16 if digits[:2] in ("0x", "0X") else 8 if len(digits) > 1 and digits[0] == "0" else 10
        )
        unsigned = bool(m.group(2) or m.group(4))
        return _suffixed(int(digits, base), unsigned, len(m.group(3)), base != 10)
    if m := _FLOAT.fullmatch(text):
        return F32 if m.group(2) in ("f", "F") else F64 if not m.group(2) else None
    if _SIZE.fullmatch(text):
        return U64
    if text in macros and macros[text] != text:
        rest = {name: body for name, body in macros.items() if name != text}
        inner = macros[text].strip()
        while (
            inner.startswith("(") and inner.endswith(")") and _NAME.sub("", inner).count("(") == 1
        ):
            inner = inner[1:-1].strip()
        return literal_type(inner.removeprefix("-"), rest)
    return _LIMITS.get(text)


def _suffixed(value: int, unsigned: bool, longs: int, not_decimal: bool) -> Scalar | None:
    """C11 6.4.4.1: the first type of the list in which the value fits."""
    choice = [I32, U32, I64, U64] if not longs else [I64, U64]
    for t in choice:
        if (t.is_signed and unsigned) or (not t.is_signed and not (unsigned or not_decimal)):
            continue
        if _in_range(value, t):
            return t
    return None


def integer(value: int, t: Scalar) -> Piece:
    """An integer constant of type `t`; its text may have a smaller type that C converts."""
    shown = (
        f"0x{value:x}" if value > 0xFFFF and value & (value + 1) == 0 and t != I32 else str(value)
    )
    if t == I64 and value == -(1 << 63):
        return Piece("INT64_MIN", PRIMARY, t, t, value=value)
    if value == -(1 << 31):
        limit = Piece("INT32_MIN", PRIMARY, I32, t, value=value)
        return limit
    suffix = {U32: "u", I64: "ll", U64: "ull"}.get(t, "")
    bare = I32 if _in_range(value, I32) else t
    if bare == t and t in (U32, I64, U64) and not (t == U32 and shown.startswith("0x")):
        shown += suffix  # a hexadecimal constant is unsigned by itself where it has to be
    literal = f"{value}{suffix}" if t in (U32, I64, U64, I32) else None
    strength = UNARY if value < 0 else PRIMARY
    return Piece(shown, strength, bare, t, exact=True, literal=literal, value=value)


def converted(value: int | float | None, t: Type) -> str | None:
    """The literal of type `t` for the value of an integer constant, or None."""
    if not (isinstance(value, int) and isinstance(t, Scalar)):
        return None
    if t.is_integer:
        return integer(value, t).literal
    return f"{value}.0{'f' if t == F32 else ''}" if t in (F32, F64) else None


def constant(n: Const, macros: Mapping[str, str], null: str = "NULL") -> Piece:
    """The piece of a constant: as the user wrote it where that is C and means the same."""
    t: Type = n.type
    if isinstance(t, Pointer):
        return Piece(null, PRIMARY, t, t) if n.value == 0 else integer(int(n.value), U64)
    assert isinstance(t, Scalar)
    if n.text is not None and (written := _as_written(n, n.text, t, macros)):
        return written
    if t == BOOL:
        return Piece(
            "true" if n.value else "false", PRIMARY, I32, BOOL, exact=True, value=int(n.value)
        )
    if t.is_integer:
        return integer(int(n.value), t)
    text, ctype = _decimal(float(n.value), t)
    strength = UNARY if text.startswith("-") else PRIMARY
    return Piece(text, strength, ctype, t, exact=True, value=float(n.value))


def _as_written(n: Const, text: str, t: Scalar, macros: Mapping[str, str]) -> Piece | None:
    ctype = literal_type(text, macros)
    if ctype is None:
        known = text in macros
        return Piece(text, PRIMARY, t, t, value=n.value) if known else None
    if ctype.is_float != t.is_float:
        return None
    exact = ctype == t or (ctype.is_integer and _in_range(int(n.value), t))
    literal = None
    if t.is_integer and text not in macros:
        literal = integer(int(n.value), t).literal
    return Piece(text, PRIMARY, ctype, t, exact=exact, literal=literal, value=n.value)
