"""A thread for each point of a nest of parallel loops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from xpiler.analysis.dependence import Access
from xpiler.analysis.effects import escapes, names_in, of_expr
from xpiler.analysis.parallelism import ATOMIC, Survey, gather, is_update
from xpiler.analysis.poly import constant
from xpiler.analysis.ranges import Facts
from xpiler.analysis.walker import after, inside
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import map_body, map_children, rewrite_stmts
from xpiler.ir.types import I32, U32, Scalar, Type
from xpiler.passes.cleanup.nests import chain
from xpiler.passes.lowering.simt import words as w
from xpiler.passes.lowering.simt.context import Frame, Unfit, loaded, outline

SQUARE = (32, 8)
"""Threads of a block over two loops: a wave reads along x."""


@dataclass(frozen=True)
class Bound:
    """A loop that an axis takes over: its index starts at `lo`, and there are `count` of them."""

    loop: s.For
    count: e.Expr

    @property
    def trips(self) -> int | None:
        return int(self.count.value) if isinstance(self.count, e.Const) else None


@dataclass
class Shape:
    """How a nest lies in the grid: statements that compute the indices, the guard, the launch."""

    prologue: list[s.Stmt]
    guards: list[e.Expr]
    grid: list[e.Expr]
    block: list[int]
    checks: list[e.Expr]


def marked(body: s.Body, survey: Survey) -> s.Body:
    """`body` with exactly the loops marked parallel whose iterations are independent."""

    def one(st: s.Stmt) -> s.Stmt:
        if not isinstance(st, s.For):
            return st
        free = survey.of(st).free
        if free == (st.kind == "parallel") or (not free and st.kind == "unrolled"):
            return st
        return replace(st, kind="parallel" if free else "serial")

    out: s.Body = rewrite_stmts(body, one)
    return out


def trip_count(loop: s.For) -> e.Expr:
    """The number of iterations (of a loop that has any), in the type of the loop's variable."""
    span = w.binary("-", loop.hi, loop.lo)
    if isinstance(loop.step, e.Const) and loop.step.value == 1:
        return span
    step = w.cast(loop.step, span.type)
    return w.binary("/", w.binary("+", span, w.binary("-", step, w.const(1, span.type))), step)


def bindable(loop: s.For) -> bool:
    """Whether the host can evaluate the bounds: no memory and no calls."""
    parts = (loop.lo, loop.hi, loop.step)
    return not any(_asks_memory(x) for x in parts)


def _asks_memory(x: e.Expr) -> bool:
    from xpiler.analysis.effects import is_memory
    from xpiler.ir.rewrite import walk

    return of_expr(x).other or any(isinstance(n, e.Index) and is_memory(n) for n in walk(x))


@dataclass(frozen=True)
class Points:
    """The loops of a perfect nest that become axes, and what one thread does.

    `host` are declarations that the loops' bounds need, `before` others that stood between them.
    """

    loops: list[s.For]
    host: s.Body
    before: s.Body
    body: s.Body


def points(loop: s.For) -> Points:
    """The nest that starts with a parallel loop (inner ones marked); at least that loop."""
    nest = chain(loop)
    loops = list(nest.loops)
    if all(bindable(lp) for lp in loops):
        host = _needed(nest.before, loops)
        before = tuple(d for d in nest.before if d not in host)
        return Points(loops, host, before, nest.body)
    return Points([loop], (), (), loop.body)


def _needed(decls: s.Body, loops: list[s.For]) -> s.Body:
    """Those of the declarations that the loops' bounds depend on."""
    wanted = {n for lp in loops for x in (lp.lo, lp.hi, lp.step) for n in names_in(x)}
    out: list[s.Stmt] = []
    for d in reversed(decls):
        if isinstance(d, s.Decl) and d.var.name in wanted:
            out.insert(0, d)
            wanted |= names_in(d)
    return tuple(out)


def launch_points(
    frame: Frame, loop: s.For, survey: Survey, facts: Facts, resident: Mapping[str, e.Var]
) -> s.Body:
    """Host statements that run the nest of `loop` with a thread for each point."""
    nest = points(loop)
    if not bindable(nest.loops[0]):
        raise Unfit("the bounds of the loop are read from memory")
    for lp in nest.loops:
        frame.low.accept(survey.of(lp).sentences)
    for d in nest.host:
        facts = after(d, facts)
    order = _by_stride(nest, facts, frame)
    shape = _shape(frame, order, facts)
    body = thread_body(nest.body, updated(nest, survey))
    kernel = (*nest.before, *shape.prologue, *_guarded(shape.guards, body))
    return (*nest.host, *_launch(frame, kernel, shape, resident))


