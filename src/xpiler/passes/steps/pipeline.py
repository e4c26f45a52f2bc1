"""Pipeline: the copy for the next iteration is started before this one computes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from xpiler.analysis.dependence import not_aliased
from xpiler.analysis.effects import escapes, names_in
from xpiler.analysis.purity import readers
from xpiler.analysis.ranges import Facts
from xpiler.analysis.walker import inside
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Program
from xpiler.ir.rewrite import map_children, substitute
from xpiler.ir.types import Array, Type
from xpiler.passes.steps.base import ANYTHING, Around, Check, Done, Param, Refused, Step, Work
from xpiler.passes.steps.forms import same_form
from xpiler.passes.steps.instance import Instance
from xpiler.passes.steps.legality import accesses
from xpiler.passes.steps.nest import Place, at_loop, const, fit, loops, only, renamed, step_of
from xpiler.passes.steps.staging import copy_of

STAGES = (2, 3)


class Pipeline(Step):
    """`for i { copy(i); use }` as `copy(lo); for i { copy(i + 1); use }` with `stages` buffers."""

    name = "pipeline"
    category = "memory conversion"
    summary = "the copy for the next iteration is started before this one computes"
    legality = (
        "a loop by steps of one that is not parallel and begins by filling a staged array, from "
        "buffers that its own iterations do not write"
    )
    params = (
        Param("loop", "loop", "the loop whose copies are to run ahead"),
        Param("stages", "number", "buffers in turn: 2 or more"),
    )
    inverse = "unpipeline"

    def candidates(self, program: Program, around: Around) -> Iterator[Instance]:
        for address, _, loop in loops(program):
            if head(loop) is not None:
                for stages in STAGES:
                    yield self.make(loop=address, stages=stages)

    def rewrite(self, program: Program, given: Instance, work: Work) -> Program:
        pure, stages = readers(program), given.number("stages")

        def one(loop: s.For, facts: Facts, place: Place) -> s.Body:
            return pipelined(loop, stages, facts, place, pure)

        return at_loop(program, given.text("loop"), work, only(one))

    def check(
        self, before: Program, after: Program, given: Instance, around: Around = ANYTHING
    ) -> Check:
        """Undoing it gives the program before."""
        from xpiler.passes.steps.unpipeline import Unpipeline

        undone = Unpipeline().apply(after, Unpipeline().make(loop=given.text("loop")), around)
        if isinstance(undone, Done) and same_form(before, undone.program):
            return Check("same form", "with its copies in place it is the program before")
        return Check("test", "the copies could not be put back in place")


@dataclass(frozen=True)
class Head:
    """The start of a body: a staged array, the loops that fill it, and what follows."""

    decl: s.Decl
    copy: s.Stmt
    rest: s.Body


def head(loop: s.For) -> Head | None:
    """The staged array that `loop`'s body starts with; None where it does not."""
    if len(loop.body) < 3 or not isinstance(loop.body[0], s.Decl):
        return None
    decl, copy = loop.body[0], loop.body[1]
    found = copy_of(copy)
    if found is None or found.out or found.near != decl.var:
        return None
    return Head(decl, copy, loop.body[2:])


def pipelined(loop: s.For, stages: int, facts: Facts, place: Place, pure: frozenset[str]) -> s.Body:
    """The buffers, the first copies, the loop; raises Refused."""
    start = head(loop)
    if start is None:
        raise Refused(f"the loop {loop.var.name} does not begin by filling a staged array")
    if loop.kind == "parallel":
        raise Refused(f"the loop {loop.var.name} is parallel: its copies run at once already")
    if step_of(loop) != 1 or stages < 2 or loop.reductions:
        raise Refused("a pipeline needs a loop by steps of one and at least two stages")
    _legal(start, loop, facts, pure)
    many = place.named(start.decl.var.name, Array(start.decl.var.type, stages))
    t = loop.var.type
    fit(facts.poly(loop.hi) + (stages - 2), facts, t)
    first = [_started(start, loop, k, many, facts, place) for k in range(stages - 1)]
    return (replace(start.decl, var=many), *first, _loop(loop, start, stages, many))


def _started(start: Head, loop: s.For, k: int, many: e.Var, facts: Facts, place: Place) -> s.Stmt:
    """The copy for iteration number `k`, where the loop has that many."""
    i = _plus(loop.lo, k, loop.var.type)
    (copy,) = _copied(start, loop, i, const(k, loop.var.type), many, place)
    there = e.compare("<", i, loop.hi)
    return copy if facts.decide(there) else s.If(there, (copy,))


def _loop(loop: s.For, start: Head, stages: int, many: e.Var) -> s.For:
    t = loop.var.type
    ahead = _plus(loop.var, stages - 1, t)
    slot = _slot(loop, ahead, stages)
    renamed = substitute((start.copy,), {loop.var.name: ahead})
    copy = _into(renamed, start.decl.var, many, slot)
    rest = _into(start.rest, start.decl.var, many, _slot(loop, loop.var, stages))
    guard = s.If(e.compare("<", ahead, loop.hi), copy)
    return replace(loop, body=(guard, *rest))


def _legal(start: Head, loop: s.For, facts: Facts, pure: frozenset[str]) -> None:
    if escapes(start.rest, in_loop=True):
        raise Refused(f"the loop {loop.var.name} can be left early")
    within = inside(loop, facts)
    sources = accesses((start.copy,), within, pure)
    users = accesses(start.rest, within, pure)
    if users.scalars & names_in(start.copy):
        raise Refused("what is copied depends on what an iteration computes")
    for a in sources.accesses:
        for b in users.accesses:
            if a.write or not b.write or b.root == start.decl.var:
                continue
            if a.root == b.root or not not_aliased(a.root, b.root, facts):
                raise Refused(f"an iteration writes {b.root.name}, which may be copied ahead")


def _plus(x: e.Expr, k: int, t: Type) -> e.Expr:
    if isinstance(x, e.Const):
        return const(int(x.value) + k, t)
    return e.Binary("+", x, const(k, t), t) if k else x


def _slot(loop: s.For, i: e.Expr, stages: int) -> e.Expr:
    """Which buffer iteration `i` uses."""
    t = loop.var.type
    starts = isinstance(loop.lo, e.Const) and loop.lo.value == 0
    number = i if starts else e.Binary("-", i, loop.lo, t)
    return e.Binary("%", number, const(stages, t), t)


def _copied(start: Head, loop: s.For, i: e.Expr, slot: e.Expr, many: e.Var, place: Place) -> s.Body:
    """The copy for iteration `i`, with loops of its own."""
    body: s.Body = substitute((start.copy,), {loop.var.name: i})
    return _into(renamed(body, place), start.decl.var, many, slot)


def _into(body: s.Body, near: e.Var, many: e.Var, slot: e.Expr) -> s.Body:
    """`near` as one of `many`."""
    element = e.Index(many, slot, near.type)

    def go(n: object) -> object:
        return element if n == near else map_children(n, go)  # type: ignore[type-var]

    return tuple(map_children(st, go) for st in body)
