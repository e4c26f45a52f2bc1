"""What every step is: a small checked rewrite with parameters that says no where it is illegal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from xpiler.analysis.ranges import Ledger
from xpiler.ir.check import check as faults
from xpiler.ir.program import Program
from xpiler.passes.cleanup.base import Assumptions, Context
from xpiler.passes.recovery.shape import LaunchShape
from xpiler.passes.steps.instance import Instance, Value
from xpiler.platforms.registry import Platform

Category = Literal["sequentialisation and parallelisation", "memory conversion", "tensorisation"]
Method = Literal["same form", "solver", "test", "wrong"]


class Refused(Exception):
    """The step does not belong here; the text says why, in a person's words."""


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of a step: its name, `loop`, `name`, `names`, `number` or `word`, what it is."""

    name: str
    kind: Literal["loop", "name", "names", "number", "word"]
    text: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Around:
    """What a step may know beside the program.

    `platform` is the target, for sizes and instructions; `shapes` the launch shapes of kernels that
    no host code of the file launches; `assume` what may be taken for granted (and is recorded).
    """

    platform: Platform | None = None
    shapes: Mapping[str, LaunchShape] = field(default_factory=dict)
    assume: Assumptions = field(default_factory=Assumptions)

    def limit(self, key: str, default: int) -> int:
        """A size from the target's tables (bytes)."""
        return int(self.platform.limits.get(key, default)) if self.platform else default


@dataclass(frozen=True, slots=True)
class Done:
    """The program after a step, and the sentences that its legality rests on."""

    program: Program
    assumptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a step was not applied; the program is as it was."""

    reason: str


Outcome = Done | Refusal


@dataclass(frozen=True, slots=True)
class Check:
    """How it is known that a step kept the meaning.

    `same form`: undoing it gives the program before; `solver`: the access functions agree by proof;
    `test`: nothing of that, so running both owes the answer; `wrong`: they differ.
    """

    method: Method
    detail: str = ""


ANYTHING = Around()


class Step:
    """Base of all steps; a step has no state.

    A subclass gives `rewrite`, which raises `Refused`, and `candidates`, a cheap list of instances
    that may be legal; `knobs` are those that are.
    """

    name: ClassVar[str]
    category: ClassVar[Category]
    summary: ClassVar[str]
    legality: ClassVar[str]
    params: ClassVar[tuple[Param, ...]] = ()
    inverse: ClassVar[str] = ""
    proof: ClassVar[str] = ""

    def rewrite(self, program: Program, given: Instance, work: Work) -> Program:
        """`program` after the step; raises Refused."""
        raise NotImplementedError

    def candidates(self, program: Program, around: Around) -> Iterator[Instance]:
        """Instances worth a try, outermost loops first."""
        raise NotImplementedError

    def check(
        self, before: Program, after: Program, given: Instance, around: Around = ANYTHING
    ) -> Check:
        """What is known of `after` without running it, whoever wrote it."""
        found = self.apply(before, given, around) if self.proof else None
        if isinstance(found, Done) and found.program.functions == after.functions:
            return Check("same form", self.proof)
        return Check("test", "no proof is at hand")

    def make(self, **params: Value) -> Instance:
        """An instance of this step; raises Refused for parameters that it does not have."""
        known = [p.name for p in self.params]
        wrong = [k for k in params if k not in known]
        if wrong:
            raise Refused(f"{self.name} has no parameter {wrong[0]}")
        return Instance(self.name, tuple((k, params[k]) for k in known if k in params))

    def knobs(self, program: Program, around: Around = ANYTHING) -> tuple[Instance, ...]:
        """Every legal instance on `program`."""
        found = dict.fromkeys(self.candidates(program, around))
        return tuple(i for i in found if isinstance(self.apply(program, i, around), Done))

    def apply(self, program: Program, given: Instance, around: Around = ANYTHING) -> Outcome:
        """The program after the step, or why not."""
        ledger = Ledger(allowed=around.assume.no_wrap, alias_allowed=around.assume.no_alias)
        work = Work(Context(around.assume, ledger, program), around)
        try:
            self._complete(given)
            new = self.rewrite(program, given, work)
        except Refused as why:
            return Refusal(str(why))
        worse = _new_faults(program, new)
        if worse:
            return Refusal(f"the result is not well formed: {worse[0]}")
        return Done(new, tuple(dict.fromkeys(ledger.sentences)))

    def _complete(self, given: Instance) -> None:
        have = {k for k, _ in given.params}
        for p in self.params:
            if p.name not in have and not p.optional:
                raise Refused(f"{self.name} needs {p.name}: {p.text}")
        self.make(**dict(given.params))


@dataclass(frozen=True)
class Work:
    """What one application uses: the analyses' context, and what is known around the program."""

    ctx: Context
    around: Around


def _new_faults(before: Program, after: Program) -> list[str]:
    old = set(faults(before))
    return [x for x in faults(after) if x not in old]
