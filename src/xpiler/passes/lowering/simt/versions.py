"""Iterations that are independent for some values of the parameters: the host asks for those.

`c[i * ldc + j]` with j < n: rows are apart where `ldc >= n`. `y[i * n + j]` and `y[i * n + j + 1]`
with j < n in steps of 2: they are where `n % 2 == 0`. All iterations are launched at once then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import lcm

from xpiler.analysis.parallelism import Survey, gather, survey, within
from xpiler.analysis.poly import Poly, atom, constant
from xpiler.analysis.ranges import Facts
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import walk
from xpiler.ir.types import I64, Scalar
from xpiler.passes.lowering.simt import words as w

MOST = 3
"""Conditions that the host asks for at most."""
WIDEST = 1 << 16
"""Elements that what is added to a place in a row may differ by."""


@dataclass(frozen=True)
class Apart:
    """A condition that the host can ask for, and what is known of a loop where it holds."""

    cond: e.Expr
    facts: Facts
    survey: Survey


def apart_if(st: s.For, facts: Facts, readers: frozenset[str]) -> Apart | None:
    """What would make the iterations of `st` independent; None where nothing is found."""
    return _by_rows(st, facts, readers) or _by_whole_steps(st, facts, readers)


def _by_whole_steps(st: s.For, facts: Facts, readers: frozenset[str]) -> Apart | None:
    """Inner loops of several elements a step, which end where the last step does."""
    ends: dict[str, tuple[e.Var, int]] = {}
    for n in walk(st.body):
        if isinstance(n, s.For) and isinstance(n.hi, e.Var) and isinstance(n.step, e.Const):
            by = int(n.step.value)
            if by > 1 and w.is_const(n.lo, 0) and facts.stable(facts.poly(n.hi)):
                ends[n.hi.name] = n.hi, lcm(by, ends.get(n.hi.name, (n.hi, 1))[1])
    if not ends or len(ends) > MOST:
        return None
    known = facts
    conds: list[e.Expr] = []
    for v, by in ends.values():
        whole = known.quotient(known.poly(v), constant(by)) * by
        known = replace(known, defs={**known.defs, v.name: whole}, _cache={}, _ranges={})
        rest = e.Binary("%", v, w.const(by, v.type), v.type)
        conds.append(e.compare("==", rest, w.const(0, v.type)))
    found = survey((st,), known, readers)
    return Apart(w.both(conds), known, found) if found.of(st).free else None


def _by_rows(st: s.For, facts: Facts, readers: frozenset[str]) -> Apart | None:
    """Rows at a distance that only a parameter says."""
    rows = _rows(st, facts, readers)
    if not rows or len(rows) > MOST:
        return None
    known, conds = facts, []
    for row in rows:
        length = facts.poly(row.loop.hi) - facts.poly(row.loop.lo)
        known = known.with_fact(atom(row.distance.name) - length * row.dense - row.more)
        conds.append(row.fits())
    found = survey((st,), known, readers)
    return Apart(w.both(conds), known, found) if found.of(st).free else None


@dataclass(frozen=True)
class _Row:
    """Rows `distance` apart, of `dense` elements for each iteration of `loop` and `more`."""

    distance: e.Var
    loop: s.For
    dense: int
    more: int

    def fits(self) -> e.Expr:
        """Whether rows are no longer than they are apart."""
        loop, t = self.loop, self.distance.type
        if w.is_const(loop.lo, 0) and loop.hi.type == t and (self.dense, self.more) == (1, 0):
            return e.compare(">=", self.distance, loop.hi)
        span = w.binary("-", w.cast(loop.hi, I64), w.cast(loop.lo, I64))
        span = w.binary("*", span, w.const(self.dense, I64))
        return e.compare(
            ">=", w.cast(self.distance, I64), w.binary("+", span, w.const(self.more, I64))
        )


def _rows(st: s.For, facts: Facts, readers: frozenset[str]) -> list[_Row]:
    """The rows that `st` writes; none where they are not all such rows."""
    inner = {n.var.name: n for n in walk(st.body) if isinstance(n, s.For)}
    names = {n.name: n for n in walk(st.body) if isinstance(n, e.Var) and _is_number(n)}
    out: dict[tuple[str, str, int], tuple[_Row, float, float]] = {}
    for a in gather(st.body, within(st, facts), readers).accesses:
        parts = a.subs[-1].split(st.var.name) if a.write and len(a.subs) == 1 else None
        found = _row(*parts, inner) if parts is not None else None
        if found is None:
            continue
        name, loop, dense, rest = found
        distance = names.get(name)
        steady = [facts.poly(x) for x in (loop.lo, loop.hi)]
        if distance is None or not all(map(facts.stable, [*steady, atom(name)])):
            return []
        key = (name, loop.var.name, dense)
        own = a.facts.interval(rest)
        _, least, most = out.get(key, (None, *own))
        lo, hi = min(own[0], least), max(own[1], most)
        if hi - lo > WIDEST:
            return []
        out[key] = _Row(distance, loop, dense, max(0, int(hi - lo) + 1 - dense)), lo, hi
    return [row for row, _, _ in out.values()]


def _row(step: Poly, rest: Poly, inner: dict[str, s.For]) -> tuple[str, s.For, int, Poly] | None:
    """The name of the distance between rows, the loop along one, its step, and what is added."""
    ((mono, factor),) = step.terms.items() if len(step.terms) == 1 else (((), 0),)
    along = [(inner[n], p) for n in inner if (p := rest.split(n)) is not None and p[0].terms]
    if len(mono) != 1 or factor != 1 or len(along) != 1:
        return None
    loop, (dense, left) = along[0]
    n = dense.constant
    return (mono[0], loop, n, left) if n and n > 0 and w.is_const(loop.step, 1) else None


def _is_number(v: e.Var) -> bool:
    return isinstance(v.type, Scalar) and v.type.is_integer
