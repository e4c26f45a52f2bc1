"""The values of integers in buffers under which a program runs: indices, amounts to shift by."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from xpiler.verify.inference import candidates as c
from xpiler.verify.inference.flags import limits
from xpiler.verify.inference.footprint import Shape
from xpiler.verify.inference.search import Searcher, Trial
from xpiler.verify.inference.values import Interval, Region

BEYOND = 3  # values past the end of what a guarded index may be
STARTS = (0, 1, -1, 8, -8, 16, -16, 24, -24, 31)
"""Amounts of which some can be shifted by, as they are or in `31 - s`, `s - 1` and the like."""
ANY_SHAPE = ((2, 1, 1), (32, 1, 1))
AMOUNTS = (3, 7, 12, 20, -3, -7, -12, -20, 1, -1, 0, 5, -5)
USUAL = 100  # integers of any other use lie between this and its negative
HUGE = 1 << 30


def index_arrays(search: Searcher, t: Trial) -> dict[str, bool]:
    """Integers in buffers whose values decide which bytes are touched.

    True for those that decide where something is stored: two equal values would race.
    """
    found: dict[str, bool] = {}
    data = {**some_integers(search, 3), **t.data}

    def regions(name: str, low: int, high: int) -> Mapping[str, Region]:
        span = {**data, name: Interval(low, high)}
        return search.trial(t.values, span, t.shape).seen.regions

    for name in search.whole:
        few, more, signed = (regions(name, *span) for span in ((0, 0), (0, 3), (-3, 3)))
        differ = hulls_of(few) != hulls_of(more) and _places(
            lambda k, name=name: regions(name, k, k)  # type: ignore[misc]
        )
        if differ or _before(few) != _before(signed):
            found[name] = any(few[n].stored != more[n].stored for n in few if n in more)
    return found


def _places(regions: Callable[[int], Mapping[str, Region]]) -> bool:
    """Whether it matters which number a buffer holds, not only whether that is 0."""
    first, *others = (hulls_of(regions(k)) for k in (1, 2, 3))
    return any(other != first for other in others)


def some_integers(search: Searcher, top: int) -> dict[str, Interval]:
    """Small values for all integer buffers: an index that nothing bounds hides all others."""
    return {name: Interval(0, top) for name in search.whole}


# -- shifts ---------------------------------------------------------------------------------------


Shifts = Mapping[tuple[int, int], Interval]


def shift_ranges(search: Searcher, t: Trial) -> dict[str, Interval]:
    """The values of integers in buffers that others are shifted by, as it is defined."""
    if not misshifted(t.seen.shifts):
        return {}
    unknown = {name: kind for name, kind in search.whole.items() if name not in t.data}
    spans = {n: _shifting(search, t, n, kind.name[0] == "u") for n, kind in unknown.items()}
    return {name: span for name, span in spans.items() if span is not None}


def _shifting(search: Searcher, t: Trial, name: str, unsigned: bool) -> Interval | None:
    """The values of a buffer to shift by; None: nothing is, or any value will do."""

    def shifts(low: int, high: int) -> Shifts:
        return search.trial(t.values, {**t.data, name: Interval(low, high)}, t.shape).seen.shifts

    def within(low: int, high: int) -> bool:
        return misshifted(shifts(low, high)) <= usual

    zero, anything = shifts(0, 0), misshifted(t.seen.shifts)
    if zero == t.seen.shifts:
        return None
    low, high = _by_one(zero, shifts(1, 1))
    low, usual = max(low, 0) if unsigned else low, misshifted(zero)
    if low <= high and (wrong := misshifted(shifts(low, high))) <= usual and wrong < anything:
        return Interval(low, high)
    start, usual = 0, anything
    for k in STARTS if not unsigned else [k for k in STARTS if k >= 0]:
        if len(wrong := misshifted(shifts(k, k))) < len(usual):
            start, usual = k, wrong
    if anything <= usual:
        return None
    down = 0 if unsigned else _upto(lambda h: within(start - h, start), USUAL + start)
    return Interval(start - down, start + _upto(lambda h: within(start, start + h), USUAL - start))


def _by_one(zero: Shifts, one: Shifts) -> tuple[int, int]:
    """The values by which all can be shifted that follow one of them, or its negative, by one."""
    low, high = None, None
    for (at, bits), by in zero.items():
        step = one[at, bits].lo - by.lo if by.single and (at, bits) in one else 0
        if step:
            ends = (-by.lo, bits - 1 - by.lo) if step > 0 else (by.lo - bits + 1, by.lo)
            low = int(ends[0]) if low is None else max(low, int(ends[0]))
            high = int(ends[1]) if high is None else min(high, int(ends[1]))
    return (-USUAL if low is None else low), (USUAL if high is None else high)


def misshifted(shifts: Shifts) -> frozenset[object]:
    """The shifts, of those noted, that may not be defined: by less than 0, by all bits or more."""
    return frozenset((at, bits) for (at, bits), by in shifts.items() if by.lo < 0 or by.hi >= bits)


def take_values(search: Searcher) -> None:
    """Let scalars be no sizes that are shifted by, or that results are clamped to."""
    shape = ANY_SHAPE if search.kernel else None
    _take_amounts(search, shape)
    _take_limits(search, shape)


def _take_limits(search: Searcher, shape: Shape | None) -> None:
    """Let scalars that results are clamped to have room between them.

    They are no sizes if neither memory nor work depends on them, nor what is shifted by.
    """
    told = {n: limits(search.program, search.entry, n) for n in search.sizes}
    values = search.defaults(c.odd_sizes(len(search.sizes)))

    def seen(more: Mapping[str, int]) -> object:
        seen = search.trial({**values, **more}, {}, shape).seen
        wrong = misshifted(seen.shifts)
        return None if seen.failed else (hulls_of(seen.regions), seen.cost, wrong)

    usual = seen({}) if any(told.values()) else None
    for name, sides in told.items() if usual is not None else ():
        if len(sides) == 1 and all(seen({name: k}) == usual for k in (-USUAL, USUAL)):
            search.amounts[name] = USUAL if "high" in sides else -USUAL
    search.sizes = [name for name in search.sizes if name not in search.amounts]


def _take_amounts(search: Searcher, shape: Shape | None) -> None:
    """Let scalars that are shifted by be no sizes, where usual or larger sizes are no amounts."""

    def shifts(amounts: Mapping[str, int]) -> dict[tuple[int, int], Interval]:
        values = {**search.defaults(c.odd_sizes(len(search.sizes))), **amounts}
        seen = search.trial(values, {}, shape).seen
        return {at: by for at, by in seen.shifts.items() if by.bounded}

    def wrong(amounts: Mapping[str, int]) -> int:
        known = shifts(amounts)
        return len(misshifted(known)) + len(sites - known.keys())

    first = shifts({})
    sites, left = first.keys(), len(misshifted(first))
    for name in reversed(search.sizes if left else ()):
        counts = {k: wrong({**search.amounts, name: k}) for k in AMOUNTS}
        good = [k for k in AMOUNTS if counts[k] == min(counts.values())]
        if left and counts[good[0]] < left:
            search.amounts[name], left = good[0], counts[good[0]]
            search.other_amounts[name] = good[-1]
    for name in reversed(search.sizes if sites else ()):
        if name not in search.amounts and wrong({**search.amounts, name: USUAL}) > left:
            good = [k for k in AMOUNTS if wrong({**search.amounts, name: k}) <= left]
            if good:
                search.amounts[name], search.other_amounts[name] = good[0], good[-1]
    search.sizes = [name for name in search.sizes if name not in search.amounts]


# -- indices --------------------------------------------------------------------------------------


def index_range(search: Searcher, t: Trial, name: str) -> Interval:
    """The widest [0, h] of an index array under which nothing leaves its buffer.

    Where the program itself passes over what is too large, some of that too; the same below 0.
    """
    if (top := _guarded(search, t, name)) is not None:
        return top

    def upto(h: int) -> Trial:
        return search.trial(t.values, {**t.data, name: Interval(0, h)}, t.shape)

    def good(h: int) -> bool:
        return upto(h).score()[0] <= base

    first = upto(0)
    base, filled = first.score()[0], _room(first)

    def within(h: int) -> bool:
        """Nothing beyond what is filled anyway of arrays that need not be filled."""
        return _room(upto(h)) == filled

    if within(1) and not within(HUGE):
        return Interval(0, _last(within))
    if good(HUGE):
        small = [int(x) for k, x in t.values.items() if k in search.sizes]
        return Interval(0, max(1, min(small, default=16) - 1))
    return Interval(0, _last(good))


def _guarded(search: Searcher, t: Trial, name: str) -> Interval | None:
    """A little more than the values that the program lets through; None: it takes any."""

    def hulls(low: int, high: int) -> object:
        seen = search.trial(t.values, {**t.data, name: Interval(low, high)}, t.shape).seen
        spans = [r.touched for r in seen.regions.values() if r.touched is not None]
        known = not seen.failed and all(x.bounded and x.lo >= 0 for x in spans)
        return hulls_of(seen.regions) if known else None

    limit = hulls(0, HUGE)
    if limit is None or hulls(0, HUGE >> 1) != limit or hulls(0, 1) == limit:
        return None
    top = _last(lambda h: hulls(0, h) != limit) + 1
    return Interval(-BEYOND if hulls(-BEYOND, HUGE) == limit else 0, top + BEYOND)


def _upto(good: Callable[[int], bool], most: int) -> int:
    """The largest number up to `most` for which `good` holds."""
    return most if most <= 0 or good(most) else _last(good)


def _last(good: Callable[[int], bool]) -> int:
    """The largest number for which `good` holds, where it holds up to some number only."""
    low, high = 0, 1
    while good(high):
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if good(middle) else (low, middle)
    return low


def _before(regions: Mapping[str, Region]) -> set[str]:
    """Regions that are touched before their begin."""
    return {n for n, r in regions.items() if r.touched is not None and r.touched.lo < 0}


def _room(t: Trial) -> dict[str, Interval | None]:
    return {n: r.touched for n, r in t.seen.regions.items() if r.room}


def hulls_of(
    regions: Mapping[str, Region],
) -> dict[str, tuple[Interval | None, ...]]:
    """What is touched; by kernels alone, too, since a copy or `memset` touches everything."""
    return {n: (r.read, r.written, r.device) for n, r in regions.items()}
