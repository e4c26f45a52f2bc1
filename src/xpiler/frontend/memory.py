"""`memcpy` and `memset` in device code: loops over the elements."""

from __future__ import annotations

from xpiler.frontend.convert import arithmetic, const, const_int, convert, zero
from xpiler.frontend.copies import one_number
from xpiler.frontend.cursor import Node
from xpiler.frontend.reader import FunctionReader
from xpiler.frontend.types import size_of, unqualified
from xpiler.ir.expr import Cast, Expr, Index, Var
from xpiler.ir.stmt import Assign, For
from xpiler.ir.types import U64, VOID, Array, Pointer, Type, element


def in_device_code(r: FunctionReader, n: Node, name: str) -> Expr:
    """`memcpy(to, from, bytes)` or `memset(to, 0, bytes)` inside a kernel."""
    if name not in ("host.copy", "host.set"):
        r.fail("XP0203", f"{n.name!r} is not understood in device code")
    to, what, size = r.operands(n.args[:3])
    whole = one_number(to, what, size, r.unit.fields) if name == "host.copy" else None
    if whole is not None:
        r.emit(whole)
        return to
    to = _typed(to)
    t = element(to.type) if isinstance(to.type, (Pointer, Array)) else VOID
    count = _count(r, n, convert(size, U64), t)
    index = Var(r.fresh("i"), U64)
    if name == "host.copy":
        source = _typed(what)
        if not isinstance(source.type, (Pointer, Array)) or unqualified(source.type.elem) != t:
            r.fail("XP0203", f"{n.name!r} between different types is not understood")
        value: Expr = Index(source, index, t)
    elif const_int(what) == 0:
        value = zero(t)
    else:
        r.fail("XP0203", f"{n.name!r} to a value other than 0 is not understood")
    body = (Assign(Index(to, index, t), value),)
    r.emit(For(index, const(0, U64), count, const(1, U64), body))
    return to


def _typed(p: Expr) -> Expr:
    """The pointer below a conversion to `void*`."""
    while isinstance(p, Cast) and isinstance(p.type, Pointer) and p.type.elem == VOID:
        p = p.x
    return p


def _count(r: FunctionReader, n: Node, size: Expr, t: Type) -> Expr:
    """Elements in `size` bytes; a rest of bytes is refused."""
    one = size_of(t) or 0
    known = const_int(size)
    if one and known is not None and known % one == 0:
        return const(known // one, U64)
    if one and known is None:
        return arithmetic("/", size, const(one, U64))
    r.fail("XP0203", f"{n.name!r} of such a size is not understood")
