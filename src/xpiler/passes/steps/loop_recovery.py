"""Loop recovery: the parallel axes of kernels become loops."""

from __future__ import annotations

from collections.abc import Iterator

from xpiler.ir.program import Program
from xpiler.passes.recovery import recover
from xpiler.passes.steps.base import Around, Refused, Step, Work
from xpiler.passes.steps.instance import Instance


class LoopRecovery(Step):
    """Kernels become sequential functions: blocks and threads are loops, split at barriers."""

    name = "loop_recovery"
    category = "sequentialisation and parallelisation"
    summary = "parallel axes become loops, split at barriers; collective instructions become loops"
    legality = "the program has kernels, and the launch of each is known"
    inverse = "loop_bind"

    def candidates(self, program: Program, around: Around) -> Iterator[Instance]:
        if program.kernels():
            yield self.make()

    def rewrite(self, program: Program, given: Instance, work: Work) -> Program:
        kernels = program.kernels()
        if not kernels:
            raise Refused("the program has no kernel: it is sequential already")
        found = recover(program, work.around.shapes)
        for problem in found.diagnostics:
            if problem.severity == "error":
                raise Refused(problem.message)
        for sentence in found.assumptions:
            work.ctx.ledger.assume(sentence)
        return found.program
