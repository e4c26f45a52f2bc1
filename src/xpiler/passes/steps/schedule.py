"""A schedule: steps in order as data, applied to a program one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from xpiler.ir.program import Program
from xpiler.passes.steps.base import ANYTHING, Around, Check, Done, Outcome, Refusal, Step
from xpiler.passes.steps.instance import Instance


@dataclass(frozen=True, slots=True)
class Taken:
    """One step of a schedule: the program before it, what came of it, how that is known."""

    instance: Instance
    before: Program
    outcome: Outcome
    check: Check | None = None

    @property
    def program(self) -> Program:
        """The program after the step; where it was refused, as it was."""
        return self.outcome.program if isinstance(self.outcome, Done) else self.before


@dataclass(frozen=True, slots=True)
class Schedule:
    """Instances in order. It replays on the same source, and on others where each is legal."""

    steps: tuple[Instance, ...]

    def __str__(self) -> str:
        """As Python, one call a line."""
        return "".join(f"{one}\n" for one in self.steps)

    def toml(self) -> str:
        """As a schedule's file."""
        return "\n".join(one.toml() for one in self.steps)

    def run(
        self, program: Program, registry: dict[str, Step], around: Around = ANYTHING
    ) -> Iterator[Taken]:
        """Each step on what the one before left; a refused one leaves the program as it was."""
        for one in self.steps:
            taken = take(program, one, registry, around)
            yield taken
            program = taken.program


def take(
    program: Program, one: Instance, registry: dict[str, Step], around: Around = ANYTHING
) -> Taken:
    """One step with its check."""
    step = registry.get(one.step)
    if step is None:
        return Taken(one, program, Refusal(f"there is no pass {one.step}"))
    outcome = step.apply(program, one, around)
    if isinstance(outcome, Refusal):
        return Taken(one, program, outcome)
    return Taken(one, program, outcome, step.check(program, outcome.program, one, around))
