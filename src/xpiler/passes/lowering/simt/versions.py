"""Rows at a distance that only a parameter says: apart where they are no longer than that.

`c[i * ldc + j]` with j < n: the host asks for `ldc >= n`, and launches all rows at once then.
"""

from __future__ import annotations

from dataclasses import dataclass

from xpiler.analysis.parallelism import Survey, gather, survey, within
from xpiler.analysis.poly import Poly, atom
from xpiler.analysis.ranges import Facts
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import walk
from xpiler.ir.types import I64, Scalar
from xpiler.passes.lowering.simt import words as w

MOST = 3
"""Conditions that the host asks for at most."""


@dataclass(frozen=True)
class Apart:
    """A condition that the host can ask for, and what is known of a loop where it holds."""

    cond: e.Expr
    facts: Facts
    survey: Survey


def apart_if(st: s.For, facts: Facts, readers: frozenset[str]) -> Apart | None:
    """What would make the iterations of `st` independent; None where nothing is found."""
    lengths = _lengths(st, facts, readers)
    if not lengths or len(lengths) > MOST:
        return None
    known, conds = facts, []
    for distance, loop in lengths:
        length = facts.poly(loop.hi) - facts.poly(loop.lo)
        known = known.with_fact(atom(distance.name) - length)
        conds.append(_as_long(distance, loop))
    found = survey((st,), known, readers)
    return Apart(w.both(conds), known, found) if found.of(st).free else None


def _lengths(st: s.For, facts: Facts, readers: frozenset[str]) -> list[tuple[e.Var, s.For]]:
    """Parameters that are distances between rows that are written, and the loops along these."""
    inner = {n.var.name: n for n in walk(st.body) if isinstance(n, s.For)}
    names = {n.name: n for n in walk(st.body) if isinstance(n, e.Var) and _is_number(n)}
    out: list[tuple[e.Var, s.For]] = []
    for a in gather(st.body, within(st, facts), readers).accesses:
        parts = a.subs[-1].split(st.var.name) if a.write and len(a.subs) == 1 else None
        found = _row(*parts, inner) if parts is not None else None
        if found is None:
            continue
        distance, loop = names.get(found[0]), found[1]
        steady = [facts.poly(x) for x in (loop.lo, loop.hi)]
        if distance is None or not all(map(facts.stable, [*steady, atom(distance.name)])):
            return []
        if (distance, loop) not in out:
            out.append((distance, loop))
    return out


def _row(step: Poly, rest: Poly, inner: dict[str, s.For]) -> tuple[str, s.For] | None:
    """The name of the distance between rows, and the loop along one, whose elements are dense."""
    ((mono, factor),) = step.terms.items() if len(step.terms) == 1 else (((), 0),)
    along = [rest.split(name) for name in inner]
    dense = [n for n, p in zip(inner, along, strict=True) if p is not None and p[0].constant == 1]
    if len(mono) != 1 or factor != 1 or len(dense) != 1:
        return None
    loop = inner[dense[0]]
    return (mono[0], loop) if w.is_const(loop.step, 1) else None


def _as_long(distance: e.Var, loop: s.For) -> e.Expr:
    """Whether `distance` is at least the number of iterations of `loop`."""
    if w.is_const(loop.lo, 0) and loop.hi.type == distance.type:
        return e.compare(">=", distance, loop.hi)
    span = w.binary("-", w.cast(loop.hi, I64), w.cast(loop.lo, I64))
    return e.compare(">=", w.cast(distance, I64), span)


def _is_number(v: e.Var) -> bool:
    return isinstance(v.type, Scalar) and v.type.is_integer
