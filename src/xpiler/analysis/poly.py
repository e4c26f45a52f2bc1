"""Polynomials with integer coefficients over named unknowns ("atoms"), in unbounded arithmetic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import gcd

Monomial = tuple[str, ...]  # names of the factors, sorted; () is the constant
MOST_TERMS = 16  # of a quotient


@dataclass(frozen=True, slots=True, eq=False)
class Poly:
    """A sum of coefficient * monomial; no term has coefficient zero. Treat `terms` as read-only."""

    terms: Mapping[Monomial, int]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Poly) and self.terms == other.terms

    def __hash__(self) -> int:
        return hash(frozenset(self.terms.items()))

    def __add__(self, other: Poly | int) -> Poly:
        out = dict(self.terms)
        for mono, c in lift(other).terms.items():
            out[mono] = out.get(mono, 0) + c
        return _trimmed(out)

    def __neg__(self) -> Poly:
        return Poly({m: -c for m, c in self.terms.items()})

    def __sub__(self, other: Poly | int) -> Poly:
        return self + (-lift(other))

    def __rsub__(self, other: int) -> Poly:
        return -self + other

    def __mul__(self, other: Poly | int) -> Poly:
        out: dict[Monomial, int] = {}
        for m1, c1 in self.terms.items():
            for m2, c2 in lift(other).terms.items():
                mono = tuple(sorted(m1 + m2)) if m1 and m2 else m1 or m2
                out[mono] = out.get(mono, 0) + c1 * c2
        return _trimmed(out)

    @property
    def constant(self) -> int | None:
        """The value, where the polynomial is a constant."""
        if not self.terms:
            return 0
        return self.terms.get(()) if len(self.terms) == 1 else None

    def atoms(self) -> set[str]:
        return {a for mono in self.terms for a in mono}

    def split(self, atom: str) -> tuple[Poly, Poly] | None:
        """(c, r) with self = c * atom + r and no `atom` in either; None for higher powers."""
        coefficient: dict[Monomial, int] = {}
        rest: dict[Monomial, int] = {}
        for mono, c in self.terms.items():
            count = mono.count(atom)
            if count > 1:
                return None
            if count:
                coefficient[tuple(a for a in mono if a != atom)] = c
            else:
                rest[mono] = c
        return Poly(coefficient), Poly(rest)

    def substitute(self, mapping: Mapping[str, Poly]) -> Poly:
        """The polynomial with atoms replaced."""
        if not any(a in mapping for mono in self.terms for a in mono):
            return self
        out = ZERO
        for mono, c in self.terms.items():
            term = Poly({(): c})
            for a in mono:
                term = term * mapping.get(a, Poly({(a,): 1}))
            out = out + term
        return out

    def divided_by(self, divisor: Poly) -> tuple[Poly, Poly]:
        """(q, r): self = divisor * q + r, r holding every term that a one-term divisor leaves."""
        if len(divisor.terms) != 1:
            return _divided_by_sum(self, divisor)
        ((mono, d),) = divisor.terms.items()
        quotient: dict[Monomial, int] = {}
        rest: dict[Monomial, int] = {}
        for m, c in self.terms.items():
            left = _without(m, mono)
            if left is None or c % d:
                rest[m] = c
            else:
                quotient[left] = c // d
        return Poly(quotient), Poly(rest)

    def tightened(self) -> Poly:
        """The smallest polynomial that is >= 0 for the same integers: 31 - 32*w as -w."""
        factor = gcd(*(c for mono, c in self.terms.items() if mono))
        if factor < 2:
            return self
        return _trimmed({m: c // factor for m, c in self.terms.items()})

    def __str__(self) -> str:
        parts = [
            "*".join(([str(c)] if c != 1 or not m else []) + list(m))
            for m, c in sorted(self.terms.items())
        ]
        return " + ".join(parts) or "0"


def _divided_by_sum(p: Poly, divisor: Poly) -> tuple[Poly, Poly]:
    """Exact quotient, by long division in one order of monomials; else all of `p` is left."""
    lead = min(divisor.terms, key=_before)
    quotient, left = ZERO, p
    while left.terms and len(quotient.terms) < MOST_TERMS:
        top = min(left.terms, key=_before)
        factor, rest = Poly({top: left.terms[top]}).divided_by(Poly({lead: divisor.terms[lead]}))
        if rest.terms:
            return ZERO, p
        quotient, left = quotient + factor, left - factor * divisor
    return (quotient, left) if not left.terms else (ZERO, p)


def _before(mono: Monomial) -> tuple[int, Monomial]:
    """An order that multiplication respects: high degrees, then many of the first atom, first."""
    return -len(mono), mono


def _without(mono: Monomial, factor: Monomial) -> Monomial | None:
    left = list(mono)
    for a in factor:
        if a not in left:
            return None
        left.remove(a)
    return tuple(left)


def _trimmed(terms: dict[Monomial, int]) -> Poly:
    return Poly({m: c for m, c in terms.items() if c})


def constant(value: int) -> Poly:
    return Poly({(): value}) if value else ZERO


def atom(name: str) -> Poly:
    return Poly({(name,): 1})


def lift(value: Poly | int) -> Poly:
    return constant(value) if isinstance(value, int) else value


def total(items: Iterable[Poly]) -> Poly:
    out = ZERO
    for p in items:
        out = out + p
    return out


ZERO = Poly({})
ONE = Poly({(): 1})
