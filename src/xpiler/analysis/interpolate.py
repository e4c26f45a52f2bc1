"""Extents as polynomials of sizes, found by asking for them at chosen sizes."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import lcm

from xpiler.analysis import fit
from xpiler.ir import expr as e
from xpiler.ir.types import I64

Sizes = Mapping[str, int | float]
Count = Callable[[Sizes], int | None]
Term = tuple[e.Expr, ...]

MOST_TERMS = 40
SPARE = 8  # samples beyond those that determine the coefficients
MOST_SAMPLES = 90
FAR = (29, 131)  # units by which one size at a time is larger in the end: past any common tile
STEP = 2  # a size is changed by so many units: a window with a stride of 2 moves on


@dataclass(frozen=True)
class Factor:
    """An integer expression that may be in a term, and the sizes that it is made of."""

    expr: e.Expr
    names: frozenset[str]


def polynomial(
    count: Count, base: Sizes, unit: int, names: Mapping[str, e.Expr], others: Sequence[e.Expr] = ()
) -> e.Expr | None:
    """The polynomial in `names` that `count` is around `base`, as an i64 expression, or None.

    Each term has at most one factor for every size: the size, its square or one of `others`
    (quotients of sizes, say). The sizes are changed by multiples of `unit`. More samples are taken
    than there are unknown coefficients, and the polynomial is right for all of them, and where one
    size is much larger than the others.
    """
    if count(base) is None:
        return None
    near = _near(count, base, unit, list(names))
    if near is None:
        return None
    moved, linked, bent = near
    factors = [Factor(names[n], frozenset((n,))) for n in moved]
    factors += [f for x in others if (f := _factor(x, moved)) is not None]
    squares = [Factor(e.Binary("*", names[n], names[n], I64), frozenset((n,))) for n in bent]
    for more in ([], squares) if squares else ([],):
        terms = _terms([*factors, *more], linked)
        found = _solved(count, base, unit, moved, terms) if len(terms) <= MOST_TERMS else None
        if found is not None:
            out = _written(found)
            return out if _holds_far(out, count, base, unit, list(names)) else None
    return None


def _holds_far(x: e.Expr, count: Count, base: Sizes, unit: int, names: Sequence[str]) -> bool:
    """Whether `x` is the count also where one size is much larger, as far as that is known.

    Sizes that make no sense together (a filter longer than the signal) touch nothing.
    """
    far = ({**base, n: int(base[n]) + step * unit} for step in FAR for n in names)
    seen = [(count(at), fit.value(x, at)) for at in far]
    return all(n is None or (value is not None and n == max(0, value)) for n, value in seen)


def _near(
    count: Count, base: Sizes, unit: int, names: Sequence[str]
) -> tuple[list[str], set[frozenset[str]], list[str]] | None:
    """The sizes that matter, the pairs that matter together, those that no line describes."""

    def at(*changed: str, step: int = STEP) -> int | None:
        return count({**base, **{n: int(base[n]) + step * unit for n in changed}})

    start = at()
    once = {n: at(n) for n in names}
    twice = {n: at(n, step=2 * STEP) for n in names}
    if start is None or None in once.values() or None in twice.values():
        return None
    moved = [n for n in names if not once[n] == twice[n] == start]
    bent = [n for n in moved if twice[n] - once[n] != once[n] - start]  # type: ignore[operator]
    linked = set()
    for a, b in combinations(moved, 2):
        both = at(a, b)
        if both is None:
            return None
        if both - once[a] != once[b] - start:  # type: ignore[operator]
            linked.add(frozenset((a, b)))
    return moved, linked, bent


def _factor(x: e.Expr, moved: Sequence[str]) -> Factor | None:
    found = frozenset(sizes_in(x))
    return Factor(x, found) if found and found <= set(moved) else None


def sizes_in(x: e.Expr) -> set[str]:
    """The names of the sizes in `x`, as `fit.name_of` calls them."""
    if (name := fit.name_of(x)) is not None:
        return {name}
    inner = (getattr(x, part, None) for part in ("a", "b", "x"))
    return {n for y in inner if isinstance(y, e.Expr) for n in sizes_in(y)}


def _terms(factors: Sequence[Factor], linked: set[frozenset[str]]) -> list[Term]:
    """Products of factors, none with two factors of one size, small ones first."""
    terms: list[tuple[Factor, ...]] = [()]
    for f in factors:
        terms += [(*t, f) for t in terms if all(_together(f, g, linked) for g in t)]
        if len(terms) > MOST_TERMS:
            break
    return [tuple(f.expr for f in t) for t in sorted(terms, key=len)]


def _together(f: Factor, g: Factor, linked: set[frozenset[str]]) -> bool:
    if f.names & g.names:
        return False
    return all(frozenset((a, b)) in linked for a in f.names for b in g.names)


def _solved(
    count: Count, base: Sizes, unit: int, moved: Sequence[str], terms: Sequence[Term]
) -> list[tuple[Term, Fraction]] | None:
    """Coefficients with which the sum of the terms is the count at every sample."""
    rows: list[list[Fraction]] = []
    draw = random.Random(len(terms))
    held = 0
    met: set[tuple[int | float, ...]] = set()
    while held < SPARE:
        if len(met) == MOST_SAMPLES:
            return None
        reach = 3 + len(met) // 8
        sizes = {**base, **{n: int(base[n]) + unit * draw.randint(0, reach) for n in moved}}
        key = tuple(sizes[n] for n in moved)
        if not moved:
            return [((), Fraction(count(base) or 0))]
        if key in met:
            reach += 1
            sizes = {**base, **{n: int(base[n]) + unit * draw.randint(0, reach) for n in moved}}
            key = tuple(sizes[n] for n in moved)
        met.add(key)
        row = _row(count, sizes, terms)
        if row is None:
            return None
        row = _reduced(row, rows)
        if any(row[:-1]):
            rows.append(row)
            held = 0
        elif row[-1]:
            return None
        else:
            held += 1
    return _back(rows, terms)


def _row(count: Count, sizes: Sizes, terms: Sequence[Term]) -> list[Fraction] | None:
    """The values of the terms at `sizes`, and the count there."""
    found = count(sizes)
    values = [_product(t, sizes) for t in terms]
    if found is None or None in values:
        return None
    return [Fraction(x) for x in (*values, found) if x is not None]


def _product(term: Term, sizes: Sizes) -> int | None:
    out = 1
    for x in term:
        value = fit.value(x, sizes)
        if value is None:
            return None
        out *= value
    return out


def _reduced(row: list[Fraction], rows: Iterable[list[Fraction]]) -> list[Fraction]:
    for done in rows:
        lead = _lead(done)
        if row[lead]:
            scale = row[lead] / done[lead]
            row = [x - scale * y for x, y in zip(row, done, strict=True)]
    return row


def _lead(row: list[Fraction]) -> int:
    return next(k for k, x in enumerate(row) if x)


def _back(rows: Sequence[list[Fraction]], terms: Sequence[Term]) -> list[tuple[Term, Fraction]]:
    """The solution of rows in echelon form; coefficients that no sample asked for are 0."""
    values = [Fraction(0)] * len(terms)
    for row in sorted(rows, key=_lead, reverse=True):
        lead = _lead(row)
        known = sum((x * y for x, y in zip(row[lead + 1 : -1], values[lead + 1 :], strict=True)),
                    Fraction(0))  # fmt: skip
        values[lead] = (row[-1] - known) / row[lead]
    return [(t, x) for t, x in zip(terms, values, strict=True) if x]


def _written(found: Sequence[tuple[Term, Fraction]]) -> e.Expr:
    """The sum as an expression: whole coefficients, divided by their denominator at the end."""
    whole = lcm(*(x.denominator for _, x in found))
    ordered = sorted(found, key=lambda f: (f[1] < 0, -len(f[0])))
    out: e.Expr | None = None
    for term, coefficient in ordered:
        c = int(coefficient * whole)
        x = _scaled(term, abs(c))
        if out is None:
            out = x if c > 0 else e.Unary("-", x, I64)
        else:
            out = e.Binary("+" if c > 0 else "-", out, x, I64)
    out = out if out is not None else e.Const(0, I64)
    return out if whole == 1 else e.Binary("/", out, e.Const(whole, I64), I64)


def _scaled(term: Term, c: int) -> e.Expr:
    out: e.Expr | None = None
    for x in term:
        out = x if out is None else e.Binary("*", out, x, I64)
    if out is None:
        return e.Const(c, I64)
    return out if c == 1 else e.Binary("*", out, e.Const(c, I64), I64)
