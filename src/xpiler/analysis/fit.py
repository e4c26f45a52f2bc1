"""Extents as products of sizes, found from examples: the product that gives the counts seen."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations

from xpiler.ir import expr as e
from xpiler.ir.types import I64, Scalar, Type

MOST_FACTORS = 4
Sizes = Mapping[str, int | float]


def product(
    cases: Sequence[tuple[Sizes, int]], more: Sequence[tuple[Sizes, int]], names: Sequence[str]
) -> tuple[int, tuple[str, ...]] | None:
    """(c, factors) with count = c * product of the factors; None where that is not clear.

    The product has to be right in all cases, and more often than any other for the sizes around
    them (where less may be touched), with two different counts at least.
    """
    if not names:
        counts = {n for _, n in cases}
        return (counts.pop(), ()) if len(counts) == 1 else None
    scored: dict[tuple[int, tuple[str, ...]], int] = {}
    for found in set(_candidates((*cases, *more), names)):
        if found[1] and all(_value(found, sizes) == n for sizes, n in cases):
            scored[found] = _hits(found, (*cases, *more), names)
    best = max(scored.values(), default=0)
    good = [x for x, hits in scored.items() if hits == best]
    return good[0] if best >= 2 and len(good) == 1 else None


def _value(found: tuple[int, tuple[str, ...]], sizes: Sizes) -> int:
    p = found[0]
    for n in found[1]:
        p *= int(sizes[n])
    return p


def _hits(
    found: tuple[int, tuple[str, ...]], seen: Sequence[tuple[Sizes, int]], names: Sequence[str]
) -> int:
    """At how many different sizes the product is the count; 0 if it is one count everywhere."""
    met = {tuple(sizes.get(n) for n in names): n for sizes, n in seen if _value(found, sizes) == n}
    moved = len(set(met.values())) > 1
    return len(met) if moved else 0


def _candidates(
    seen: Sequence[tuple[Sizes, int]], names: Sequence[str]
) -> Iterator[tuple[int, tuple[str, ...]]]:
    for k in range(min(len(names), MOST_FACTORS) + 1):
        for chosen in combinations(names, k):
            for sizes, count in seen:
                p = _value((1, chosen), sizes)
                if p > 0 and count % p == 0:
                    yield count // p, chosen


def as_expr(found: tuple[int, tuple[str, ...]], types: Mapping[str, Type]) -> e.Expr:
    """The product as an i64 expression over the variables."""
    out: e.Expr | None = None
    for n in found[1]:
        x = e.Cast(e.Var(n, types[n]), I64)
        out = x if out is None else e.Binary("*", out, x, I64)
    if out is None:
        return e.Const(found[0], I64)
    return out if found[0] == 1 else e.Binary("*", out, e.Const(found[0], I64), I64)


def value(x: e.Expr, sizes: Sizes) -> int | None:
    """The value of an integer expression for given sizes; None where it asks for anything else."""
    if isinstance(x, e.Const):
        return int(x.value) if isinstance(x.type, Scalar) and x.type.is_integer else None
    if (name := name_of(x)) is not None:
        return int(sizes[name]) if name in sizes else None
    if isinstance(x, e.Cast) and isinstance(x.type, Scalar) and x.type.is_integer:
        return value(x.x, sizes)
    if isinstance(x, e.Select):
        c = value(x.cond, sizes)
        return None if c is None else value(x.a if c else x.b, sizes)
    if isinstance(x, e.Unary) and x.op == "-":
        inner = value(x.x, sizes)
        return None if inner is None else -inner
    return _binary(x, sizes) if isinstance(x, e.Binary) else None


def name_of(x: e.Expr) -> str | None:
    """A variable, or what is in one of its fields: `n`, `p.range.first`, `p.dims[2]`."""
    if isinstance(x, e.Var):
        return x.name
    if isinstance(x, e.Field):
        base = name_of(x.base)
        return None if base is None else f"{base}.{x.name}"
    if isinstance(x, e.Index) and isinstance(x.index, e.Const):
        base = name_of(x.base)
        return None if base is None else f"{base}[{x.index.value}]"
    return None


_PLAIN: Mapping[str, Callable[[int, int], int]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "<": operator.lt, "<=": operator.le,
    ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
    "&": operator.and_, "|": operator.or_, "^": operator.xor,
}  # fmt: skip


def _binary(x: e.Binary, sizes: Sizes) -> int | None:
    a, b = value(x.a, sizes), value(x.b, sizes)
    if a is None or b is None:
        return None
    if x.op in ("/", "%"):
        if b == 0:
            return None
        q = abs(a) // abs(b) * (1 if (a >= 0) == (b >= 0) else -1)
        return q if x.op == "/" else a - b * q
    found = _PLAIN.get(x.op)
    return None if found is None else int(found(a, b))
