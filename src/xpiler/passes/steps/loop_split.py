"""Loop split: one loop becomes two, with a guard where the size does not divide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from xpiler.analysis.effects import escapes
from xpiler.analysis.ranges import Facts, type_range
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Program
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
    renamed,
    step_of,
    trip_poly,
    trips,
    written,
)  # fmt: skip

FACTORS = (2, 4, 8, 16, 32, 64, 128, 256)


class LoopSplit(Step):
    """`for i in [lo, hi)` as `for o { for n in [0, factor) { i = lo + o*factor + n; ... } }`."""

    name = "loop_split"
    category = "sequentialisation and parallelisation"
    summary = "one loop becomes two, with a guard (or a loop) for what does not divide"
    legality = "the loop counts by a constant and is not left early; always legal then"
    proof = "whole groups first, then what is left of the range"
    params = (
        Param("loop", "loop", "the loop to split"),
        Param("factor", "number", "iterations of the new inner loop, at least 2"),
        Param(
            "tail",
            "word",
            "what does not divide: `guard` (default), or `rest`, a loop of its own",
            optional=True,
        ),
    )
    inverse = "loop_fuse"

    def candidates(self, program: Program, around: Around) -> Iterator[Instance]:
        for address, _, loop in loops(program):
            count = trips(loop, Facts())
            for factor in FACTORS:
                if count is None or factor < count:
                    yield self.make(loop=address, factor=factor)
                    if count is None or count % factor:
                        yield self.make(loop=address, factor=factor, tail="rest")

    def rewrite(self, program: Program, given: Instance, work: Work) -> Program:
        factor, tail = given.number("factor"), given.text("tail", "guard")
        if factor < 2:
            raise Refused("a factor below 2 leaves the loop as it is")
        if tail not in ("guard", "rest"):
            raise Refused("tail is guard or rest")

        def one(loop: s.For, facts: Facts, place: Place) -> s.Body:
            if tail == "rest":
                return with_rest(loop, factor, facts, place)
            return (split(loop, factor, facts, place),)

        return at_loop(program, given.text("loop"), work, only(one))

    def check(
        self, before: Program, after: Program, given: Instance, around: Around = ANYTHING
    ) -> Check:
        """The index that the body sees takes the same values in the same order, by proof."""
        if given.text("tail") == "rest":
            return super().check(before, after, given, around)
        _, loop = find(before, given.text("loop"))
        return same_values((loop,), after)


def with_rest(loop: s.For, factor: int, facts: Facts, place: Place) -> s.Body:
    """Loops over whole groups, and one over what is left; raises Refused."""
    if step_of(loop) != 1 or loop.reductions or escapes(loop.body, in_loop=True):
        raise Refused(f"the loop {loop.var.name} steps by more than one or can be left early")
    count = trips(loop, facts)
    t = loop.var.type
    if count is not None and (count <= factor or count % factor == 0):
        raise Refused(f"nothing is left of {count} iterations in groups of {factor}")
    if (type_range(t) or (0, 0))[0] == 0 and not facts.nonneg(trip_poly(loop, facts)):
        raise Refused(f"the unsigned loop {loop.var.name} may start behind its end")
    whole = const(count // factor, t) if count is not None else _groups(loop, factor, facts)
    covered: e.Expr = e.Binary("*", whole, const(factor, t), t)
    if isinstance(whole, e.Const):
        covered = const(int(whole.value) * factor, t)
    first = replace(loop, hi=_plus(loop.lo, covered))
    main = _nest(first, factor, whole, place)
    rest = renamed((replace(loop, lo=first.hi, comments=()),), place)
    return (main, *rest)


def _groups(loop: s.For, factor: int, facts: Facts) -> e.Expr:
    t = loop.var.type
    span = loop.hi if _zero(loop.lo) else e.Binary("-", loop.hi, loop.lo, t)
    fit(trip_poly(loop, facts), facts, t)
    return e.Binary("/", span, const(factor, t), t)


def _zero(x: e.Expr) -> bool:
    return isinstance(x, e.Const) and x.value == 0


def _plus(a: e.Expr, b: e.Expr) -> e.Expr:
    return b if _zero(a) else e.Binary("+", a, b, a.type)


def _nest(loop: s.For, factor: int, rounds: e.Expr, place: Place) -> s.For:
    """The two loops over whole groups; the body's own index is declared in the inner one."""
    t = loop.var.type
    outer, inner = place.fresh(loop.var), place.fresh(loop.var)
    zero, one = const(0, t), const(1, t)
    number = e.Binary("+", e.Binary("*", outer, const(factor, t), t), inner, t)
    body = (s.Decl(loop.var, _plus(loop.lo, number), const=True), *loop.body)
    kept = replace(loop, var=inner, lo=zero, hi=const(factor, t), step=one, body=body, comments=(),
                   unroll=0)  # fmt: skip
    return replace(loop, var=outer, lo=zero, hi=rounds, step=one, body=(kept,), unroll=0)


def split(loop: s.For, factor: int, facts: Facts, place: Place) -> s.For:
    """The two loops; raises Refused."""
    step = step_of(loop)
    if loop.reductions or escapes(loop.body, in_loop=True):
        raise Refused(f"the loop {loop.var.name} can be left early")
    count = trips(loop, facts)
    if count is not None and count <= factor:
        raise Refused(f"the loop {loop.var.name} has {count} iterations, no more than {factor}")
    t = loop.var.type
    outer, inner = place.fresh(loop.var), place.fresh(loop.var)
    whole = count is not None and count % factor == 0
    many = _rounds(loop, step, factor, count, facts)
    number = e.Binary("+", e.Binary("*", outer, const(factor, t), t), inner, t)
    index = _index(loop, step, number)
    body = loop.body if whole else (s.If(e.compare("<", loop.var, loop.hi), loop.body),)
    zero, one = const(0, t), const(1, t)
    body = (s.Decl(loop.var, index, const=True), *body)
    kept = replace(loop, var=inner, lo=zero, hi=const(factor, t), step=one, body=body, comments=(),
                   unroll=0)  # fmt: skip
    return replace(loop, var=outer, lo=zero, hi=many, step=one, body=(kept,), unroll=0)


def _index(loop: s.For, step: int, number: e.Expr) -> e.Expr:
    t = loop.var.type
    if step != 1:
        number = e.Binary("*", number, const(step, t), t)
    starts = isinstance(loop.lo, e.Const) and loop.lo.value == 0
    return number if starts else e.Binary("+", loop.lo, number, t)


def _rounds(loop: s.For, step: int, factor: int, count: int | None, facts: Facts) -> e.Expr:
    """The number of whole and begun groups; every index of a group must fit the type."""
    t = loop.var.type
    if count is not None:
        fit(facts.poly(loop.lo) + (-(-count // factor) * factor - 1) * step, facts, t)
        return const(-(-count // factor), t)
    group = factor * step
    span = trip_poly(loop, facts)
    if (type_range(t) or (0, 0))[0] == 0 and not facts.nonneg(span):
        raise Refused(f"the unsigned loop {loop.var.name} may start behind its end")
    top = written(span + (group - 1), facts, t)
    fit(facts.poly(loop.hi) + (group - 1), facts, t)
    return e.Binary("/", top, const(group, t), t)
