"""Which runs answer which question: the requests that one verification makes of each side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from xpiler.verify import inputs
from xpiler.verify.dtypes import decode, encode
from xpiler.verify.inputs import BufferSpec, InputPlan, Values

Kind = Literal["base", "near", "far", "redraw", "line", "impulse"]

POISONS, SCHEDULES = (1, 2), (0, 1)
SHARES = (2.0**-3, 2.0**-8, 2.0**-13)  # of the inputs that a "redraw" run replaces
LINE = ("a", "b", "sum", "twice", "zero")
INTEGERS = inputs.RECIPES.index("integers")
_MAX_LINES = 6  # inputs that are probed for linearity


@dataclass(frozen=True, slots=True)
class Key:
    """Names a run: of input set `run`, or (line, impulse) of the buffer with that number.

    `base` variants: 0; 1 the same with other poison; 2 with another schedule. `near` and `far`
    variants are patterns of signs; `near` 1 has those of 0 reversed.
    """

    kind: Kind
    run: int
    variant: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """One run to make."""

    key: Key
    values: Values
    poison: int = POISONS[0]
    schedule: int = SCHEDULES[0]


def base(run: int, values: Values, variant: int) -> Request:
    """The input set itself, under one of three poison and schedule pairs."""
    poison, schedule = POISONS[variant == 1], SCHEDULES[variant == 2]
    return Request(Key("base", run, variant), values, poison, schedule)


@dataclass(frozen=True)
class Planner:
    """Requests for one case, most telling first, so that a prefix is a sensible smaller plan."""

    buffers: Sequence[BufferSpec]
    plan: InputPlan
    _drawn: dict[int, Values] = field(default_factory=dict)

    def values(self, run: int) -> Values:
        """The input set `run`; drawn once, not to be written to."""
        if run not in self._drawn:
            self._drawn[run] = self.plan.draw(self.buffers, run)
        return self._drawn[run]

    def minimum(self) -> list[Request]:
        """Without these there is no verdict: two poisons, and a measure of the summed terms."""
        values = self.values(0)
        return [base(0, values, 0), base(0, values, 1), *self._moved(0, values)]

    def rest(self) -> list[Request]:
        """Everything else that is asked of the source."""
        values = self.values(0)
        requests = [base(0, values, 2), *self._integers(), *self._redrawn(values)]
        requests += self._moved(0, values, pattern=1)
        for run in range(2, self.plan.runs):
            chosen = self.values(run)
            requests += [base(run, chosen, 0), base(run, chosen, 1), *self._moved(run, chosen)]
        return requests + self._lines()

    def _integers(self) -> list[Request]:
        if self.plan.runs <= INTEGERS:
            return []
        values = self.values(INTEGERS)
        bases = [base(INTEGERS, values, variant) for variant in range(3)]
        return [*bases[:2], *self._moved(INTEGERS, values), bases[2]]

    def step(self, kind: Literal["near", "far"]) -> float:
        """How far the inputs of such a run are moved, relatively; 0 where none can be."""
        return inputs.perturbation(self.buffers, far=kind == "far")

    def _moved(self, run: int, values: Values, pattern: int = 0) -> list[Request]:
        if not self.step("far"):
            return []
        if pattern:
            return [self._move("far", run, values, pattern)]
        near = [self._move("near", run, values, 0), self._move("near", run, values, 0, -1.0)]
        return [self._move("far", run, values, 0), *near]

    def _move(
        self,
        kind: Literal["near", "far"],
        run: int,
        values: Values,
        pattern: int,
        way: float = 1.0,
    ) -> Request:
        signs = self.plan.random(run, f"signs {pattern}")
        moved = inputs.perturb(self.buffers, values, way * self.step(kind), signs)
        return Request(Key(kind, run, pattern if way > 0 else 1), moved)

    def _redrawn(self, values: Values) -> list[Request]:
        if not any(b.is_smooth for b in self.buffers):
            return []
        found = []
        for number, share in enumerate(SHARES):
            random = self.plan.random(0, f"redraw {number}")
            changed = inputs.redraw(self.buffers, values, share, random)
            found.append(Request(Key("redraw", 0, number), changed))
        return found

    def lines(self) -> list[int]:
        """Numbers of the buffers that are probed for linearity."""
        able = [
            i
            for i, b in enumerate(self.buffers)
            if b.is_smooth and (b.bounds is None or b.bounds[0] <= 0 <= b.bounds[1])
        ]
        return able[:_MAX_LINES] if self.plan.runs > INTEGERS else []

    def _lines(self) -> list[Request]:
        fixed, found = self.values(INTEGERS), []
        for number in self.lines():
            found += self._line(number, fixed)
        return [*found, *(self.impulse(number) for number in self.lines())]

    def _line(self, number: int, fixed: Values) -> Iterable[Request]:
        buffer = self.buffers[number]
        half = (buffer.bounds[0] / 2, buffer.bounds[1] / 2) if buffer.bounds else None
        spec = BufferSpec(buffer.name, buffer.ctype, buffer.dtype, buffer.count, bounds=half)
        drawn = [
            inputs.draw(spec, "integers", self.plan.random(0, f"line {buffer.name} {which}"))
            for which in "ab"
        ]
        a, b = (decode(x, buffer.dtype) for x in drawn)
        for variant, points in enumerate((a, b, a + b, 2 * a, 0 * a)):
            values = {**fixed, buffer.name: encode(points, buffer.dtype)}
            yield Request(Key("line", number, variant), values)

    def impulse(self, number: int) -> Request:
        """The integer run with one buffer zero but in a few places."""
        buffer = self.buffers[number]
        random = self.plan.random(0, f"impulse {buffer.name}")
        values = {**self.values(INTEGERS), buffer.name: inputs.draw(buffer, "impulses", random)}
        return Request(Key("impulse", number), values)

    def target(self, runs: Iterable[int], linear: Iterable[int]) -> list[Request]:
        """What is asked of the target: the input sets that the source has answered."""
        found = []
        for run in runs:
            values = self.values(run)
            found += [base(run, values, 0), base(run, values, 1)]
        found += [self.impulse(number) for number in linear]
        return [*found, base(0, self.values(0), 2)]
