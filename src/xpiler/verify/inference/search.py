"""The search for values under which every access is in bounds and all that can be written is."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import cycle, islice

from xpiler.ir import expr as e
from xpiler.ir.program import Function, Program
from xpiler.ir.types import BOOL, Scalar
from xpiler.verify.inference import candidates as c
from xpiler.verify.inference.demands import demands, met
from xpiler.verify.inference.entries import integer_rows, scalars
from xpiler.verify.inference.flags import choices
from xpiler.verify.inference.footprint import Footprint, Shape, probe
from xpiler.verify.inference.machine import STEP_BUDGET
from xpiler.verify.inference.solve import fitting
from xpiler.verify.inference.unknown import Tired
from xpiler.verify.inference.values import Interval, Region
from xpiler.verify.inference.walked import Unfit, Walk
from xpiler.verify.spec import Spec, evaluate, size_value

MAX_COST = 1 << 27  # statements that a case may execute on the emulator
GOOD_COST = 1 << 22  # statements that run in no time
WALKED_TURNS = 20_000  # of loops that are run to see what is touched
LIGHT_COST = GOOD_COST >> 2
TOTAL_STEPS = 60_000  # statements that all probes of one entry may interpret, ...
LEAST_STEPS = 2_000  # and what each may in any case
EXACT_STEPS = 40_000  # statements for probes that interpret loops turn by turn
FREE_GRID = 3  # blocks of a lone kernel whose grid nothing decides
MOST_BLOCKS = 1 << 19  # in one dimension, that are searched for
MAX_BYTES = 1 << 26  # memory that a case may take
SECOND_SIZES = (
    [64, 32, 16, 8],
    [16, 8, 4, 2],
    [7, 5, 3, 2],
    [32] * 4,
    [128, 64, 16],
    [256, 128, 64],
    [16] * 4,
)
SMALL = (3, 5, 7, 4, 6, 9)
MIXED = (5, 17, 21, 6, 7, 9)  # sizes of which some are longer than a register
ROUND = (16, 32, 48)
EVEN = (64, 32, 96, 48, 80, 112)
EARLY, LATE = (2, 3, 4, 5, 6, 7, 8, 9, 12, 16), (1, 1, 2, 2, 3, 4, 5, 8)
DRAWS, ENOUGH = 500, 12
MOST_CHOICES = 6  # constants tried of those that a parameter is compared with
Score = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """A choice of scalars, data ranges and (for a lone kernel) launch shape, with its footprint.

    `few`: only the first of what indices could reach is looked at.
    """

    values: Mapping[str, int | float]
    data: Mapping[str, Interval]
    shape: Shape | None
    seen: Footprint
    few: bool = False

    def score(self) -> Score:
        """Lower is better: legality, then coverage, then size."""
        f = self.seen
        blocked = 0.0 if f.legal() and not f.empty() and f.writes() else 5.0
        heavy = self.heaviness
        return (round(f.violations() + blocked, 3), round(f.uncovered(self.few), 3) + heavy)

    @property
    def heaviness(self) -> float:
        """By how many doublings the cost or the memory passes what a case may take; 0: it fits."""
        regions = self.seen.regions.values()
        memory = sum(max(r.size or 0, r.touched.hi if r.touched else 0) for r in regions)
        cost = math.log2(max(1, self.seen.cost) / MAX_COST)
        return max(0.0, cost, math.log2(max(1, memory) / MAX_BYTES))

    @property
    def perfect(self) -> bool:
        return self.score() <= (0.0, 0.0)

    @property
    def idles(self) -> bool:
        """Whether nothing is launched or written: the program may refuse such arguments."""
        return self.seen.empty() or not self.seen.writes()

    @property
    def bounded(self) -> bool:
        """Whether all that is touched lies in known spans that begin where buffers do."""
        spans = [r.touched for r in self.seen.regions.values() if r.touched is not None]
        return not self.seen.failed and all(t.bounded and t.lo >= 0 for t in spans)

    def reach(self) -> float:
        """Bytes that are touched, of all regions together; 0 where that is not known."""
        total = sum(r.touched.hi for r in self.seen.regions.values() if r.touched is not None)
        return total if math.isfinite(total) else 0.0


@dataclass
class Searcher:
    """Search for one entry; `fixed` holds what options or the sidecar gave.

    `exact`: loops are interpreted turn by turn, since hulls of whole loops do not bound something.
    `few`: trials look at the first element that indices could reach. `spare`: further trials as
    good as the best, where sizes had to be drawn. `whole`: the integers in buffers, by their names.
    `amounts`: scalars to shift by or to clamp to, which are no sizes; they may as well be
    `other_amounts`.
    """

    program: Program
    entry: Function
    spec: Spec
    kernel: bool
    remaining: int = TOTAL_STEPS
    exact: bool = False
    few: bool = False
    shared: e.Expr | None = None
    free_launch: bool = False
    spare: list[Trial] = field(default_factory=list)
    known: dict[object, Trial] = field(default_factory=dict)
    amounts: dict[str, int] = field(default_factory=dict)
    other_amounts: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.fixed = {
            p.name: self.spec.arg(p.name).values[0]
            for p in scalars(self.program, self.entry)
            if self.spec.arg(p.name).values
        }
        self.sizes = [
            p.name
            for p in scalars(self.program, self.entry)
            if c.is_integer(p.type) and p.name not in self.fixed
        ]
        self.whole = integer_rows(self.program, self.entry)
        self.literals = c.literals(self.program)[:24]
        told = {n: choices(self.program, self.entry, n) for n in self.sizes}
        self.choices = {n: known for n, known in told.items() if known}
        self.asked = [] if self.kernel else demands(self.program, self.entry, self.sizes)

    def defaults(self, sizes: Sequence[int]) -> dict[str, int | float]:
        """Values for all scalars: `sizes` for the free integers in order."""
        out: dict[str, int | float] = {}
        floats = cycle(c.FLOATS)
        for p in scalars(self.program, self.entry):
            if p.type == BOOL:
                out[p.name] = 1
            elif isinstance(p.type, Scalar) and p.type.is_float:
                out[p.name] = next(floats)
        out |= dict(zip(self.sizes, sizes, strict=True))
        return {**out, **self.amounts, **self.fixed}

    def trial(
        self, values: Mapping[str, int | float], data: Mapping[str, Interval], shape: Shape | None
    ) -> Trial:
        values = met(self.asked, values) if self.asked else values
        data = {**data, **self.given_ranges(values)}
        key = (frozenset(values.items()), frozenset(data.items()), shape, self.exact)
        if key in self.known:
            return replace(self.known[key], values=values, few=self.few)
        shared = self.shared_bytes(values, shape)
        budget = min(STEP_BUDGET, max(self.remaining, LEAST_STEPS))
        seen = probe(self.program, self.entry, values, data, shape, shared, budget, self.exact)
        self.remaining -= seen.steps
        self._sharpen(seen, values)
        found = Trial(values, data, shape, seen, self.few)
        if not seen.failed:  # what it costs is paid only once
            self.known[key] = found
        return found

    @cached_property
    def walk(self) -> Walk | None:
        """The function as code that runs for its addresses, if it is of that kind."""
        if self.kernel or self.program.kernels():
            return None
        try:
            return Walk(self.program, self.entry)
        except Unfit:
            return None

    def _sharpen(self, seen: Footprint, values: Mapping[str, int | float]) -> None:
        """Replace what is touched by what a run shows, where no value in memory decides on it."""
        try:
            found = self.walk.reach(values, WALKED_TURNS) if self.walk is not None else None
        except Tired:
            return
        if found is None or self.walk is None or seen.failed:
            return
        for name in self.walk.buffers:
            if name in seen.regions:
                seen.regions[name].shown(found.reads.get(name), found.writes.get(name))

    def given_ranges(self, values: Mapping[str, int | float]) -> dict[str, Interval]:
        """The values of integer buffers that the spec says, at these sizes."""
        out = {}
        for name in self.whole:
            if (bounds := self.spec.arg(name).range) is not None:
                low, high = (
                    int(b) if isinstance(b, float) else size_value(b, values) for b in bounds
                )
                out[name] = Interval(low, high)
        return out

    def shared_bytes(self, values: Mapping[str, int | float], shape: Shape | None) -> int:
        """The dynamic shared memory of a lone kernel: given, or `shared`."""
        given = self.spec.launch.shared_bytes
        if shape is None:
            return 0
        if given is not None:
            return size_value(given, values)
        return evaluate(self.shared, values) if self.shared is not None else 0

    # -- scalars -----------------------------------------------------------------------------
    def best(self, data: Mapping[str, Interval], shape: Shape | None = None) -> Trial:
        """The best values of the free integers found within a bounded number of probes."""
        count = len(self.sizes)
        even = tuple(islice(cycle(EVEN), count))  # equal sizes would hide which is which
        starts = [c.odd_sizes(count), even, (64,) * count, (16,) * count]
        trials = [
            self.trial(self.defaults(s), data, shape) for s in starts[: 4 if self.sizes else 1]
        ]
        if trials[0].perfect or not self.sizes:
            return self._lighter(trials[0])
        if all(t.idles for t in trials):
            found = self._chosen(starts, data, shape)
            light = any(t.score()[0] == 0 and t.seen.cost <= GOOD_COST for t in found)
            drawn = [] if light or self.kernel else self._drawn(trials[0])
            trials += [*drawn, *found]
        if self._guarded_wrongly(trials[0]):
            return self._lighter(trials[0])  # the emulator will say where
        if (solved := fitting(self, trials[0], trials[1])) is not None:
            trials.append(solved)
        best = min(trials, key=Trial.score)
        if not best.perfect:
            best = self._descend(best, data, shape)
        if best.perfect:
            best = self._widest(best)
        # Intervals may see accesses that cannot be: then plain sizes are the better guess.
        running = [t for t in trials if not t.seen.empty()] or trials
        return self._lighter(running[0] if best.score()[0] > 0 else best)

    def _chosen(
        self, starts: Sequence[Sequence[int]], data: Mapping[str, Interval], shape: Shape | None
    ) -> list[Trial]:
        """The trials that do something, of those with constants that sizes are told apart by."""
        found = []
        for k in range(min(MOST_CHOICES, max(map(len, self.choices.values()), default=0))):
            told = {n: known[k % len(known)] for n, known in self.choices.items()}
            found += [self.trial({**self.defaults(s), **told}, data, shape) for s in starts]
        return [t for t in found if not t.idles]

    def _drawn(self, first: Trial) -> list[Trial]:
        """The best of small sizes drawn by lot, where host code sends all usual ones away.

        It may ask that one divides another, or that a window fits in its image: such sizes come
        late in a list of parameters and are small.
        """
        lot = random.Random(len(self.sizes))
        late = len(self.sizes) // 2
        found: list[Trial] = []
        for _ in range(DRAWS):
            sizes = [lot.choice(LATE if k >= late else EARLY) for k in range(len(self.sizes))]
            told = {n: lot.choice(known) for n, known in self.choices.items()}
            t = self.trial({**self.defaults(sizes), **told}, first.data, first.shape)
            if not t.idles and t.score()[0] == 0:
                found.append(t)
            if len(found) == ENOUGH:
                break
        found.sort(key=lambda t: (t.score(), self._ones(t)))
        self.spare = found[1:]
        return found[:1]

    def _unlike(self, first: Trial, t: Trial) -> int:
        return sum(t.values[n] != first.values[n] for n in self.sizes)

    def _ones(self, t: Trial) -> int:
        """How many sizes are 1, which hides dimensions."""
        return sum(t.values[n] == 1 for n in self.sizes)

    def bounded(self, data: Mapping[str, Interval]) -> Trial:
        """The best trial for a function; the extents of its buffers are known where possible."""
        best = self.best(data)
        if best.bounded or self.kernel:
            return best
        self.exact, self.remaining = True, EXACT_STEPS
        for start in (MIXED, SMALL, ROUND):
            sizes = islice(cycle(start), len(self.sizes))
            t = self.trial(self.defaults(tuple(sizes)), data, None)
            if t.bounded and t.score() <= best.score():
                return t
        self.exact = False
        return best

    def _guarded_wrongly(self, t: Trial) -> bool:
        """Whether some access passes its buffer's end by the same bytes whatever the sizes are.

        A guard that follows the sizes but lets too much through is a fault of the program; a
        missing guard overshoots by the rest of a block, which other sizes make vanish. The sizes
        grow by different steps: their difference is a size, too.
        """
        bumped = {**t.values, **{n: t.values[n] + 1 + k for k, n in enumerate(self.sizes)}}
        other = self.trial(bumped, t.data, t.shape)
        past, again = overshoots(t.seen.regions), overshoots(other.seen.regions)
        return any(n > 0 and again.get(name) == n for name, n in past.items())

    def _lighter(self, t: Trial) -> Trial:
        return self.lighter(t, lambda values: self.trial(values, t.data, t.shape))

    def lighter(self, t: Trial, make: Callable[[Mapping[str, int | float]], Trial]) -> Trial:
        """As good a trial that runs in no time: every size small, then grown while time allows.

        The last sizes grow first: they are the inner ones, where loops and tails are.
        """
        if t.seen.cost <= GOOD_COST or not self.sizes:
            return t
        for step in (1, 16):  # odd sizes, else multiples that the program may ask for
            small = {
                n: SMALL[k % len(SMALL)] if step == 1 else step for k, n in enumerate(self.sizes)
            }
            best = make({**t.values, **small})
            if best.seen.faults() != t.seen.faults() or best.perfect < t.perfect:
                continue
            for name in reversed(self.sizes):
                best = self._grown(best, name, int(t.values[name]), step, make)
            return best if best.seen.cost < t.seen.cost else t
        return t

    def _grown(
        self,
        t: Trial,
        name: str,
        most: int,
        step: int,
        make: Callable[[Mapping[str, int | float]], Trial],
    ) -> Trial:
        for divisor in (1, 2, 4, 8, 16):
            size = _shrunk(most, divisor, step)
            if size <= t.values[name]:
                break
            other = make({**t.values, name: size})
            alike = other.seen.faults() == t.seen.faults() and other.perfect >= t.perfect
            if alike and other.seen.cost <= GOOD_COST:
                return other
        return t

    def _descend(self, start: Trial, data: Mapping[str, Interval], shape: Shape | None) -> Trial:
        best = start
        for _ in range(2):
            before = best.score()
            for name in self.sizes:
                for value in self._values_for(best):
                    other = self.trial({**best.values, name: value}, data, shape)
                    if other.score() < best.score():
                        best = other
                    if best.perfect:
                        return best
            if best.score() == before:
                break
        return best

    def _widest(self, t: Trial) -> Trial:
        """As good a trial that reaches more, where constants of the text bound what is reached.

        A kernel made for 1000 elements, say, is legal for less as long as its last block is full.
        """
        for literal in self.literals:
            if factors := _factors(literal, len(self.sizes)):
                values = {**t.values, **dict(zip(self.sizes, factors, strict=True))}
                other = self.trial(values, t.data, t.shape)
                if other.perfect and other.seen.cost <= GOOD_COST and other.reach() > t.reach():
                    t = other
        return t

    def _values_for(self, t: Trial) -> list[int]:
        hulls = [
            int(r.touched.hi) // 4
            for r in t.seen.regions.values()
            if r.touched is not None and r.touched.bounded and r.touched.hi >= 4
        ]
        return c.distinct([*self.literals, *hulls, *c.ROUND])[:40]

    def another(self, first: Trial) -> Trial | None:
        """A second set of sizes as good as `first`, or None when the sizes are not free.

        First such as give every loop several turns, also those over tiles; at last such as change
        one size only, where constants of the text fix the others.
        """
        if self.spare:
            return max(self.spare, key=lambda t: self._unlike(first, t) - self._ones(t))
        rising = () if self.exact else c.RISING.get(len(self.sizes), ())
        further = (SMALL[::-1], ROUND) if self.exact else self._second_sizes()
        lists = [self._wanted(first, sizes) for sizes in (*rising, *further)]
        single = (
            {**first.values, name: size}
            for name in self.sizes
            for size in (3 * int(first.values[name]), 2 * int(first.values[name]), 48, 64, 33, 7)
            if not self.exact
        )
        for number, values in enumerate((*lists, *single)):
            if values == first.values:
                continue
            other = self.trial(values, first.data, first.shape)
            limit = LIGHT_COST if number < len(rising) else GOOD_COST
            if other.score() <= first.score() and other.seen.cost <= limit:
                return other
        return None

    def _wanted(self, first: Trial, sizes: Sequence[int]) -> dict[str, int | float]:
        wanted = islice(cycle(sizes), len(self.sizes))
        return {**first.values, **dict(zip(self.sizes, wanted, strict=True))}

    def _second_sizes(self) -> tuple[Sequence[int], ...]:
        return (
            [64, 32, 16, 8, 4],
            [128, 64, 32, 16],
            [7, 5, 3, 2],
            [32] * 9,
            [256, 128, 64],
        )


def _shrunk(size: int, divisor: int, step: int) -> int:
    """About a `divisor`-th of `size`: an odd number, or a multiple of `step`."""
    small = max(3, size // divisor)
    return small | 1 if step == 1 else max(step, small // step * step)


def _factors(product: int, count: int) -> tuple[int, ...]:
    """One or two sizes, as near to each other as may be, with this product; else nothing."""
    if count == 1:
        return (product,)
    if count != 2:
        return ()
    small = next(d for d in range(math.isqrt(product), 0, -1) if product % d == 0)
    return (small, product // small)


def overshoots(regions: Mapping[str, Region]) -> dict[str, float]:
    """Bytes by which accesses pass the end of each region of known size."""
    spans = {n: (r.size, r.touched) for n, r in regions.items()}
    return {n: t.hi - size for n, (size, t) in spans.items() if size is not None and t is not None}
