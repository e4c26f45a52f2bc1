"""A block for each point of a nest (or one block at all): launches of what its threads share."""

from __future__ import annotations

from collections.abc import Mapping

from xpiler.analysis.effects import declared, escapes
from xpiler.analysis.parallelism import Gatherer, Survey
from xpiler.analysis.ranges import Facts
from xpiler.analysis.walker import after, inside
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import walk
from xpiler.ir.types import I32, U32, Array
from xpiler.passes.lowering.simt import words as w
from xpiler.passes.lowering.simt.blocks import Block, elements, trips
from xpiler.passes.lowering.simt.context import Frame, Unfit, loaded, outline
from xpiler.passes.lowering.simt.threads import (
    Bound,
    Points,
    bindable,
    index_decl,
    limit,
    points,
    serial,
    split,
    stride,
    trip_count,
    updated,
    with_atomics,
)

LONG = 16
"""Inner loops of at least so many iterations are worth a block."""


def preferred(frame: Frame, loop: s.For, survey: Survey, facts: Facts) -> bool:
    """Whether the loop's points have work for many threads each."""
    nest = points(loop)
    inner = _past(nest.host, facts)
    for lp in nest.loops:
        inner = inside(lp, inner)
    inner = _past(nest.before, inner)
    if _shares_arrays(nest.body, survey):
        return True
    return any(_shared_work(frame, st, at, survey, nest) for st, at in _tops(nest.body, inner))


def _past(body: s.Body, facts: Facts) -> Facts:
    for st in body:
        facts = after(st, facts)
    return facts


def _tops(body: s.Body, facts: Facts) -> list[tuple[s.For, Facts]]:
    """The outermost loops of `body` with what holds there."""
    out: list[tuple[s.For, Facts]] = []
    for st in body:
        if isinstance(st, s.For):
            out.append((st, facts))
        elif isinstance(st, s.If):
            out += _tops(st.then, facts.with_cond(st.cond, True))
            out += _tops(st.orelse, facts.with_cond(st.cond, False))
        elif isinstance(st, s.Scope):
            out += _tops(st.body, facts)
        facts = after(st, facts)
    return out


def _shares_arrays(body: s.Body, survey: Survey) -> bool:
    """Whether an array of the block's own is filled by a loop that can be dealt out."""
    loops = [
        n
        for n in walk(body)
        if isinstance(n, s.For) and survey.of(n).parallel and (trips(n) or LONG) >= LONG
    ]
    return any(
        st.var.name in _written(n.body)
        for st in body
        if isinstance(st, s.Decl) and isinstance(st.var.type, Array)
        if (elements(st.var.type) or LONG) >= LONG
        for n in loops
    )


def _written(body: s.Body) -> set[str]:
    out = set()
    for n in walk(body):
        if isinstance(n, s.Assign):
            x: e.Expr = n.target
            while isinstance(x, (e.Index, e.Field)):
                x = x.base
            out |= {x.name} if isinstance(x, e.Var) else set()
    return out


def _shared_work(frame: Frame, st: s.For, facts: Facts, survey: Survey, nest: Points) -> bool:
    kind = survey.of(st)
    n = trips(st)
    if n is not None and n < LONG:
        return False
    if kind.free:
        return True
    if not kind.reduces:
        inner = inside(st, facts)
        return any(
            survey.of(x).free and _shared_work(frame, x, at, survey, nest)
            for x, at in _tops(st.body, inner)
        )
    return _rowwise(frame, st, facts, nest)


def _rowwise(frame: Frame, st: s.For, facts: Facts, nest: Points) -> bool:
    """Whether each point reads a stretch of memory of its own, contiguous along the loop."""
    found = Gatherer(frame.low.readers)
    found.body(st.body, inside(st, facts))
    count = facts.poly(st.hi) - facts.poly(st.lo)
    v = nest.loops[-1].var.name
    for a in found.out.accesses:
        if a.write or stride(a, st.var.name) != 1:
            continue
        parts = a.subs[-1].split(v)
        if parts is not None and parts[0].terms and a.facts.nonneg(parts[0] - count):
            return True
    return False


