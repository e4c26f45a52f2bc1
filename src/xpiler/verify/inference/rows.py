"""Rows that run into the next one: stores at `row * n + column` with a column of n or more.

Two blocks then write the same element. Nobody launches a kernel so: sizes for which it happens are
no sizes that the kernel was written for, though every access may lie within its buffer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xpiler.ir import expr as e
from xpiler.ir.rewrite import walk
from xpiler.ir.types import Pointer
from xpiler.verify.inference import values as v
from xpiler.verify.inference.candidates import bare
from xpiler.verify.inference.values import point

if TYPE_CHECKING:
    from xpiler.verify.inference.machine import Machine

DEPTH = 12
MOVING = ("block", "thread", "lane")
Terms = tuple[e.Expr, ...]


def spill(m: Machine, place: e.Expr) -> float:
    """By what share of a row a store at `place` passes its row's end; 0 where it does not."""
    terms = offsets(m, place)
    return _spill(m, [_term(m, x) for x in _summands(m, terms)]) if terms else 0.0


def spilled_tile(m: Machine, pointer: e.Expr, length: e.Expr, width: int) -> float:
    """Like `spill`, for a store of a tile, `width` elements of rows that are `length` apart."""
    terms, size = offsets(m, pointer), m.number(length)
    if not terms or not size.single or size.lo <= 0:
        return 0.0
    sizes = _term(m, length).sizes
    return _beyond(m, [_term(m, x) for x in _summands(m, terms)], int(size.lo), sizes, width)


def offsets(m: Machine, place: e.Expr) -> Terms | None:
    """The integers added up on the way from a buffer to `place`; None where that is not known."""
    if isinstance(place, e.Index):
        if isinstance(place.base, e.Cast):  # the first of wider elements
            first = isinstance(place.index, e.Const) and place.index.value == 0
            return offsets(m, place.base.x) if first else None
        base = offsets(m, place.base)
        return None if base is None else (*base, place.index)
    if isinstance(place, e.AddressOf):
        return offsets(m, place.x)
    if isinstance(place, e.Binary) and place.op == "+" and isinstance(place.type, Pointer):
        base = offsets(m, place.a)
        return None if base is None else (*base, place.b)
    if isinstance(place, e.Cast) and place.type == place.x.type:
        return offsets(m, place.x)
    if isinstance(place, e.Field) and isinstance(place.type, Pointer):
        return ()
    return m.paths.get(place.name, ()) if isinstance(place, e.Var) else None


def _summands(m: Machine, terms: Terms, depth: int = 0) -> Iterator[e.Expr]:
    """The terms of a sum, through variables that stand for one and that no guard bounds."""
    for t in terms:
        x = bare(t)
        if isinstance(x, e.Var) and x.name in m.origins and not m.bounds(x):
            whole = bare(m.origins[x.name])
            x = whole if isinstance(whole, e.Binary) and whole.op in "+*" else x
        if isinstance(x, e.Binary) and x.op == "+" and depth < DEPTH and not m.bounds(x):
            yield from _summands(m, (x.a, x.b), depth + 1)
        else:
            yield x


@dataclass(frozen=True, slots=True)
class _Term:
    """A product: the sizes in it, what it is known to be a multiple of, and what varies."""

    whole: e.Expr
    stride: int
    sizes: frozenset[e.Expr]
    varying: tuple[e.Expr, ...]


def _term(m: Machine, x: e.Expr) -> _Term:
    stride, sizes, varying = 1, set(), []
    for factor in _factors(x):
        n = m.number(factor)
        if n.single and n.lo >= 1 and not _moves(m, factor):
            stride *= int(n.lo)
            sizes |= {factor} if any(isinstance(y, e.Var) for y in walk(factor)) else set()
        else:
            varying.append(factor)
    return _Term(x, stride, frozenset(sizes), tuple(varying))


def _spill(m: Machine, terms: Sequence[_Term]) -> float:
    """Over all ways to see a sum as row * length + column, together."""
    total = 0.0
    for row in terms:
        if row.sizes and row.varying:
            total += _beyond(m, terms, row.stride, row.sizes)
        for x in row.varying if len(terms) + len(row.varying) > 1 or row.stride > 1 else ():
            inner = [_term(m, y) for y in _summands(m, (x,))]
            total += _spill(m, inner) if len(inner) > 1 else 0.0
    return total


def _beyond(
    m: Machine, terms: Sequence[_Term], length: int, sizes: frozenset[e.Expr], width: int = 1
) -> float:
    """By what share of `length`, made of `sizes`, the terms that count within a row pass it."""

    def counts(t: _Term) -> bool:
        if not t.sizes:  # of rows with a fixed length it may say which one it is
            return bool(sizes) or t.stride % length != 0
        return t.stride <= length and not t.sizes >= sizes

    columns = [t for t in terms if counts(t)]
    if any(_subtracts(t.whole) for t in columns):
        return 0.0
    span = point(0)
    for t in columns:
        span = v.add(span, m.number(t.whole))
    return max(0.0, min(1.0, (span.hi + width - length) / length)) if span.bounded else 0.0


def _factors(x: e.Expr) -> list[e.Expr]:
    x = bare(x)
    if isinstance(x, e.Binary) and x.op == "*":
        return [*_factors(x.a), *_factors(x.b)]
    return [x]


def _moves(m: Machine, x: e.Expr) -> bool:
    """Whether `x` differs from thread to thread, though perhaps not for these sizes."""
    names = [n.name for n in walk(x) if isinstance(n, e.Var)]
    parts = [x, *(m.origins[n] for n in names if n in m.origins)]
    return any(isinstance(n, e.Axis) and n.level in MOVING for p in parts for n in walk(p))


def _subtracts(x: e.Expr) -> bool:
    """Whether intervals may lose how the parts of `x` hang together."""
    return any(
        isinstance(n, e.Binary) and n.op == "-" and not isinstance(bare(n.b), e.Const)
        for n in walk(x)
    )
