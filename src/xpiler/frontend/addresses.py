"""Addresses that a program keeps as integers (shared-memory addresses for PTX), as pointers."""

from __future__ import annotations

from xpiler.frontend.reader import FunctionReader
from xpiler.ir.expr import Binary, Cast, Const, Expr, Select, Var
from xpiler.ir.types import I8, Array, Pointer, Scalar, Type

BYTES = Pointer(I8)


def as_pointer(r: FunctionReader, e: Expr, elem: Type) -> Expr:
    """The pointer to `elem` that the address `e` is; raises NotUnderstood (XP0208)."""
    found = _pointer(r, e, 0)
    if found is None:
        r.fail("XP0208", "the address of this assembly is not understood",
               "it is not computed from a pointer in this function")  # fmt: skip
    t = found.type
    if isinstance(t, (Pointer, Array)) and t.elem == elem:
        return found
    return Cast(found, Pointer(elem))


def _pointer(r: FunctionReader, e: Expr, depth: int) -> Expr | None:
    if depth > 20:
        return None
    if isinstance(e, Cast) and (isinstance(e.type, Scalar) or _plain(e)):
        return _pointer(r, e.x, depth + 1)
    if isinstance(e.type, (Pointer, Array)):
        return e
    if isinstance(e, Var) and e.name in r.definitions:
        return _pointer(r, r.definitions[e.name], depth + 1)
    if isinstance(e, Select):
        a, b = _pointer(r, e.a, depth + 1), _pointer(r, e.b, depth + 1)
        return (
            Select(e.cond, _bytes(a), _bytes(b), BYTES) if a is not None and b is not None else None
        )
    return _moved(r, e, depth) if isinstance(e, Binary) and e.op in ("+", "-") else None


def _plain(e: Cast) -> bool:
    return isinstance(e.type, Pointer) and isinstance(e.x.type, (Pointer, Array))


def _moved(r: FunctionReader, e: Binary, depth: int) -> Expr | None:
    a = _pointer(r, e.a, depth + 1)
    if a is not None:
        return _offset(a, e.b, e.op)
    b = _pointer(r, e.b, depth + 1) if e.op == "+" else None
    return _offset(b, e.a, "+") if b is not None else None


def _offset(p: Expr, by: Expr, op: str) -> Expr:
    if isinstance(by, Const) and by.value == 0:
        return p
    return Binary("+" if op == "+" else "-", _bytes(p), by, BYTES)


def _bytes(p: Expr) -> Expr:
    return p if p.type == BYTES else Cast(p, BYTES)
