"""Loop bind: a loop is given to the target's parallel axes, or kept from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from xpiler.analysis.parallelism import nature
from xpiler.analysis.purity import readers
from xpiler.analysis.ranges import Facts
from xpiler.ir import stmt as s
from xpiler.ir.program import Program
from xpiler.passes.steps.base import Around, Param, Refused, Step, Work
from xpiler.passes.steps.instance import Instance
from xpiler.passes.steps.nest import Place, at_loop, loops, only

AXES = {"parallel": "parallel", "none": "kept"}


class LoopBind(Step):
    """The loop's iterations may run at once (`parallel`), or stay a loop of one thread (`none`)."""

    name = "loop_bind"
    category = "sequentialisation and parallelisation"
    summary = "a loop is given to the target's parallel axes, or kept from them"
    legality = "for `parallel`: no iteration depends on another one; `none` is always legal"
    params = (
        Param("loop", "loop", "the loop to bind"),
        Param("axis", "word", "`parallel`: any axis of the target; `none`: it stays a loop"),
    )
    inverse = "loop_bind"
    proof = "the same loop; its iterations do not depend on each other"

    def candidates(self, program: Program, around: Around) -> Iterator[Instance]:
        for address, _, loop in loops(program):
            for axis, kind in AXES.items():
                if loop.kind != kind:
                    yield self.make(loop=address, axis=axis)

    def rewrite(self, program: Program, given: Instance, work: Work) -> Program:
        kind = AXES.get(given.text("axis"))
        if kind is None:
            raise Refused(f"axis is one of {', '.join(AXES)}")
        pure = readers(program)

        def one(loop: s.For, facts: Facts, place: Place) -> s.Body:
            if loop.kind == kind:
                raise Refused(f"the loop {loop.var.name} is bound so already")
            return (
                _bound(loop, facts, pure) if kind == "parallel" else replace(loop, kind="kept"),
            )

        return at_loop(program, given.text("loop"), work, only(one))


def _bound(loop: s.For, facts: Facts, pure: frozenset[str]) -> s.For:
    """The loop marked parallel; raises Refused with the accesses in the way."""
    plain = replace(loop, kind="serial")
    found = nature(plain, facts, pure)
    if not found.free or found.atomics:
        raise Refused(found.obstacle or "its iterations add up in one place")
    for sentence in found.sentences:
        facts.ledger.assume(sentence)
    return replace(loop, kind="parallel")
