"""Which runs answer which question: the requests that one verification makes of each side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from xpiler.verify import inputs
from xpiler.verify.dtypes import Bools, Floats, decode, encode
from xpiler.verify.inputs import BufferSpec, InputPlan, Values

Kind = Literal["base", "near", "far", "redraw", "line", "impulse", "rounded", "spike", "unread"]

Places = Mapping[str, Bools]
POISONS, SCHEDULES = (1, 2), (0, 1)
SHARES = (2.0**-8, 2.0**-3, 2.0**-13)  # of the inputs that a "redraw" run replaces
LINE = ("a", "b", "sum", "zero")
INTEGERS = inputs.RECIPES.index("integers")
NEGATIVE = inputs.RECIPES.index("negative")  # shows a maximum that starts at 0
PATTERNS = 6  # of signs with which the inputs of a run are moved, at most
SPIKES = 24  # runs with a few inputs far out: what is not looked at shows
_MAX_LINES = 6  # inputs that are probed for linearity


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Names a run: of input set `run`, or (line, impulse) of the buffer with that number.

    `base` variants: 0; 1 the same with other poison; 2 with another schedule. `near` and `far`
    variants are patterns of signs; `near` 1 has those of 0 reversed. `rounded` variants: 0 rounds
    up, 1 down. `unread` sets what one side alone reads: 0 and 1 far up and down for what the
    source reads, 2 and 3 for what the target does.
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
    rounding: int = 0


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
        return [base(0, values, 0), base(0, values, 1), *self._far(0)]

    def rest(self) -> list[Request]:
        """Everything else that is asked of every source."""
        values = self.values(0)
        requests = [*self._redrawn(values), *self._integers(), base(0, values, 2)]
        requests += self._far(0, pattern=1)
        for run in range(2, self.plan.runs):
            requests += [base(run, self.values(run), 0), *self._far(run)]
        return requests

    def _integers(self) -> list[Request]:
        if self.plan.runs <= INTEGERS:
            return []
        values = self.values(INTEGERS)
        bases = [base(INTEGERS, values, variant) for variant in range(3)]
        return [bases[0], *self._far(INTEGERS), *bases[1:]]

    def step(self, kind: Literal["near", "far"]) -> float:
        """How far the inputs of such a run are moved, relatively; 0 where none can be."""
        return inputs.perturbation(self.buffers, far=kind == "far")

    def _far(self, run: int, pattern: int = 0) -> list[Request]:
        signs = self.plan.random(run, f"signs {pattern}")
        return self._moved("far", run, pattern, inputs.signs(self.buffers, signs))

    def moved_again(self, run: int) -> list[Request]:
        """More runs whose inputs are moved with other signs, beyond the first two."""
        return [r for pattern in range(2, PATTERNS) for r in self._far(run, pattern)]

    def near(self, run: int) -> list[Request]:
        """Two runs a little beside input set `run`, in opposite directions: does it jump there?"""
        drawn = inputs.signs(self.buffers, self.plan.random(run, "signs 0"))
        reversed_ = {name: -s for name, s in drawn.items()}
        return self._moved("near", run, 0, drawn) + self._moved("near", run, 1, reversed_)

    def spikes(self, outputs: int) -> list[Request]:
        """Input set 0 with a few values far out, about one for each of `outputs` elements.

        A maximum that leaves an input out is right as long as that is not the largest.
        """
        values = self.values(0)
        smooth = [b for b in self.buffers if b.is_smooth and b.name in values]
        found = []
        for number in range(SPIKES):
            random = self.plan.random(0, f"spikes {number}")
            up = number % 2 == 0
            far = {b.name: inputs.spiked(b, values[b.name], outputs, up, random) for b in smooth}
            found.append(Request(Key("spike", number), {**values, **far}))
        return found

    def unread(self, by_source: Places, by_target: Places) -> list[Request]:
        """Input set 0 with far values where one side alone looks: nothing may come of them."""
        values = self.values(0)
        found = []
        for number, places in enumerate((by_source, by_source, by_target, by_target)):
            far = {
                b.name: inputs.set_apart(b, values[b.name], places[b.name], up=number % 2 == 0)
                for b in self.buffers
                if b.name in places
            }
            if far:
                found.append(Request(Key("unread", number), {**values, **far}))
        return found

    def rounded(self, run: int) -> list[Request]:
        """Input set `run` with every operation rounded up, and down: what does rounding change?"""
        values = self.values(run)
        return [Request(Key("rounded", run, way), values, rounding=1 + way) for way in range(2)]

    def _moved(
        self, kind: Literal["near", "far"], run: int, variant: int, signs: Mapping[str, Floats]
    ) -> list[Request]:
        if not self.step(kind):
            return []
        moved = inputs.perturb(self.buffers, self.values(run), self.step(kind), signs)
        return [Request(Key(kind, run, variant), moved)]

    def _redrawn(self, values: Values) -> list[Request]:
        if not any(b.is_smooth for b in self.buffers):
            return []
        found = []
        for number, share in enumerate(SHARES):
            random = self.plan.random(0, f"redraw {number}")
            changed = inputs.redraw(self.buffers, values, share, random)
            found.append(Request(Key("redraw", 0, number), changed))
        return found

    def candidates(self) -> list[int]:
        """Numbers of the buffers that can be probed for linearity."""
        able = [
            i
            for i, b in enumerate(self.buffers)
            if b.is_smooth and (b.bounds is None or b.bounds[0] <= 0 <= b.bounds[1])
        ]
        return able[:_MAX_LINES] if self.plan.runs > INTEGERS else []

    def lines(self) -> list[Request]:
        """Asked of a source that computes exactly on integers: is it linear, and in what?"""
        fixed = self.values(INTEGERS)
        found = [r for number in self.candidates() for r in self._line(number, fixed)]
        return [*found, *(self.impulse(number) for number in self.candidates())]

    def _line(self, number: int, fixed: Values) -> Iterable[Request]:
        buffer = self.buffers[number]
        half = (buffer.bounds[0] / 2, buffer.bounds[1] / 2) if buffer.bounds else None
        spec = BufferSpec(buffer.name, buffer.ctype, buffer.dtype, buffer.count, bounds=half)
        drawn = [
            inputs.draw(spec, "integers", self.plan.random(0, f"line {buffer.name} {which}"))
            for which in "ab"
        ]
        a, b = (decode(x, buffer.dtype) for x in drawn)
        for variant, points in enumerate((a, b, a + b, 0 * a)):
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
            twins = (0, 1) if run in (0, INTEGERS, NEGATIVE) else (0,)
            found += [base(run, self.values(run), variant) for variant in twins]
        found += [self.impulse(number) for number in linear]
        return [*found, base(0, self.values(0), 2)]