def _launch(frame: Frame, kernel: s.Body, shape: Shape, resident: Mapping[str, e.Var]) -> s.Body:
    name, args = outline(frame, loaded(serial(kernel), resident))
    grid, block = [*shape.grid], [w.u32(n) for n in shape.block]
    while len(grid) < 3:
        grid.append(w.u32(1))
        block.append(w.u32(1))
    launch = s.Launch(name, tuple(grid), tuple(block), args)  # type: ignore[arg-type]
    return _guarded(shape.checks, (launch,))


def _guarded(conds: list[e.Expr], body: s.Body) -> s.Body:
    return (s.If(w.both(conds), body),) if conds else body


def serial(body: s.Body) -> s.Body:
    """`body` without marks for parallel loops: what is left of them runs in one thread."""

    def one(st: s.Stmt) -> s.Stmt:
        loop = isinstance(st, s.For) and st.kind == "parallel"
        return replace(st, kind="serial") if loop else st  # type: ignore[call-arg]

    out: s.Body = rewrite_stmts(body, one)
    return out


def updated(nest: Points, survey: Survey) -> frozenset[str]:
    """The arrays that several points of a nest may update at one place."""
    return frozenset(n for lp in nest.loops for n in survey.of(lp).atomics)


def thread_body(body: s.Body, atomics: frozenset[str]) -> s.Body:
    """What one thread does for one iteration: `continue` ends it, shared updates are atomic."""
    if escapes(body):
        body = _returning(body)
    return with_atomics(body, atomics) if atomics else body


def _returning(body: s.Body) -> s.Body:
    def one(st: s.Stmt) -> s.Stmt:
        if isinstance(st, s.Continue):
            return s.Return(loc=st.loc)
        if isinstance(st, (s.For, s.While)):
            return st
        return map_children(st, lambda c: one(c) if isinstance(c, s.Stmt) else c)

    return map_body(body, one)


def with_atomics(body: s.Body, names: frozenset[str]) -> s.Body:
    """Updates of the arrays `names` as atomic instructions."""

    def one(st: s.Stmt) -> s.Stmt:
        if not (isinstance(st, s.Assign) and is_update(st)):
            return st
        base: e.Expr = st.target
        while isinstance(base, (e.Index, e.Field)):
            base = base.base
        if not (isinstance(base, e.Var) and base.name in names):
            return st
        where = e.address_of(st.target)
        return s.Instr(f"atomic.{ATOMIC[st.op]}", (), (where, st.value), loc=st.loc)

    out: s.Body = rewrite_stmts(body, one)
    return out


# -- which loop lies along x ------------------------------------------------------------------


def _by_stride(nest: Points, facts: Facts, frame: Frame) -> list[s.For]:
    """The loops from x outwards: the one along which most accesses are contiguous comes first."""
    inner = facts
    for lp in nest.loops:
        inner = inside(lp, inner)
    accesses = gather(nest.body, inner, frame.low.readers).accesses
    order = list(reversed(nest.loops))
    if len(order) == 1:
        return order
    best = max(order, key=lambda lp: (contiguous(accesses, lp.var.name), order.index(lp) == 0))
    return [best, *(lp for lp in order if lp is not best)]


def contiguous(accesses: list[Access], name: str) -> int:
    """How much of what is accessed lies together for neighbouring iterations of a loop."""
    return sum(1 + a.write for a in accesses if stride(a, name) == 1)


def stride(a: Access, name: str) -> int | None:
    """Elements between the accesses of neighbouring iterations, where that is a constant."""
    if not a.subs:
        return None
    last = a.subs[-1].split(name)
    if last is None or any(x.split(name) != (constant(0), x) for x in a.subs[:-1]):
        return None
    return last[0].constant


# -- shapes -----------------------------------------------------------------------------------


def _shape(frame: Frame, order: list[s.For], facts: Facts) -> Shape:
    bounds = [Bound(lp, trip_count(lp)) for lp in order]
    checks: list[e.Expr] = [
        w.less(w.const(0, b.count.type), b.count)
        for b in reversed(bounds)
        if not facts.positive(facts.poly(b.count))
    ]
    known = [b.trips for b in bounds]
    product = 1
    for n in known:
        product *= n or 0
    if len(bounds) == 1:
        shape = _line(frame, bounds[0], facts)
    elif product and (product <= 1024 or known[0] < SQUARE[0]):  # type: ignore[operator]
        shape = _flat(frame, bounds, product)
    elif len(bounds) > 1 and known[0] is not None and known[0] < SQUARE[0]:
        shape = _grid(frame, bounds, facts, _narrow(known[0]))
    else:
        shape = _grid(frame, bounds, facts, SQUARE)
    shape.checks = checks
    return shape


def _narrow(trips: int) -> tuple[int, int]:
    """A block for a short inner loop: still about 256 threads."""
    x = 1
    while x < trips:
        x *= 2
    return x, 256 // x


def index_decl(loop: s.For, raw: e.Expr) -> s.Decl:
    """The loop's variable from the number of the iteration."""
    value = w.binary("+", loop.lo, w.binary("*", raw, loop.step))
    return s.Decl(loop.var, value, const=True, loc=loop.loc, comments=loop.comments)


