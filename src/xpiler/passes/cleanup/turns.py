"""Loops in which only every so many turns does something: one lane of each warp."""

from __future__ import annotations

from dataclasses import replace

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import substitute
from xpiler.ir.types import Scalar
from xpiler.passes.cleanup.nests import from_zero


def every_few(loop: s.For, pre: s.Body, cond: e.Expr) -> tuple[s.For, e.Expr] | None:
    """The turns of `loop` with `i % 32 == 3` as a loop over r, and `r * 32 + 3`: what i is there.

    `pre` declares what `cond` may be about. The body is left as it is.
    """
    fixed = isinstance(loop.hi, e.Const) and from_zero(loop)
    if not fixed or not isinstance(cond, e.Binary) or cond.op != "==":
        return None
    values = {d.var.name: d.init for d in pre if isinstance(d, s.Decl) and d.init is not None}
    a, b = (_bare(substitute(_bare(x), values)) for x in (cond.a, cond.b))
    if isinstance(a, e.Const):
        a, b = b, a
    width = _width(a, loop.var)
    if width is None or not isinstance(b, e.Const) or not 0 <= int(b.value) < width:
        return None
    t, first = loop.var.type, int(b.value)
    trips = -(-(int(loop.hi.value) - first) // width)  # type: ignore[attr-defined]
    if trips < 1 or int(loop.hi.value) <= width:  # type: ignore[attr-defined]
        return None
    at: e.Expr = e.Binary("*", loop.var, e.Const(width, t), t)
    at = e.Binary("+", at, e.Const(first, t), t) if first else at
    return replace(loop, hi=e.Const(trips, t)), at


def _width(x: e.Expr, var: e.Var) -> int | None:
    """32 of `i % 32` and of `i & 31`."""
    if not isinstance(x, e.Binary) or x.op not in "%&" or _bare(x.a) != var:
        return None
    if not isinstance(x.b, e.Const):
        return None
    width = int(x.b.value) + (x.op == "&")
    whole = x.op == "%" or width & (width - 1) == 0
    return width if width > 1 and whole else None


def _bare(x: e.Expr) -> e.Expr:
    """`x` without conversions between integers of 32 bits or more, which keep small numbers."""
    while isinstance(x, e.Cast) and all(_wide(y.type) for y in (x, x.x)):
        x = x.x
    return x


def _wide(t: object) -> bool:
    return isinstance(t, Scalar) and t.is_integer and t.bits >= 32
