"""Which runs answer which question: the requests that one verification makes of each side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from xpiler.verify import inputs
from xpiler.verify.dtypes import Bools, decode, encode
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
_LARGE = 16 << 20  # bytes: sets of inputs above that are drawn again rather than kept
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
    draw: Callable[[], Values]
    poison: int = POISONS[0]
    schedule: int = SCHEDULES[0]
    rounding: int = 0

    @property
    def values(self) -> Values:
        """What the buffers hold; drawn at each use, so that many runs of large ones can wait."""
        return self.draw()


def _is_large(values: Values) -> bool:
    return sum(data.nbytes for data in values.values()) > _LARGE


def _kept(draw: Callable[[], Values]) -> Callable[[], Values]:
    """`draw`, whose result is kept unless it is large."""
    known: list[Values] = []

    def drawn() -> Values:
        if known:
            return known[0]
        values = draw()
        if not _is_large(values):
            known.append(values)
        return values

    return drawn


@dataclass(frozen=True)
class Planner:
    """Requests for one case, most telling first, so that a prefix is a sensible smaller plan."""

    buffers: Sequence[BufferSpec]
    plan: InputPlan
    _drawn: dict[int, Values] = field(default_factory=dict)

    def values(self, run: int) -> Values:
        """The input set `run`, not to be written to; drawn once, but for large ones."""
        if run not in self._drawn:
            drawn = self.plan.draw(self.buffers, run)
            if _is_large(drawn):
                self._drawn.clear()
            self._drawn[run] = drawn
        return self._drawn[run]

    def base(self, run: int, variant: int) -> Request:
        """The input set itself, under one of three poison and schedule pairs."""
        poison, schedule = POISONS[variant == 1], SCHEDULES[variant == 2]
        return Request(Key("base", run, variant), lambda: self.values(run), poison, schedule)

    def minimum(self) -> list[Request]:
        """Without these there is no verdict: two poisons, and a measure of the summed terms."""
        return [self.base(0, 0), self.base(0, 1), *self._far(0)]

    def rest(self) -> list[Request]:
        """Everything else that is asked of every source."""
        requests = [*self._redrawn(), *self._integers(), self.base(0, 2)]
        requests += self._far(0, pattern=1)
        for run in range(2, self.plan.runs):
            requests += [self.base(run, 0), *self._far(run)]
        return requests

    def _integers(self) -> list[Request]:
        if self.plan.runs <= INTEGERS:
            return []
        bases = [self.base(INTEGERS, variant) for variant in range(3)]
        return [bases[0], *self._far(INTEGERS), *bases[1:]]

    def step(self, kind: Literal["near", "far"]) -> float:
        """How far the inputs of such a run are moved, relatively; 0 where none can be."""
        return inputs.perturbation(self.buffers, far=kind == "far")

    def _far(self, run: int, pattern: int = 0) -> list[Request]:
        return self._moved("far", run, pattern, pattern)

    def moved_again(self, run: int) -> list[Request]:
        """More runs whose inputs are moved with other signs, beyond the first two."""
        return [r for pattern in range(2, PATTERNS) for r in self._far(run, pattern)]

    def near(self, run: int) -> list[Request]:
        """Two runs a little beside input set `run`, in opposite directions: does it jump there?"""
        return self._moved("near", run, 0, 0) + self._moved("near", run, 1, 0)

    def spikes(self, outputs: int) -> list[Request]:
        """Input set 0 with a few values far out, about one for each of `outputs` elements.

        A maximum that leaves an input out is right as long as that is not the largest.
        """

        def draw(number: int) -> Values:
            values, random = self.values(0), self.plan.random(0, f"spikes {number}")
            smooth = [b for b in self.buffers if b.is_smooth and b.name in values]
            up = number % 2 == 0
            far = {b.name: inputs.spiked(b, values[b.name], outputs, up, random) for b in smooth}
            return {**values, **far}

        return [Request(Key("spike", n), _kept(partial(draw, n))) for n in range(SPIKES)]

    def unread(self, by_source: Places, by_target: Places) -> list[Request]:
        """Input set 0 with far values where one side alone looks: nothing may come of them."""

        def draw(number: int, places: Places) -> Values:
            values = self.values(0)
            up = number % 2 == 0
            chosen = [b for b in self.buffers if b.name in places]
            far = {b.name: inputs.set_apart(b, values[b.name], places[b.name], up) for b in chosen}
            return {**values, **far}

        names = {b.name for b in self.buffers}
        return [
            Request(Key("unread", number), _kept(partial(draw, number, places)))
            for number, places in enumerate((by_source, by_source, by_target, by_target))
            if names & places.keys()
        ]

    def rounded(self, run: int) -> list[Request]:
        """Input set `run` with every operation rounded up, and down: what does rounding change?"""
        keys = [Key("rounded", run, way) for way in range(2)]
        return [Request(k, lambda: self.values(run), rounding=1 + k.variant) for k in keys]

    def _moved(
        self, kind: Literal["near", "far"], run: int, variant: int, pattern: int
    ) -> list[Request]:
        """Input set `run` moved by a pattern of signs; by those reversed in the second near run."""
        if not self.step(kind):
            return []

        def draw() -> Values:
            signs = inputs.signs(self.buffers, self.plan.random(run, f"signs {pattern}"))
            step = -self.step(kind) if kind == "near" and variant else self.step(kind)
            return inputs.perturb(self.buffers, self.values(run), step, signs)

        return [Request(Key(kind, run, variant), draw)]

    def _redrawn(self) -> list[Request]:
        if not any(b.is_smooth for b in self.buffers):
            return []

        def draw(number: int, share: float) -> Values:
            random = self.plan.random(0, f"redraw {number}")
            return inputs.redraw(self.buffers, self.values(0), share, random)

        return [
            Request(Key("redraw", 0, number), partial(draw, number, share))
            for number, share in enumerate(SHARES)
        ]

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
        found = [
            Request(Key("line", number, variant), partial(self._on_line, number, variant))
            for number in self.candidates()
            for variant in range(len(LINE))
        ]
        return [*found, *(self.impulse(number) for number in self.candidates())]

    def _on_line(self, number: int, variant: int) -> Values:
        """The integer run with points a, b, a + b, 0 of one buffer."""
        buffer = self.buffers[number]
        half = (buffer.bounds[0] / 2, buffer.bounds[1] / 2) if buffer.bounds else None
        spec = BufferSpec(buffer.name, buffer.ctype, buffer.dtype, buffer.count, bounds=half)
        drawn = [
            inputs.draw(spec, "integers", self.plan.random(0, f"line {buffer.name} {which}"))
            for which in "ab"
        ]
        a, b = (decode(x, buffer.dtype) for x in drawn)
        points = (a, b, a + b, 0 * a)[variant]
        return {**self.values(INTEGERS), buffer.name: encode(points, buffer.dtype)}

    def impulse(self, number: int) -> Request:
        """The integer run with one buffer zero but in a few places."""
        buffer = self.buffers[number]

        def draw() -> Values:
            random = self.plan.random(0, f"impulse {buffer.name}")
            fixed = self.values(INTEGERS)
            return {**fixed, buffer.name: inputs.draw(buffer, "impulses", random)}

        return Request(Key("impulse", number), _kept(draw))

    def target(self, runs: Iterable[int], linear: Iterable[int]) -> list[Request]:
        """What is asked of the target: the input sets that the source has answered."""
        found = []
        for run in runs:
            twins = (0, 1) if run in (0, INTEGERS, NEGATIVE) else (0,)
            found += [self.base(run, variant) for variant in twins]
        found += [self.impulse(number) for number in linear]
        return [*found, self.base(0, 2)]
