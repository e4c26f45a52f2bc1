"""What follows from an inequality by the meaning of the atoms in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from xpiler.analysis.poly import Poly, atom

if TYPE_CHECKING:
    from xpiler.analysis.ranges import Facts


def implied(facts: Facts, p: Poly) -> Iterator[Poly]:
    """What else is >= 0 where p is."""
    for name in sorted(p.atoms()):
        yield from _of_quotient(facts, name)
        yield from _of_extreme(facts, p, name)


def _of_quotient(facts: Facts, name: str) -> Iterator[Poly]:
    """A positive quotient times its divisor is at most the numerator."""
    info = facts.atoms[name]
    if info.num is None or info.den is None:
        return
    if facts.soon_nonneg(info.num) or facts.soon_nonneg(atom(name) - 1):
        yield info.num - info.den * atom(name)


def _of_extreme(facts: Facts, p: Poly, name: str) -> Iterator[Poly]:
    """What is at most a minimum is at most each of its values; maxima likewise."""
    parts, info = p.split(name), facts.atoms[name]
    c = parts[0].constant if parts else None
    if c is not None:
        yield from (p.substitute({name: v}) for v in (info.min_of if c > 0 else info.max_of))
