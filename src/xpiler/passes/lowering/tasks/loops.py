"""Whole loops in vector instructions: which are legal, how they are cut into pieces."""

from __future__ import annotations

from dataclasses import dataclass

from xpiler.analysis.effects import assigned, declared, is_memory, names_in
from xpiler.analysis.parallelism import Nature
from xpiler.analysis.ranges import Facts
from xpiler.analysis.walker import inside
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import fresh_name, walk
from xpiler.ir.types import BOOL, I32, I64, Array
from xpiler.passes.lowering.tasks.build import (
    ONE,
    ZERO,
    NotVector,
    add,
    cast,
    const,
    is_const,
    least,
    sub,
)  # fmt: skip
from xpiler.passes.lowering.tasks.lanes import USUAL
from xpiler.passes.lowering.tasks.nram import Arena
from xpiler.passes.lowering.tasks.pieces import Pieces

SHARE = 32
"""Iterations that one task is taken to have of a loop that all tasks share."""


@dataclass(frozen=True)
class Written:
    """A loop in vector instructions, and what it is taken to cost (cycles, roughly)."""

    body: s.Body
    cost: float


def vectorised(
    loop: s.For,
    facts: Facts,
    nature: Nature,
    arena: Arena,
    near: frozenset[str],
    far: frozenset[str],
    bounds: tuple[e.Expr, e.Expr] | None = None,
) -> Written:
    """`loop` with its iterations as lanes; raises NotVector. `bounds` are a task's share of it."""
    if not nature.parallel:
        raise NotVector(nature.obstacle)
    if not is_const(loop.step, 1):
        loop = unit_step(loop, arena.taken)
    lo, hi = bounds or (loop.lo, loop.hi)
    trip = _trip(lo, hi)
    known = arena.counts.get(loop.var.name)
    if known is not None:
        trip = None
    width = min(arena.tile, trip) if trip else arena.tile
    pieces, head = _piece(loop, lo, hi, trip, width, arena, near, far, bounds is not None)
    pieces.varying = varying(loop)
    pieces.narrow = _narrow(loop.body)
    pieces.updated = nature.atomics
    pieces.scalars = {r.var.name for r in nature.reductions}
    pieces.changing = facts.mutable | assigned(loop.body)
    pieces.body(loop.body, inside(loop, facts))
    pieces.finish()
    body = (*head, *pieces.out)
    if known is not None or (trip and trip <= width):
        return Written(body, pieces.cost)
    assert isinstance(pieces.base, e.Var)
    counter = s.For(pieces.base, lo, hi, const_of(width, loop.var), body)
    return Written((counter,), pieces.cost * max(1.0, (trip or 0) / width))


def const_of(value: int, var: e.Var) -> e.Const:
    return e.Const(value, var.type)


def _piece(
    loop: s.For,
    lo: e.Expr,
    hi: e.Expr,
    trip: int | None,
    width: int,
    arena: Arena,
    near: frozenset[str],
    far: frozenset[str],
    shared: bool,
) -> tuple[Pieces, s.Body]:
    """The lanes of one piece and the statements that begin it."""
    usual = min(width, trip or (SHARE if shared else USUAL))
    if loop.var.name in arena.counts:
        n, width = arena.counts[loop.var.name]
        return Pieces(loop.var, lo, n, width, usual, arena, near, far, hi=n), ()
    if trip and trip <= width:
        n = const(trip)
        return Pieces(loop.var, lo, n, width, usual, arena, near, far, hi=n), ()
    base = e.Var(fresh_name(f"{loop.var.name.split('.')[0]}0", arena.taken), loop.var.type)
    count = e.Var(fresh_name("n", arena.taken), I32)
    wide = I64 if getattr(loop.var.type, "bits", 32) == 64 else loop.var.type
    left = cast(least(e.Const(width, wide), cast(sub(hi, base), wide)), I32)
    head = (s.Decl(count, left, const=True),)
    return Pieces(loop.var, base, count, width, usual, arena, near, far, hi=count), head


def _trip(lo: e.Expr, hi: e.Expr) -> int | None:
    if isinstance(lo, e.Const) and isinstance(hi, e.Const):
        n = int(hi.value) - int(lo.value)
        if n <= 0:
            raise NotVector("a loop that never runs")
        return n
    return None


def unit_step(loop: s.For, taken: set[str]) -> s.For:
    """The same loop, counting its iterations from 0."""
    t = loop.var.type
    q = e.Var(fresh_name("q", taken), t)
    span = sub(loop.hi, loop.lo)
    step = loop.step
    trips = e.Binary("/", sub(add(span, step), e.Const(1, t)), step, t)
    if all(isinstance(x, e.Const) for x in (loop.lo, loop.hi, step)):
        count = -(-(loop.hi.value - loop.lo.value) // step.value)  # type: ignore[attr-defined]
        trips = e.Const(max(0, int(count)), t)  # type: ignore[assignment]
    else:
        trips = e.Select(e.Binary("<", loop.lo, loop.hi, BOOL), trips, e.Const(0, t), t)  # type: ignore[assignment]
    value = add(loop.lo, e.Binary("*", q, step, t))
    body = (s.Decl(loop.var, value, const=True), *loop.body)
    return s.For(q, e.Const(0, t), trips, e.Const(1, t), body, loop.kind)


def varying(loop: s.For) -> set[str]:
    """Local variables of the body whose value may differ between iterations."""
    local = declared(loop.body)
    arrays = {n for n, d in local.items() if isinstance(d.var.type, Array)}
    found = {loop.var.name} | arrays
    while True:
        size = len(found)
        _spread(loop.body, found, set(local), inside_of=False)
        if len(found) == size:
            return (found - {loop.var.name}) - arrays


def _spread(body: s.Body, found: set[str], local: set[str], inside_of: bool) -> None:
    for st in body:
        if isinstance(st, s.Decl):
            if st.init is not None and names_in(st.init) & found:
                found.add(st.var.name)
        elif isinstance(st, s.Assign) and isinstance(st.target, e.Var):
            if inside_of or names_in(st.value) & found:
                found.add(st.target.name)
        elif isinstance(st, s.Instr):
            found |= {n for o in st.outs for n in names_in(o) if n in local}
        elif isinstance(st, s.If):
            deeper = inside_of or bool(names_in(st.cond) & found)
            _spread(st.then, found, local, deeper)
            _spread(st.orelse, found, local, deeper)
        elif isinstance(st, s.For):
            bounds = names_in(st.lo) | names_in(st.hi) | names_in(st.step)
            if bounds & found:
                found.add(st.var.name)
            _spread(st.body, found, local, inside_of or bool(bounds & found))
        elif isinstance(st, s.While):
            deeper = inside_of or bool(names_in(st.cond) & found)
            _spread((*st.body, *st.step), found, local, deeper)
        elif isinstance(st, s.Scope):
            _spread(st.body, found, local, inside_of)


def _narrow(body: s.Body) -> bool:
    """Whether everything that is stored has 16 bits at most."""
    places = [n.target for n in walk(body) if isinstance(n, s.Assign) and is_memory(n.target)]
    return bool(places) and all(getattr(p.type, "bits", 32) <= 16 for p in places)


def has_loops(body: s.Body) -> bool:
    return any(isinstance(n, (s.For, s.While)) for n in walk(body))


__all__ = ["ONE", "ZERO", "Written", "has_loops", "vectorised"]
