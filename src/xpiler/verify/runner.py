"""What the verifier asks of whatever runs text, and the emulators' answer to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from xpiler.verify.invocation import Invocation, RunResult


@dataclass(frozen=True, slots=True)
class Unit:
    """A program's text; `arch` picks a variant of the platform (such as "gfx90a")."""

    text: str
    platform: str
    arch: str | None = None
    filename: str = "unit"


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """One run: the call, the seed of what is unspecified, the poison, the order of threads.

    `rounding`: 0 to nearest, as everywhere; 1 up, 2 down.

    Without `checks` accesses are not watched: many times faster, for programs that take long.
    """

    invocation: Invocation
    seed: int
    poison: int
    schedule: int
    checks: bool = True
    rounding: int = 0


class Executor(Protocol):
    """Builds units and runs calls of them, with every check on unless a job says otherwise."""

    def prepare(self, unit: Unit, invocation: Invocation) -> None:
        """Build `unit` for calls of this form; raises XpilerError where it does not build."""

    def execute_many(
        self, unit: Unit, jobs: Iterable[Job], *, run_seconds: float, total_seconds: float
    ) -> Iterator[RunResult]:
        """The results in order; fewer than jobs where one showed a fault or time ran out."""
