"""Pointers to rows become pointers to numbers: `a[i][j]` of `float (*a)[n]` is `a[i * n + j]`.

Arrays of C lie row by row without gaps (C11 6.2.5, 6.5.2.1), so the two name the same place. What
is left knows no array whose extent is only known at run time. Index arithmetic is done in 64 bits
as pointer arithmetic is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from xpiler.frontend.faults import NotUnderstood
from xpiler.ir.expr import AddressOf, Binary, Cast, Const, Expr, Index, Select, Var
from xpiler.ir.program import Function
from xpiler.ir.rewrite import map_children, walk
from xpiler.ir.stmt import Decl
from xpiler.ir.types import I64, Array, Pointer, Scalar, Type


@dataclass(frozen=True, slots=True)
class RuntimeArray(Array):
    """An array whose number of elements is a value; only the front end knows such types."""

    count: Expr | None = None


@dataclass(frozen=True, slots=True)
class _Address:
    """`base + offset`, where the offset counts things of type `unit`; none is 0."""

    base: Expr
    unit: Type
    offset: Expr | None = None

    def plus(self, index: Expr) -> _Address:
        if isinstance(index, Const) and index.value == 0:
            return self
        return replace(self, offset=_sum(self.offset, _wide(index)))

    def down(self) -> _Address:
        """The first element of what lies there, an array."""
        assert isinstance(self.unit, Array)
        offset = None if self.offset is None else _times(self.offset, _count(self.unit))
        return _Address(self.base, self.unit.elem, offset)

    def pointer(self) -> Expr:
        at = self
        while isinstance(at.unit, Array):
            at = at.down()
        if at.offset is None:
            return at.base
        return Binary("+", at.base, at.offset, at.base.type)

    def place(self, t: Type) -> Index:
        return Index(self.base, self.offset if self.offset is not None else Const(0, I64), t)


def flatten(f: Function) -> Function:
    """`f` without pointers to arrays; raises NotUnderstood for a difference of such pointers."""
    if not any(_rows(n.type) for n in (*f.params, *walk(f.body)) if isinstance(n, Expr)):
        return f
    params = tuple(replace(p, type=flat_type(p.type)) for p in f.params)
    return replace(f, params=params, body=tuple(map(_flat, f.body)), ret=flat_type(f.ret))


def _rows(t: Type) -> bool:
    return isinstance(t, RuntimeArray) or (isinstance(t, Pointer) and isinstance(t.elem, Array))


def flat_type(t: Type) -> Type:
    """The pointer to numbers that stands for a pointer to arrays of them; other types are kept."""
    if isinstance(t, RuntimeArray) or (isinstance(t, Pointer) and isinstance(t.elem, Array)):
        const, restrict = getattr(t, "const", False), getattr(t, "restrict", False)
        inner: Type = t.elem
        while isinstance(inner, Array):
            inner = inner.elem
        return Pointer(inner, const, restrict)
    return t


def _flat(n: Any) -> Any:
    if isinstance(n, Decl):
        init = None if n.init is None else _flat(n.init)
        return replace(n, var=replace(n.var, type=flat_type(n.var.type)), init=init)
    if not isinstance(n, Expr):
        return map_children(n, _flat)
    if isinstance(n, Index) and not isinstance(n.type, Array):
        at = _address(n.base)
        if at is not None:
            return at.plus(_flat(n.index)).place(n.type)
    elif isinstance(n, Binary) and _rows(n.a.type) and _rows(n.b.type) and n.op == "-":
        raise NotUnderstood("XP0207", "a difference of pointers to rows is not understood")
    found = _address(n)
    if found is not None:
        return found.pointer()
    new = map_children(n, _flat)
    return replace(new, type=flat_type(new.type)) if _rows(new.type) else new


def _address(n: Expr) -> _Address | None:
    """Where an array or a row lies, None for what is no pointer to rows and no row of one.

    The unit is what the expression points to; an array points to its elements.
    """
    if isinstance(n, Var) and _rows(n.type):
        assert isinstance(n.type, (Pointer, Array))
        return _Address(replace(n, type=flat_type(n.type)), n.type.elem)
    if isinstance(n, Index) and isinstance(n.type, Array):
        at = _address(n.base)
        return None if at is None else at.plus(_flat(n.index)).down()
    if isinstance(n, AddressOf) and isinstance(n.x, Index) and isinstance(n.x.type, Array):
        at = _address(n.x.base)
        return None if at is None else at.plus(_flat(n.x.index))
    if isinstance(n, Cast) and isinstance(n.type, Pointer):
        return _converted(n, n.type)
    if not (isinstance(n.type, Pointer) and _rows(n.type)):
        return None
    if isinstance(n, Binary) and n.op in ("+", "-") and _rows(n.a.type):
        at, index = _address(n.a), _flat(n.b)
        if n.op == "-":
            index = Binary("-", Const(0, I64), _wide(index), I64)
        return None if at is None else at.plus(index)
    if isinstance(n, Select):
        t = flat_type(n.type)
        return _Address(Select(_flat(n.cond), _flat(n.a), _flat(n.b), t), n.type.elem)
    return None


def _converted(n: Cast, t: Pointer) -> _Address | None:
    """A conversion to or from a pointer to rows."""
    inner = _address(n.x)
    if inner is None and not _rows(t):
        return None
    flat = flat_type(t)
    assert isinstance(flat, Pointer)
    if (
        inner is not None
        and isinstance(inner.base.type, Pointer)
        and inner.base.type.elem == flat.elem
        and _known(inner.unit) == _known(t.elem)
    ):
        return replace(inner, unit=t.elem)
    x = inner.pointer() if inner is not None else _flat(n.x)
    same = isinstance(x.type, Pointer) and x.type.elem == flat.elem
    return _Address(x if same else Cast(x, flat), t.elem)


def _count(t: Array) -> Expr:
    """Elements of an array."""
    if isinstance(t, RuntimeArray) and t.count is not None:
        return _wide(t.count)
    if t.size is None:
        raise NotUnderstood("XP0207", "the extent of this array is not known")
    return Const(t.size, I64)


def _volume(t: Type) -> Expr:
    """Scalars in one element of type `t`."""
    return _times(_count(t), _volume(t.elem)) if isinstance(t, Array) else Const(1, I64)


def _known(t: Type) -> object:
    """The extents of an array type, for comparing: numbers where they are known."""
    out: list[object] = []
    while isinstance(t, Array):
        count = _count(t)
        out.append(count.value if isinstance(count, Const) else count)
        t = t.elem
    return (*out, t)


def total(t: Type) -> Expr:
    """Scalars in an array, as i64. Raises NotUnderstood where its extent is not known."""
    return _volume(t)


def _wide(x: Expr) -> Expr:
    if x.type == I64 or not isinstance(x.type, Scalar):
        return x
    return replace(x, type=I64) if isinstance(x, Const) else Cast(x, I64)


def _times(a: Expr, b: Expr) -> Expr:
    for x, y in ((a, b), (b, a)):
        if isinstance(x, Const) and x.value == 1:
            return y
        if isinstance(x, Const) and x.value == 0:
            return x
    return Binary("*", a, b, I64)


def _sum(a: Expr | None, b: Expr) -> Expr:
    return b if a is None else Binary("+", a, b, I64)
