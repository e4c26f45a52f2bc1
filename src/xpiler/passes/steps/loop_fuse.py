"""Loop fuse: two loops, one right inside the other, become one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from xpiler.analysis.effects import escapes, names_in
from xpiler.analysis.ranges import Facts
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Program
from xpiler.passes.cleanup.nests import movable
from xpiler.passes.steps.base import ANYTHING, Around, Check, Param, Refused, Step, Work
from xpiler.passes.steps.domains import same_values
from xpiler.passes.steps.instance import Instance
from xpiler.passes.steps.nest import (
    Place,
    at_loop,
    const,
    find,
    fit,
    loops,
    only,
    steady,
    step_of,
    trip_poly,
    trips,
    written,
)  # fmt: skip


class LoopFuse(Step):
    """`for i { for j { ... } }` as `for f { i = f / n; j = f % n; ... }`."""

    name = "loop_fuse"
    category = "sequentialisation and parallelisation"
    summary = "two loops, one right inside the other, become one"
    legality = (
        "a perfect nest of loops by steps of one; the inner bounds do not depend on the outer loop"
    )
    params = (Param("loop", "loop", "the outer of the two loops"),)
    inverse = "loop_split"

    def candidates(self, program: Program, around: Around) -> Iterator[Instance]:
        for address, _, loop in loops(program):
            if inner_loop(loop) is not None:
                yield self.make(loop=address)

    def rewrite(self, program: Program, given: Instance, work: Work) -> Program:
        def one(loop: s.For, facts: Facts, place: Place) -> s.Body:
            return (fuse(loop, facts, place),)

        return at_loop(program, given.text("loop"), work, only(one))

    def check(
        self, before: Program, after: Program, given: Instance, around: Around = ANYTHING
    ) -> Check:
        """Both indices take the same pairs of values in the same order, by proof."""
        _, loop = find(before, given.text("loop"))
        inner = inner_loop(loop)
        return same_values((loop, inner), after) if inner else Check("test", "no nest")


def inner_loop(loop: s.For) -> s.For | None:
    """The loop that is all of `loop`'s body; indices declared before it are computed inside."""
    *decls, last = loop.body if loop.body else (None,)
    if not isinstance(last, s.For):
        return None
    for d in decls:
        if not isinstance(d, s.Decl) or not movable(d, loop.body):
            return None
        if d.var.name in names_in((last.lo, last.hi, last.step)):
            return None
    return replace(last, body=(*decls, *last.body)) if decls else last


def perfect(loop: s.For) -> s.For:
    """The inner loop of a perfect nest whose bounds stay the same; raises Refused."""
    inner = inner_loop(loop)
    if inner is None:
        raise Refused(f"the body of the loop {loop.var.name} is more than one loop")
    for x in (inner.lo, inner.hi, inner.step):
        if any(n == loop.var for n in _names(x)):
            raise Refused(f"the bounds of {inner.var.name} depend on {loop.var.name}")
        if not steady(x, inner.body):
            raise Refused(f"the bounds of {inner.var.name} may change while it runs")
    if escapes(inner.body, in_loop=True):
        raise Refused(f"the loop {inner.var.name} can be left early")
    if loop.reductions or inner.reductions:
        raise Refused("loops with their accumulators marked stay as they are")
    return inner


def _names(x: e.Expr) -> list[e.Expr]:
    from xpiler.ir.rewrite import walk_exprs

    return list(walk_exprs(x))


def fuse(loop: s.For, facts: Facts, place: Place) -> s.For:
    """The one loop; raises Refused."""
    inner = perfect(loop)
    t = loop.var.type
    if step_of(loop) != 1 or step_of(inner) != 1 or inner.var.type != t:
        raise Refused("only loops by steps of one and of one type are fused")
    rows, columns = _count(loop, facts), _count(inner, facts)
    fused = place.fresh(loop.var)
    total = _product(rows, columns, facts, loop, inner)
    first = _from(loop.lo, e.Binary("/", fused, columns, t))
    second = _from(inner.lo, e.Binary("%", fused, columns, t))
    body = (s.Decl(loop.var, first, const=True), s.Decl(inner.var, second, const=True), *inner.body)
    both = loop.kind == inner.kind
    return replace(
        loop, var=fused, lo=const(0, t), hi=total, body=body, unroll=0,
        kind=loop.kind if both else "serial", comments=(*loop.comments, *inner.comments),
    )  # fmt: skip


def _count(loop: s.For, facts: Facts) -> e.Expr:
    """The number of iterations, not below zero."""
    t = loop.var.type
    n = trips(loop, facts)
    if n is not None:
        return const(n, t)
    span = trip_poly(loop, facts)
    x = written(span, facts, t)
    return x if facts.nonneg(span) else e.Call("max", (x, const(0, t)), t)


def _product(rows: e.Expr, columns: e.Expr, facts: Facts, a: s.For, b: s.For) -> e.Expr:
    t = rows.type
    if isinstance(rows, e.Const) and isinstance(columns, e.Const):
        fit(facts.poly(rows) * facts.poly(columns), facts, t)
        return const(int(rows.value) * int(columns.value), t)
    fit(trip_poly(a, facts) * trip_poly(b, facts), facts, t)
    return e.Binary("*", rows, columns, t)


def _from(lo: e.Expr, x: e.Expr) -> e.Expr:
    starts = isinstance(lo, e.Const) and lo.value == 0
    return x if starts else e.Binary("+", lo, x, x.type)
