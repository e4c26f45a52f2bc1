"""Clean-up as a step: the canonical form of a sequential program, between the eleven passes."""

from __future__ import annotations

from collections.abc import Iterator

from xpiler.ir.check import check
from xpiler.ir.program import Program
from xpiler.passes.cleanup import clean_up
from xpiler.passes.steps.base import Around, Refused, Step, Work
from xpiler.passes.steps.instance import Instance


class CleanUp(Step):
    """The exact rewrites after raising: tiles undone, copies forwarded, guards lifted."""

    name = "clean_up"
    category = "sequentialisation and parallelisation"
    summary = "the canonical form: what raising left over goes, loops become plain"
    legality = "the program is sequential"

    def candidates(self, program: Program, around: Around) -> Iterator[Instance]:
        yield self.make()

    def rewrite(self, program: Program, given: Instance, work: Work) -> Program:
        if program.kernels() or check(program, sequential=True) != check(program):
            raise Refused("the program still has parallel axes: recover its loops first")
        found = clean_up(program, assume=work.around.assume)
        if found.program == program:
            raise Refused("the program is in that form already")
        for sentence in found.assumptions:
            work.ctx.ledger.assume(sentence)
        return found.program
