"""A source and its translation, as something to ask: is this text right, and where not?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from xpiler.verify.compare import measured_size
from xpiler.verify.dtypes import canonical, decode, is_float
from xpiler.verify.inputs import RECIPES, BufferSpec, InputPlan, RecordSpec
from xpiler.verify.invocation import BufferArg, Invocation, RunResult
from xpiler.verify.remembering import Remembering
from xpiler.verify.runner import Unit
from xpiler.verify.runs import INTEGERS, NEGATIVE, Key, Planner
from xpiler.verify.session import busy_plans, calls_of, check_translation, sandboxed, with_room
from xpiler.verify.verifier import Entry, Options, Side, VerifyCase

if TYPE_CHECKING:
    from xpiler.ir.expr import Expr
    from xpiler.platforms.registry import Platform
    from xpiler.verify.dtypes import Floats
    from xpiler.verify.reading import Reading
    from xpiler.verify.session import TargetPoint
    from xpiler.verify.verdict import Verdict

_CLOSE = {"float64": 1e-8, "float32": 2e-4, "float16": 1e-2, "bf16": 6e-2}
_CASES = 5
_FURTHER = 12
_RUNS = (0, INTEGERS, NEGATIVE)


@dataclass(frozen=True)
class Calling:
    """How the translation's entries are called, as `check_translation` takes it."""

    extras: Mapping[str, Sequence[str]] = field(default_factory=dict)
    entries: Mapping[str, TargetPoint] = field(default_factory=dict)
    extents: Mapping[str, Mapping[str, Expr]] = field(default_factory=dict)
    lost: frozenset[str] = frozenset()
    alike: bool = False


@dataclass(frozen=True, eq=False)
class Answer:
    """What one buffer should hold: `allowed` below 0 where it does not matter."""

    buffer: BufferSpec
    expected: Floats
    allowed: Floats


@dataclass(frozen=True, eq=False)
class Question:
    """One call of the translation, and what should come out."""

    call: Invocation
    answers: tuple[Answer, ...]
    label: str

    @property
    def size(self) -> int:
        """Elements that go in and out: how long a run takes grows with it."""
        return sum(a.count for a in self.call.args if isinstance(a, BufferArg))

    @property
    def elements(self) -> int:
        return sum(a.expected.size for a in self.answers)


@dataclass
class Subject:
    """The pair; `text` is the translation as it was given."""

    reading: Reading
    text: str
    target: Platform
    calling: Calling
    seed: int = 0
    sandbox: str = "required"
    executor: Remembering = field(default_factory=Remembering)
    asked: int = 0

    def with_text(self, text: str) -> Subject:
        """The same pair with another text, and the questions that are known already."""
        other = replace(self, text=text)
        known = ("_cases", "questions", "rare", "groups")
        other.__dict__.update({k: x for k, x in self.__dict__.items() if k in known})
        return other

    def verdict(self, text: str, seed: int | None = None) -> Verdict:
        """The full verification of a text as the translation."""
        c = self.calling
        self.asked += 1
        return check_translation(
            self.reading, text, self.target, seed=self.seed if seed is None else seed,
            sandbox=self.sandbox, extras=c.extras, lost=c.lost, entries=c.entries,
            extents=c.extents, alike=c.alike, executor=self.executor,
        )  # fmt: skip

    @cached_property
    def _cases(self) -> list[tuple[VerifyCase, ...]]:
        return self._all_cases(False)

    def _all_cases(self, further: bool) -> list[tuple[VerifyCase, ...]]:
        """The cases of each entry; the further ones are larger and slower."""
        c, found = self.calling, []
        for given in busy_plans(self.reading, self.target, self.text):
            plan = with_room(given, c.extents.get(given.entry.name, {}))
            if plan.cases:
                chosen = plan if further else replace(plan, further=())
                made = calls_of(self.reading.program, chosen, c.extras, c.entries, c.alike)
                found.append(tuple(case for case in made if not _has_structs(case)))
        return [cases for cases in found if cases]

    @cached_property
    def questions(self) -> list[Question]:
        """Calls that tell a wrong text from a right one, the cheapest and most telling first."""
        found: list[Question] = []
        with sandboxed(self.sandbox):
            for cases in self._cases:
                for case in cases[:_CASES]:
                    found += self._ask(case, _RUNS if case is cases[0] else (0,))
        return found

    @cached_property
    def rare(self) -> list[Question]:
        """Calls on other inputs and sizes, for texts that no question shows to be wrong."""
        runs = [r for r in range(len(RECIPES)) if r not in _RUNS]
        with sandboxed(self.sandbox):
            found = [q for cases in self._cases for q in self._ask(cases[0], runs)]
            for cases in self._all_cases(True):
                for case in cases[_CASES:][:_FURTHER]:
                    found += self._ask(case, (0,))
            return found

    @cached_property
    def groups(self) -> list[list[Question]]:
        """The questions by the entry that they call."""
        return by_entry(self.questions)

    def _ask(self, case: VerifyCase, runs: Sequence[int]) -> list[Question]:
        options = Options(seed=self.seed)
        unit = Unit(self.reading.text, self.reading.platform.name, self.reading.arch,
                    self.reading.file)  # fmt: skip
        side = Side("source", unit, case.source, case, self.executor, options)
        planner = Planner(case.buffers, InputPlan(self.seed))
        wanted = [*planner.minimum(), *(planner.base(r, 0) for r in runs if r)]
        side.answer(wanted, options.seconds)
        far = side.runs.get(Key("far", 0))
        found = []
        for run in runs:
            told = side.runs.get(Key("base", run))
            if told is None or told.errors or told.exit_status:
                continue
            answers = self._answers(case, told, far if run == 0 else None, planner.step("far"))
            target = Side("target", unit, case.target, case, self.executor, options)
            call = target.invocation(planner.base(run, 0))
            found.append(Question(call, answers, case.label))
        return found

    def _answers(
        self, case: VerifyCase, run: RunResult, far: RunResult | None, step: float
    ) -> tuple[Answer, ...]:
        found = []
        for b in case.buffers:
            if b.role == "in":
                continue
            y = decode(run.outputs[b.name].reshape(-1), b.dtype)
            allowed = np.zeros_like(y)
            if is_float(b.dtype):
                size = np.abs(y)
                if far is not None and b.name in far.outputs:
                    moved = [far.outputs[b.name]]
                    size = size + measured_size(run.outputs[b.name], moved, b.dtype, step)
                allowed = _CLOSE[canonical(b.dtype)] * np.nan_to_num(size, posinf=0.0) + 1e-30
            if b.name in run.written:
                allowed = np.where(run.written[b.name].reshape(-1), allowed, -1.0)
            found.append(Answer(b, y, allowed))
        return tuple(found)


def _has_structs(case: VerifyCase) -> bool:
    """Whether buffers hold structs of several kinds of numbers, which no trial compares."""
    return any(isinstance(a, RecordSpec) for a in case.args)


def by_entry(questions: Sequence[Question]) -> list[list[Question]]:
    """Questions that one program can answer, together."""
    found: dict[str, list[Question]] = {}
    for q in questions:
        found.setdefault(q.call.entry, []).append(q)
    return list(found.values())


__all__ = ["Answer", "Calling", "Entry", "Question", "Subject"]
