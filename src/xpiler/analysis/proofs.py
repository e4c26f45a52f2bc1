"""The search that proves a polynomial non-negative: atoms give way to their bounds."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from xpiler.analysis.poly import Poly, atom

if TYPE_CHECKING:
    from xpiler.analysis.ranges import Facts


def search(facts: Facts, p: Poly, depth: int, budget: int) -> bool:
    """Best first: the polynomial with the fewest terms is looked at next."""
    budget = min(budget, facts.ledger.effort)
    heap: list[tuple[int, int, int, Poly]] = [(len(p.terms), 0, 0, p)]
    seen = {p}
    count = 0
    while heap and budget > 0:
        _, steps, _, q = heappop(heap)
        budget -= 1
        facts.ledger.effort -= len(q.terms)
        for less in weaker(facts, q):
            lo, hi = facts.interval(less)
            if lo >= 0:
                return True
            if hi < 0 or steps + 1 >= depth or less in seen:
                continue
            seen.add(less)
            count += 1
            heappush(heap, (len(less.terms), steps + 1, count, less))
    return False


def weaker(facts: Facts, p: Poly) -> Iterator[Poly]:
    for name in sorted(p.atoms(), key=lambda a: rank(facts, a), reverse=True)[:3]:
        yield from eliminations(facts, p, name)


def eliminations(facts: Facts, p: Poly, name: str) -> Iterator[Poly]:
    """Polynomials w such that w >= 0 implies p >= 0, without `name` (mostly)."""
    parts = p.split(name)
    if parts is None:
        return
    c, _ = parts
    clo, chi = facts.interval(c)
    for fact in facts_of(facts, name):
        split = fact.split(name)
        if split is None or not split[0].terms:
            continue
        g = split[0]
        q, r = c.divided_by(g)
        if not r.terms and facts.soon_nonneg(q):
            yield p - q * fact  # fact >= 0 and q >= 0
            continue
        gc = g.constant
        if gc is not None and ((gc > 0 and clo >= 0) or (gc < 0 and chi <= 0)):
            scaled = p * abs(gc) - c * (1 if gc > 0 else -1) * fact
            yield scaled + (abs(gc) - 1)  # |g| * p > -|g| suffices: p is an integer
    yield from _cases(facts, p, name)


def _cases(facts: Facts, p: Poly, name: str) -> Iterator[Poly]:
    """For an atom that is one of two values: p with one of them, where the other is no matter."""
    info = facts.atoms.get(name)
    values = info.min_of or info.max_of or info.one_of if info is not None else ()
    if len(values) != 2:
        return
    parts = [p.substitute({name: v}) for v in values]
    for one, other in (parts, parts[::-1]):
        if facts.soon_nonneg(one):
            yield other


def facts_of(facts: Facts, name: str) -> Iterator[Poly]:
    """Polynomials >= 0 with this atom, those that cost nothing first."""
    yield from facts.known.get(name, ())
    yield from (p for p in facts.assumed if name in p.atoms())
    info = facts.atoms.get(name)
    if info is None:
        return
    yield from (atom(name) - m for m in info.max_of)
    yield from (m - atom(name) for m in info.min_of)
    yield from info.near
    if info.num is None or info.den is None:
        return
    q = atom(name)
    low = info.num - info.den * q  # num % den
    yield info.den - 1 - low
    yield info.den - 1 + low
    if facts.soon_nonneg(info.num):
        yield from (low, q)
    elif facts.soon_nonneg(q - 1):
        yield low
    elif facts.soon_nonneg(low - 1):
        yield q  # a positive remainder comes from a positive numerator


def rank(facts: Facts, name: str) -> tuple[float, str]:
    if name in facts.rank:
        return facts.rank[name], name
    info = facts.atoms.get(name)
    if info is None:
        return 0, name
    inner = [p for p in (info.num, info.den) if p is not None]
    inner += [*info.max_of, *info.min_of]
    ranks = [rank(facts, a)[0] for p in inner for a in p.atoms()]
    if not inner:
        ranks = [facts.rank.get(v, 0) for v in facts.inside_of(name) if v != name]
    return (max(ranks) + 0.5 if ranks else 0), name
