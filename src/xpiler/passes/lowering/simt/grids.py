"""Accumulators over long loops: every block makes a part, one block combines the parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from xpiler.analysis.parallelism import Nature, Survey, gather
from xpiler.analysis.ranges import Facts
from xpiler.analysis.reductions import Reduction
from xpiler.analysis.walker import inside
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import map_body, substitute
from xpiler.ir.types import I32, U32, U64, Pointer
from xpiler.passes.lowering.simt import reduce
from xpiler.passes.lowering.simt import words as w
from xpiler.passes.lowering.simt.blocks import Block, trips
from xpiler.passes.lowering.simt.context import Frame, Unfit, loaded, outline
from xpiler.passes.lowering.simt.layout import size_and_align
from xpiler.passes.lowering.simt.threads import contiguous, serial, trip_count, with_atomics

BLOCKS = 256
"""Parts at most: as many as one block combines at once."""
LONG = 4096
"""Loops of fewer iterations are left to one block."""


@dataclass(frozen=True)
class Partials:
    """Statements that fill the parts, the buffers they need, the loop that is left."""

    host: s.Body
    buffers: dict[str, tuple[e.Var, e.Expr]]
    rest: s.Stmt


def worthwhile(st: s.For) -> bool:
    """Whether the loop may be long enough for many blocks."""
    n = trips(st)
    return n is None or n >= LONG


def partials(
    frame: Frame, st: s.For, survey: Survey, facts: Facts, resident: Mapping[str, e.Var]
) -> Partials | None:
    """The loop in two steps; None where its accumulators do not allow that."""
    kind = survey.of(st)
    if any(r.place is not None or not reduce.fits(r) for r in kind.reductions):
        return None
    kernels, names = len(frame.low.kernels), set(frame.low.names)
    try:
        return _partials(frame, st, survey, kind, facts, resident)
    except Unfit:
        del frame.low.kernels[kernels:]
        frame.low.names = names
        return None


def _partials(
    frame: Frame, st: s.For, survey: Survey, kind: Nature, facts: Facts,
    resident: Mapping[str, e.Var],
) -> Partials:  # fmt: skip
    frame.low.accept(kind.sentences)
    threads = frame.low.machine.threads
    block = Block(frame, survey, threads=threads)
    mapping: dict[str, e.Expr] = {}
    front: list[s.Stmt] = []
    tail: list[s.Stmt] = []
    buffers: dict[str, tuple[e.Var, e.Expr]] = {}
    later: list[s.Stmt] = []
    number = frame.fresh("b", I32)
    for r in kind.reductions:
        reduce.declare(frame.low, r)
        stem = r.var.name.split(".")[0]
        part = frame.fresh(f"{stem}_part", r.var.type)
        where = frame.fresh(f"d_{stem}_parts", Pointer(r.var.type))
        front.append(s.Decl(part, reduce.start(r)))
        mapping[r.var.name] = part
        scratch = block._scratch(r.var.type, "partials")
        total = e.Call(reduce.helper(frame.low, r), (part, scratch), r.var.type)
        tail.append(s.Assign(part, total))
        own = e.Index(where, e.Axis("block", "x"), r.var.type)
        tail.append(s.If(e.compare("==", e.Axis("thread", "x"), w.u32(0)), (s.Assign(own, part),)))
        size = size_and_align(frame.low.program, r.var.type)[0] * BLOCKS
        buffers[where.name] = (where, w.const(size, U64))
        later.append(_joined(r, e.Index(where, number, r.var.type)))
    columns = _columns(frame, st, survey, facts)
    if columns is None:
        stride: e.Expr = e.Binary("*", e.Axis("grid_dim", "x"), e.Axis("block_dim", "x"), U32)
        loop = _dealt(st, w.global_index("x", st.var.type), stride, st.body)
        _fits(frame, st, facts, BLOCKS * threads)
    else:
        inner = _dealt(columns, e.Axis("thread", "x"), e.Axis("block_dim", "x"), columns.body)
        _fits(frame, columns, inside(st, facts), threads)
        body: s.Body = map_body(st.body, lambda n: _replaced(n, columns, inner))
        loop = _dealt(st, e.Axis("block", "x"), e.Axis("grid_dim", "x"), body)
        _fits(frame, st, facts, BLOCKS)
    loop = replace(loop, body=with_atomics(serial(loop.body), kind.atomics))
    scratches = tuple(s.Decl(v, space="shared") for v in block.scratch.values())
    kernel = (*scratches, *front, *substitute((loop,), mapping), *tail)
    blocks = frame.fresh("blocks", I32)
    count = w.cast(w.ceil_div(trip_count(st), threads if columns is None else 1), I32)
    least = e.Select(w.less(count, w.const(BLOCKS, I32)), count, w.const(BLOCKS, I32), I32)
    name, args = outline(frame, loaded(kernel, resident), threads)
    one = w.u32(1)
    launch = s.Launch(name, (w.cast(blocks, U32), one, one), (w.u32(threads), one, one), args)
    host: list[s.Stmt] = [s.Decl(blocks, least, const=True)]
    sure = facts.positive(facts.poly(trip_count(st)))
    empty = e.compare(">", blocks, w.const(0, I32))
    host += [launch] if sure else [s.If(empty, (launch,))]
    rest = s.For(number, w.const(0, I32), blocks, w.const(1, I32), tuple(later), loc=st.loc)
    survey.natures[number.name] = Nature(True, kind.reductions)
    return Partials(tuple(host), buffers, rest)


def _columns(frame: Frame, st: s.For, survey: Survey, facts: Facts) -> s.For | None:
    """The loop inside `st`, with nothing between, that the threads of a block share better.

    Neighbouring iterations of it are at least as close in memory as those of `st`.
    """
    known, loop = inside(st, facts), st
    while len(loop.body) == 1 and isinstance(loop.body[0], s.For):
        loop = loop.body[0]
        known = inside(loop, known)
    kind, n = survey.of(loop), trips(loop)
    if loop is st or not kind.parallel or (n is not None and n < frame.low.machine.wave):
        return None
    accesses = gather(loop.body, known, frame.low.readers).accesses
    near = contiguous(accesses, loop.var.name) >= contiguous(accesses, st.var.name)
    return loop if near else None


def _dealt(st: s.For, number: e.Expr, count: e.Expr, body: s.Body) -> s.For:
    """`st` from iteration `number` on, by `count` of them."""
    t = st.var.type
    first = w.binary("+", st.lo, w.binary("*", w.cast(number, t), st.step))
    return s.For(st.var, first, st.hi, w.binary("*", w.cast(count, t), st.step), body, loc=st.loc)


def _replaced(st: s.Stmt, old: s.Stmt, new: s.Stmt) -> s.Stmt:
    if st is old:
        return new
    return replace(st, body=(_replaced(st.body[0], old, new),)) if isinstance(st, s.For) else st


def _joined(r: Reduction, part: e.Expr) -> s.Stmt:
    """The sequential statement that adds one part."""
    if r.op in ("+", "*", "&", "|", "^"):
        return s.Assign(r.var, part, r.op)  # type: ignore[arg-type]
    return s.Assign(r.var, reduce.combined(r.op, r.var, part))


def _fits(frame: Frame, st: s.For, facts: Facts, stride: int) -> None:
    """The index may run past the end by one stride without wrapping around."""
    from xpiler.passes.cleanup.base import value_sentence

    top = facts.raw(st.hi) + stride
    if not facts.fits(top, st.var.type):
        frame.low.assume(f"{value_sentence(facts, top)} does not overflow {st.var.type}")
