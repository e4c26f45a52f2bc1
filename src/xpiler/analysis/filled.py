"""Which parameters a function fills whole, whatever their elements were before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xpiler.analysis.effects import assigned
from xpiler.analysis.parallelism import within
from xpiler.analysis.poly import Poly, constant
from xpiler.analysis.ranges import Facts
from xpiler.analysis.walker import after
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import walk

Loops = tuple[tuple[str, Poly], ...]
"""Loops around a place: variable, and how often each turns."""


def filled(body: s.Body, p: e.Var, facts: Facts) -> Iterator[tuple[Poly, tuple[Poly, ...]]]:
    """Counts n such that `body` writes each of the elements 0 to n - 1 of `p`, if it ends.

    Beside each are numbers of turns that must not be negative for that. Nothing is said of bodies
    that may leave before they write.
    """
    for st in body:
        if any(isinstance(n, s.Return) for n in walk(st)):
            return
        if isinstance(st, s.For):
            yield from _nest(st, (), p, facts)
        elif isinstance(st, s.Scope):
            yield from filled(st.body, p, facts)
        facts = after(st, facts)


def _nest(
    loop: s.For, around: Loops, p: e.Var, facts: Facts
) -> Iterator[tuple[Poly, tuple[Poly, ...]]]:
    """What an unconditional assignment in a nest of loops from 0 on fills."""
    leaves = (s.Return, s.Break, s.Continue)
    if any(isinstance(n, leaves) for n in walk(loop)) or loop.var.name in assigned(loop.body):
        return
    if facts.poly(loop.lo) != constant(0) or facts.poly(loop.step) != constant(1):
        return
    loops = (*around, (loop.var.name, facts.poly(loop.hi)))
    inner = within(loop, facts)
    for st in loop.body:
        if isinstance(st, s.For):
            yield from _nest(st, loops, p, inner)
        elif isinstance(st, s.Assign) and isinstance(st.target, e.Index) and st.target.base == p:
            turns = tuple(n for _, n in loops)
            count = _count(inner.poly(st.target.index), loops)
            if count is not None:
                yield count, turns
        inner = after(st, inner)


def _count(at: Poly, loops: Sequence[tuple[str, Poly]]) -> Poly | None:
    """How many elements the subscript `at` counts off from 0 on without a gap, in any order."""
    left, whole = dict(loops), constant(1)
    names = set(left)
    while left:
        found = next((v for v in left if _factor(at, v) == whole), None)
        if found is None or left[found].atoms() & names:
            return None
        parts = at.split(found)
        assert parts is not None
        at, whole = parts[1], whole * left.pop(found)
    return whole if at == constant(0) else None


def _factor(p: Poly, name: str) -> Poly | None:
    parts = p.split(name)
    return parts[0] if parts is not None else None