def launch_rows(
    frame: Frame, loop: s.For, survey: Survey, facts: Facts, resident: Mapping[str, e.Var]
) -> s.Body:
    """Host statements that run the nest of `loop` with a block for each point; raises Unfit."""
    nest = points(loop)
    if not bindable(nest.loops[0]):
        raise Unfit("the bounds of the loop are read from memory")
    inner = facts = _past(nest.host, facts)
    for lp in nest.loops:
        frame.low.accept(survey.of(lp).sentences)
        inner = inside(lp, inner)
    block = Block(frame, survey)
    body = (*nest.before, *nest.body)
    block.plan(body)
    if not block.dealt:
        raise Unfit("there is no work to share")
    kernel = with_atomics(block.lowered(body, inner), updated(nest, survey))
    bounds = [Bound(lp, trip_count(lp)) for lp in reversed(nest.loops)]
    prologue, grid = _blocks(frame, bounds)
    checks = [
        w.less(w.const(0, b.count.type), b.count)
        for b in reversed(bounds)
        if not facts.positive(facts.poly(b.count))
    ]
    whole = loaded((*prologue, *kernel), resident)
    name, args = outline(frame, whole, block.threads)
    size = (w.u32(block.threads), w.u32(1), w.u32(1))
    launch = s.Launch(name, grid, size, args, block.shared_bytes)
    return (*nest.host, *((s.If(w.both(list(checks)), (launch,)),) if checks else (launch,)))


def _blocks(frame: Frame, bounds: list[Bound]) -> tuple[s.Body, tuple[e.Expr, e.Expr, e.Expr]]:
    """The loops' variables from the block's place in the grid."""
    prologue: list[s.Stmt] = []
    grid: list[e.Expr] = []
    for dim, b in zip("xy", bounds, strict=False):
        prologue.insert(0, index_decl(b.loop, w.cast(e.Axis("block", dim), b.loop.var.type)))  # type: ignore[arg-type]
        grid.append(w.cast(b.count, U32))
    rest = bounds[2:]
    if len(bounds) > 1:
        limit(frame, grid[1], "y")
    if rest:
        prologue = split(frame, rest, w.cast(e.Axis("block", "z"), I32)) + prologue
        count = rest[-1].count
        for b in reversed(rest[:-1]):
            count = w.binary("*", count, b.count)
        grid.append(w.cast(count, U32))
        limit(frame, grid[2], "z")
    while len(grid) < 3:
        grid.append(w.u32(1))
    return tuple(prologue), (grid[0], grid[1], grid[2])


def launch_single(
    frame: Frame,
    body: s.Body,
    survey: Survey,
    facts: Facts,
    resident: Mapping[str, e.Var],
    targets: Mapping[str, e.Var],
) -> s.Body:
    """One block for `body`; scalars in `targets` are stored behind the pointers given.

    A body that returns early has one thread: the others would go on.
    """
    scalars = {n.name: n for n in walk(body) if isinstance(n, e.Var)}
    stores = tuple(
        s.Assign(e.Index(where, w.const(0, I32), scalars[name].type), scalars[name])
        for name, where in targets.items()
    )
    block = Block(frame, survey)
    extra: e.Expr | None = None
    try:
        if escapes(body):
            raise Unfit("it can return early")
        block.plan(body)
        kernel = block.lowered((*body, *stores), facts)
        threads, extra = block.threads, block.shared_bytes
    except Unfit as why:
        loc = next((st.loc for st in body if st.loc is not None), None)
        frame.low.note("XP1101", "statements run in one thread", loc, str(why))
        kernel, threads = serial((*body, *stores)), 1
    whole = loaded(kernel, resident)
    name, args = outline(frame, whole, threads if threads > 1 else 0)
    one = w.u32(1)
    return (s.Launch(name, (one, one, one), (w.u32(threads), one, one), args, extra),)


__all__ = ["declared", "launch_rows", "launch_single", "preferred"]
