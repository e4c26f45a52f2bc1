"""Extents as products of sizes, found from examples: which product gives the counts that were seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from xpiler.ir import expr as e
from xpiler.ir.types import I64, Scalar, Type

MOST_FACTORS = 4
Sizes = Mapping[str, int | float]


def product(
    seen: Sequence[tuple[Sizes, int]], names: Sequence[str]
) -> tuple[int, tuple[str, ...]] | None:
    """(c, factors) with count = c * product of the factors in every example; None unless exactly
    one such product explains at least two different examples (or there are no sizes at all)."""
    counts = {n for _, n in seen}
    if not names:
        return (counts.pop(), ()) if len(counts) == 1 else None
    if len({tuple(sizes.get(n) for n in names) for sizes, _ in seen}) < 2:
        return None
    found = [x for x in _candidates(seen, names) if x is not None]
    least = [x for x in found if not any(set(y[1]) < set(x[1]) and y != x for y in found)]
    return least[0] if len(least) == 1 else None


def _candidates(
    seen: Sequence[tuple[Sizes, int]], names: Sequence[str]
) -> Iterator[tuple[int, tuple[str, ...]] | None]:
    for k in range(min(len(names), MOST_FACTORS) + 1):
        for chosen in combinations(names, k):
            yield _scale(seen, chosen)


def _scale(
    seen: Sequence[tuple[Sizes, int]], chosen: tuple[str, ...]
) -> tuple[int, tuple[str, ...]] | None:
    scale = None
    for sizes, count in seen:
        p = 1
        for n in chosen:
            p *= int(sizes[n])
        if p <= 0 or count % p or scale not in (None, count // p):
            return None
        scale = count // p
    return None if scale is None else (scale, chosen)


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
        return int(x.value)
    if isinstance(x, e.Var):
        return int(sizes[x.name]) if x.name in sizes else None
    if isinstance(x, e.Field) and isinstance(x.base, e.Var):
        key = f"{x.base.name}.{x.name}"
        return int(sizes[key]) if key in sizes else None
    if isinstance(x, e.Cast) and isinstance(x.type, Scalar) and x.type.is_integer:
        return value(x.x, sizes)
    if isinstance(x, e.Select):
        c = value(x.cond, sizes)
        return None if c is None else value(x.a if c else x.b, sizes)
    if isinstance(x, e.Unary) and x.op == "-":
        inner = value(x.x, sizes)
        return None if inner is None else -inner
    return _binary(x, sizes) if isinstance(x, e.Binary) else None


def _binary(x: e.Binary, sizes: Sizes) -> int | None:
    a, b = value(x.a, sizes), value(x.b, sizes)
    if a is None or b is None:
        return None
    if x.op in ("/", "%"):
        if b == 0:
            return None
        q = abs(a) // abs(b) * (1 if (a >= 0) == (b >= 0) else -1)
        return q if x.op == "/" else a - b * q
    table = {"+": a + b, "-": a - b, "*": a * b, ">": int(a > b), "<": int(a < b)}
    return table.get(x.op)