def _line(frame: Frame, b: Bound, facts: Facts) -> Shape:
    block = frame.low.machine.threads
    if b.trips is not None and b.trips < block:
        wave = frame.low.machine.wave
        block = min(block, -(-b.trips // wave) * wave)
    _fits(frame, b, block, facts)
    t = b.loop.var.type
    decl = index_decl(b.loop, w.global_index("x", t))
    exact = b.trips is not None and b.trips % block == 0
    guards = [] if exact else [w.less(b.loop.var, b.loop.hi)]
    return Shape([decl], list(guards), [w.ceil_div(b.count, block)], [block], [])


def _fits(frame: Frame, b: Bound, block: int, facts: Facts) -> None:
    """The last block's indices must not wrap around."""
    t = b.loop.var.type
    top = facts.raw(b.loop.hi) + (block - 1)
    if not facts.fits(top, t) and b.trips is None:
        from xpiler.passes.cleanup.base import value_sentence

        frame.low.assume(f"{value_sentence(facts, top)} does not overflow {t}")


def _grid(frame: Frame, bounds: list[Bound], facts: Facts, block: tuple[int, int]) -> Shape:
    """Two loops along x and y; the others, joined, along z."""
    sizes = [*block][: len(bounds)]
    shape = Shape([], [], [], list(sizes), [])
    for dim, b, size in zip("xy", bounds, sizes, strict=False):
        _fits(frame, b, size, facts)
        shape.prologue.insert(0, index_decl(b.loop, w.global_index(dim, b.loop.var.type)))  # type: ignore[arg-type]
        if b.trips is None or b.trips % size:
            shape.guards.insert(0, w.less(b.loop.var, b.loop.hi))
        shape.grid.append(w.ceil_div(b.count, size))
    limit(frame, shape.grid[1], "y")
    rest = bounds[2:]
    if rest:
        shape.prologue = split(frame, rest, w.cast(e.Axis("block", "z"), I32)) + shape.prologue
        count = rest[-1].count
        for b in reversed(rest[:-1]):
            count = w.binary("*", count, b.count)
        shape.grid.append(w.cast(count, U32))
        shape.block.append(1)
        limit(frame, shape.grid[2], "z")
    return shape


def limit(frame: Frame, count: e.Expr, dim: str) -> None:
    """Grids have fewer places along y and z."""
    from xpiler.passes.cleanup.base import sentence

    most = frame.low.machine.grid_y
    if isinstance(count, e.Const):
        if int(count.value) > most:
            raise Unfit(f"more than {most} blocks along {dim}")
        return
    frame.low.assume(f"{sentence(count)} is at most {most}")


def split(frame: Frame, rest: list[Bound], whole: e.Expr) -> list[s.Stmt]:
    """The indices of joined loops from one number; the first of `rest` moves fastest."""
    if len(rest) == 1:
        return [index_decl(rest[0].loop, w.cast(whole, rest[0].loop.var.type))]
    out: list[s.Stmt] = []
    number = frame.fresh("z", I32)
    out.append(s.Decl(number, whole, const=True))
    left: e.Expr = number
    for b in rest[:-1]:
        count = w.cast(b.count, I32)
        raw = w.cast(e.Binary("%", left, count, I32), b.loop.var.type)
        out.append(index_decl(b.loop, raw))
        left = e.Binary("/", left, count, I32)
    out.append(index_decl(rest[-1].loop, w.cast(left, rest[-1].loop.var.type)))
    return out


def _flat(frame: Frame, bounds: list[Bound], total: int) -> Shape:
    """All loops, of known lengths, joined along x."""
    wave = frame.low.machine.wave
    block = min(frame.low.machine.threads, -(-total // wave) * wave)
    number = frame.fresh("e", I32)
    prologue: list[s.Stmt] = [s.Decl(number, w.global_index("x", I32), const=True)]
    left: e.Expr = number
    for b in bounds[:-1]:
        n = w.const(b.trips or 1, I32)
        raw = w.cast(e.Binary("%", left, n, I32), b.loop.var.type)
        prologue.insert(1, index_decl(b.loop, raw))
        left = w.binary("/", left, n)
    prologue.insert(1, index_decl(bounds[-1].loop, w.cast(left, bounds[-1].loop.var.type)))
    guards: list[e.Expr] = [] if total % block == 0 else [w.less(number, w.const(total, I32))]
    return Shape(prologue, guards, [w.u32(-(-total // block))], [block], [])


__all__ = [
    "Points",
    "Scalar",
    "Type",
    "bindable",
    "contiguous",
    "launch_points",
    "marked",
    "names_in",
    "points",
    "serial",
    "stride",
    "thread_body",
    "trip_count",
    "with_atomics",
]  # fmt: skip
