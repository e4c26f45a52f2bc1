"""Pointers into the function's own arrays become subscripts of those arrays.

`float *t = &p[lane]; .. t[i]` reads `p[lane + i]`, so that whoever moves or splits `p` sees it.
Pointers to what the caller gave stay: they are how people name a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from xpiler.analysis.effects import declared, unchanging
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import rewrite_exprs, walk
from xpiler.ir.types import I32, I64, Array, Pointer, Scalar, Type
from xpiler.passes.cleanup.base import Context, each_function


@dataclass(frozen=True)
class Places:
    """Elements of local arrays by their subscripts, not by pointers that never move."""

    name: str = "places"

    def apply(self, program: Program, ctx: Context) -> Program:
        return each_function(program, _without_pointers)


@dataclass(frozen=True)
class _Place:
    """Where a pointer points to: element `at` of an array (None: the first)."""

    array: e.Var
    at: e.Expr | None


def _without_pointers(f: Function) -> Function:
    found = _places(f)
    if not found:
        return f

    def one(x: e.Expr) -> e.Expr:
        if not isinstance(x, e.Index):
            return x
        base = x.base
        while isinstance(base, e.Cast) and isinstance(base.x.type, Pointer):
            base = base.x
        place = found.get(base.name) if isinstance(base, e.Var) else None
        t = place.array.type if place is not None else None
        if place is None or not isinstance(t, Array) or t.elem != x.type:
            return x
        return replace(x, base=place.array, index=_sum(place.at, x.index))

    body: s.Body = rewrite_exprs(f.body, one)
    return f if body == f.body else f.with_body(body)


def _places(f: Function) -> dict[str, _Place]:
    """The pointers that are set once, to an element whose number never changes.

    Propagate drops those that nobody asks any more.
    """
    decls = declared(f.body)
    fixed = unchanging(f)
    out: dict[str, _Place] = {}
    for name, d in decls.items():
        if name not in fixed or d.init is None or not isinstance(d.var.type, Pointer):
            continue
        place = _place(d.init, out)
        own = place is not None and place.array.name in decls
        if place is not None and own and (place.at is None or _steady(place.at, fixed)):
            out[name] = place
    return out


def _place(x: e.Expr, known: Mapping[str, _Place]) -> _Place | None:
    """Where `x` points to, by pointers that are known."""
    while isinstance(x, e.Cast) and isinstance(x.x.type, (Pointer, Array)):
        x = x.x
    if isinstance(x, e.Var):
        return _Place(x, None) if isinstance(x.type, Array) else known.get(x.name)
    if isinstance(x, e.AddressOf) and isinstance(x.x, e.Index):
        base, by = x.x.base, x.x.index
    elif isinstance(x, e.Binary) and x.op == "+":
        base, by = x.a, x.b
    else:
        return None
    below = _place(base, known) if isinstance(base, e.Var) else None
    if below is None or not _same_elements(base.type, below.array.type):
        return None
    return _Place(below.array, _sum(below.at, by))


def _same_elements(a: Type, b: Type) -> bool:
    """Whether both count in the same steps."""
    return isinstance(a, (Pointer, Array)) and isinstance(b, Array) and a.elem == b.elem


def _steady(x: e.Expr, fixed: set[str]) -> bool:
    """Whether a number is the same wherever it is asked for."""
    plain = (e.Const, e.Var, e.Cast, e.Unary, e.Binary)
    return all(
        isinstance(n, plain) and (not isinstance(n, e.Var) or n.name in fixed) for n in walk(x)
    )


def _sum(at: e.Expr | None, index: e.Expr) -> e.Expr:
    """Within an array no sum of two 32-bit subscripts overflows."""
    if at is None:
        return index
    if at.type == I32 and index.type == I32:
        return e.Binary("+", at, index, I32)
    return e.Binary("+", _wide(at), _wide(index), I64)


def _wide(x: e.Expr) -> e.Expr:
    return x if x.type == I64 or not isinstance(x.type, Scalar) else e.Cast(x, I64)
