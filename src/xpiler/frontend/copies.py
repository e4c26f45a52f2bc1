"""`memcpy` of exactly one number or one register, which is how C reads memory as another type."""

from __future__ import annotations

from collections.abc import Callable

from xpiler.frontend.convert import const, const_int
from xpiler.frontend.operators import deref
from xpiler.frontend.types import size_of, unqualified
from xpiler.frontend.views import uncast
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import rewrite_stmts
from xpiler.ir.types import BOOL, I32, U8, U16, U32, VOID, Array, Pointer, Scalar, Type, Vector

Fields = tuple[tuple[str, Type], ...]


def assigned_copies(body: s.Body) -> s.Body:
    """`body` with such copies as assignments."""
    new: s.Body = rewrite_stmts(body, _assigned)
    return new


def _assigned(st: s.Stmt) -> s.Stmt:
    if not isinstance(st, s.Instr) or st.name != "host.copy" or len(st.ins) != 3:
        return st
    to, source, size = st.ins
    place, value = _whole(to, size), None
    if place is not None:
        value = _read(source, place)
    elif (place := _whole(source, size)) is not None and isinstance(place.type, Vector):
        target = e.Index(e.Cast(to, Pointer(place.type)), const(0, I32), place.type)
        return s.Assign(target, place, loc=st.loc, comments=st.comments)
    if place is None or value is None:
        return st
    return s.Assign(place, value, loc=st.loc, comments=st.comments)


def one_number(
    to: e.Expr, source: e.Expr, size: e.Expr, fields: Callable[[Type], Fields]
) -> s.Assign | None:
    """`memcpy(to, source, size)` as an assignment, where it moves one number.

    That may be all that a struct holds; `fields` tells what that is.
    """
    place = _number(to, size, fields)
    if place is None:
        return None
    t = unqualified(place.type)
    assert isinstance(t, Scalar)
    found = _number(source, size, fields)
    value = _as_bits(found, t) if found is not None else _from_bytes(source, t)
    return s.Assign(place, value) if value is not None else None


def _number(p: e.Expr, size: e.Expr, fields: Callable[[Type], Fields]) -> e.Expr | None:
    """The number that `p` points to where `size` bytes are all of it."""
    place = deref(uncast(p))
    t = unqualified(place.type)
    if len(own := fields(t)) == 1:
        place, t = e.Field(place, *own[0]), unqualified(own[0][1])
    known = isinstance(t, Scalar) and t not in (VOID, BOOL)
    return place if known and const_int(size) == size_of(t) else None


def _as_bits(x: e.Expr, t: Scalar) -> e.Expr:
    """The bits of a number as one of type `t`, which is as wide."""
    own = unqualified(x.type)
    if own == t:
        return x
    assert isinstance(own, Scalar)
    return e.Cast(x, t) if own.is_integer and t.is_integer else e.Bits(x, t)


def _whole(p: e.Expr, size: e.Expr) -> e.Var | None:
    """The variable that `p` points to where `size` bytes are all of it."""
    inner = uncast(p)
    var = inner.x if isinstance(inner, e.AddressOf) else None
    if not isinstance(var, e.Var) or not isinstance(var.type, (Scalar, Vector)):
        return None
    same = isinstance(size, e.Const) and size.value == size_of(var.type)
    return var if same else None


def _read(source: e.Expr, place: e.Var) -> e.Expr | None:
    """What stands at `source`, as a value for `place`; numbers are put together from bytes."""
    t = place.type
    if isinstance(t, Vector):
        return e.Index(e.Cast(source, Pointer(t, True)), const(0, I32), t)
    return _from_bytes(source, t) if isinstance(t, Scalar) else None


def _from_bytes(source: e.Expr, t: Scalar) -> e.Expr | None:
    """The number of type `t` whose bytes are those of the narrower integers at `source`."""
    base = uncast(source)
    one = _element(base)
    if not isinstance(one, Scalar) or not one.is_integer or one == BOOL:
        return None
    if t.bits not in (16, 32, 64) or one.bits >= t.bits:
        return None
    wide = Scalar("u64") if t.bits == 64 else Scalar("u32")
    narrow = {8: U8, 16: U16, 32: U32}[one.bits]
    whole: e.Expr | None = None
    for k in range(t.bits // one.bits):
        at = e.Index(base, const(k, I32), one)
        part: e.Expr = e.Cast(e.Cast(at, narrow) if one != narrow else at, wide)
        part = e.Binary("<<", part, const(one.bits * k, I32), wide) if k else part
        whole = part if whole is None else e.Binary("|", whole, part, wide)
    assert whole is not None
    if t.is_integer:
        return e.Cast(whole, t)
    return e.Bits(e.Cast(whole, U16) if t.bits == 16 else whole, t)


def _element(p: e.Expr) -> Type:
    return unqualified(p.type.elem) if isinstance(p.type, (Pointer, Array)) else VOID
