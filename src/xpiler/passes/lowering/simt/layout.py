"""Sizes of types in bytes, and expressions for the sizes of buffers."""

from __future__ import annotations

from xpiler.ir import expr as e
from xpiler.ir.program import Program
from xpiler.ir.types import I64, U64, Array, Pointer, Scalar, Struct, Type, Vector
from xpiler.passes.lowering.simt import words as w
from xpiler.passes.lowering.simt.context import Unfit


def size_and_align(program: Program, t: Type) -> tuple[int, int]:
    """Bytes and alignment as the compilers of all platforms lay a type out; raises Unfit."""
    if isinstance(t, Pointer):
        return 8, 8
    if isinstance(t, Scalar) and t.bits:
        return t.bits // 8, t.bits // 8
    if isinstance(t, Vector):
        size = t.elem.bits // 8 * t.lanes
        return size, min(size & -size, 16)
    if isinstance(t, Array) and t.size is not None:
        size, align = size_and_align(program, t.elem)
        return size * t.size, align
    if isinstance(t, Struct):
        return _struct(program, t)
    raise Unfit(f"the size of {t} is not known")


def _struct(program: Program, t: Struct) -> tuple[int, int]:
    found = next((d for d in program.structs if d.name == t.name), None)
    if found is None:
        raise Unfit(f"the fields of {t} are not known")
    at, most = 0, max(found.align, 1)
    for _, field in found.fields:
        size, align = size_and_align(program, field)
        at = -(-at // align) * align + size
        most = max(most, align)
    return -(-at // most) * most, most


def byte_count(program: Program, elem: Type, count: e.Expr) -> e.Expr:
    """`count * sizeof(elem)` as u64."""
    size = w.size_of(elem, size_and_align(program, elem)[0])
    if isinstance(count, e.Const) and int(count.value) == 1:
        return size
    return e.Binary("*", _wide(count), size, U64)


def _wide(x: e.Expr) -> e.Expr:
    """`x` as u64; conversions go inwards, which is the same modulo 2**64."""
    if isinstance(x, e.Binary) and x.op in ("+", "-", "*") and x.type == I64:
        return e.Binary(x.op, _wide(x.a), _wide(x.b), U64)
    if isinstance(x, e.Cast) and x.type == I64 and x.x.type != U64:
        return w.cast(x.x, U64)
    return w.cast(x, U64)
