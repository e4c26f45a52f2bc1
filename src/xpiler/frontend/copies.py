"""`memcpy` of exactly one number or one register, which is how C reads memory as another type."""

from __future__ import annotations

from xpiler.frontend.convert import const
from xpiler.frontend.types import size_of
from xpiler.frontend.views import uncast
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import rewrite_stmts
from xpiler.ir.types import I32, U8, Array, Pointer, Scalar, Vector


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
    base = uncast(source)
    bytes_ = isinstance(base.type, (Pointer, Array)) and isinstance(base.type.elem, Scalar)
    if not bytes_ or base.type.elem.bits != 8 or not isinstance(t, Scalar):  # type: ignore[attr-defined]
        return None
    if not t.is_integer or t.bits not in (16, 32):
        return None
    wide = Scalar("u32")
    whole: e.Expr | None = None
    for k in range(t.bits // 8):
        one = e.Index(base, const(k, I32), base.type.elem)  # type: ignore[attr-defined]
        byte: e.Expr = e.Cast(e.Cast(one, U8) if one.type != U8 else one, wide)
        byte = e.Binary("<<", byte, const(8 * k, I32), wide) if k else byte
        whole = byte if whole is None else e.Binary("|", whole, byte, wide)
    assert whole is not None
    return e.Cast(whole, t)
