"""Sizes that show more than those that intervals prove: every thread at work, no dimension of 1."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import cycle, islice

from xpiler.ir import expr as e
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import walk
from xpiler.verify.inference import candidates as c
from xpiler.verify.inference.entries import scalars
from xpiler.verify.inference.footprint import Footprint, probe
from xpiler.verify.inference.search import GOOD_COST, Searcher, Trial

MOST_CASES = 3
SMALL = (3, 5, 7, 6, 11, 10)  # no half of them is a multiple of 4
FALLING = (11, 10, 7, 3, 2, 1)
RAGGED, RAGGED_REST = (347, 219, 91), (11, 5, 3)
"""Of blocks and tiles of any power of two these leave a part that is neither small nor round."""
RAGGED_ALONE = 731
BYTE = 255
FEW = 16  # below the size of any block
LEAST_LARGE = 13
Sizes = Mapping[str, int | float]


def fuller(
    search: Searcher, trials: Sequence[Trial], make: Callable[[Sizes], Trial]
) -> list[Trial]:
    """Trials with what all of `trials` leave out: idle threads at work, sizes other than 1.

    A size may be one that the program computes: of 1, product and quotient are the same.
    Where the program divides by a small constant, also sizes whose half has a tail: of 17 and 16 it
    is 8, and a loop over it that forgets its tail is right; and sizes that leave vectors a tail of
    one to three, which is lost where a bound is rounded down to a multiple of 4; computed ends of
    loops and guards are such sizes, too. Where no odd sizes were proved sound, odd ones and falling
    ones (a window smaller than its image). The interval analysis may see faults in them that cannot
    be: whether the program is made for such sizes is for a run of it to say.
    """
    halved = _halves(search)
    count = len(search.sizes)
    guesses = (
        {FALLING[:count], c.odd_sizes(count)} if count in range(2, len(FALLING) + 1) else set()
    )
    if not guesses.isdisjoint({tuple(t.values[n] for n in search.sizes) for t in trials}):
        guesses = set()

    def lack(t: Trial) -> frozenset[object]:
        ones = {name for name in search.sizes if t.values[name] == 1}
        even = {(name, 2) for name in search.sizes if halved and int(t.values[name]) // 2 % 4 == 0}
        whole = {(n, c.VECTOR) for n in search.sizes if not c.has_short_tail(int(t.values[n]))}
        sizes = tuple(t.values[n] for n in search.sizes)
        return t.seen.idle | t.seen.plain | ones | even | whole | (guesses - {sizes})

    found = _chosen(search, trials, make, lack, _threads(trials[0].seen))
    found += _beside(search, trials[0], make)
    return found + _uneven(search, [*trials, *found], make)


def _uneven(
    search: Searcher, trials: Sequence[Trial], make: Callable[[Sizes], Trial]
) -> list[Trial]:
    """Sizes of which large parts of blocks and tiles are left over, and such below all blocks.

    The last one is the large one, then each that was never more than a byte holds: a type that is
    too narrow does not show below. A guard that lets idle threads work reaches out of bounds with
    fewer elements than threads only.
    """
    names = search.sizes
    found: list[Trial] = []
    for name in reversed(names[: len(SMALL)]):
        known = [*trials, *found]
        if name != names[-1] and any(int(t.values[name]) > BYTE for t in known):
            continue
        made = (make({**trials[0].values, **sizes}) for sizes in _ragged(names, name))
        found += [t for t in islice(filter(runs, made), 1) if len(found) < MOST_CASES]
    if names and not any(all(int(t.values[n]) < FEW for n in names) for t in trials):
        small = make({**trials[0].values, **dict(zip(names, SMALL, strict=False))})
        found += [small] if runs(small) else []
    return found


def _ragged(names: Sequence[str], large: str) -> Iterator[Sizes]:
    """Sizes of which the one of `large` is large, or less so where that takes too long."""
    if len(names) == 1:
        yield {large: RAGGED_ALONE}
        return
    rest = list(islice(cycle(RAGGED_REST), len(names) - 1))[::-1]
    others = dict(zip([n for n in names if n != large], rest, strict=True))
    yield from ({**others, large: size} for size in RAGGED)


def _beside(search: Searcher, first: Trial, make: Callable[[Sizes], Trial]) -> list[Trial]:
    """Sizes beside given ones: a stride of 2 may never meet what one of 1 does, nor 1 what 2 does.

    One less for all of them, and for the larger half: what is as long as an image without its
    window changes with one of the two only. Two for all that are 1, and for each. Two more for all
    that are not, or one more for some: a loop that is left too early is right for a short window.
    """
    whole = {p.name for p in scalars(search.program, search.entry) if c.is_integer(p.type)}
    given = {n: int(first.values[n]) for n in search.fixed if n in whole}
    middle = sorted(given.values())[len(given) // 2 :][:1]
    ones = [n for n, x in given.items() if x == 1]
    more = [dict.fromkeys(ones, 2), *({n: 2} for n in ones)][:MOST_CASES]
    less = [{n: x - 1 for n, x in given.items() if x > 1 and x >= k} for k in [1, *middle]]
    found: list[Trial] = []

    def add(sizes: Sizes) -> bool:
        t = make({**first.values, **sizes})
        good = runs(t)
        if good and t.values not in [f.values for f in found]:
            found.append(t)
        return good

    for sizes in filter(None, [*more, *less]):
        add(sizes)
    raised = {n: x + 2 for n, x in given.items() if x > 1}
    if raised and not add(raised):
        singly = (add({n: given[n] + 1}) for n in sorted(raised, key=lambda n: given[n]))
        list(islice(filter(None, singly), 2))
    return found


def busier(
    search: Searcher,
    trials: Sequence[Trial],
    make: Callable[[Sizes], Trial],
    target: Program,
    entry: Function,
) -> list[Trial]:
    """Trials in which threads of the translation work that are idle in all of `trials`."""

    first = probe(target, entry, trials[0].values, trials[0].data)

    def lack(t: Trial) -> frozenset[object]:
        seen = probe(target, entry, t.values, t.data)
        return first.idle if seen.failed or seen.cost > GOOD_COST else seen.idle

    return _chosen(search, trials, make, lack, _threads(first)) if first.idle else []


def _halves(search: Searcher) -> bool:
    """Whether the program divides anything by 2, 3 or 4."""
    small = {"/": (2, 3, 4), ">>": (1, 2)}
    return any(
        isinstance(n, e.Binary) and isinstance(n.b, e.Const) and n.b.value in small.get(n.op, ())
        for f in search.program.functions
        for n in walk(f.body)
    )


def _threads(seen: Footprint) -> int:
    return max((math.prod(r.block) for r in seen.launches), default=1)


def _chosen(
    search: Searcher,
    trials: Sequence[Trial],
    make: Callable[[Sizes], Trial],
    lack: Callable[[Trial], frozenset[object]],
    threads: int,
) -> list[Trial]:
    """Trials, cheap ones first, each with something that all before it lack."""
    open_ = lack(trials[0]).intersection(*(lack(t) for t in trials[1:]))
    found: list[Trial] = []
    for values in _wanted(search, trials[0], threads):
        if not open_ or len(found) == MOST_CASES:
            break
        t = make(values)
        if runs(t) and (left := open_ & lack(t)) < open_:
            open_ = left
            found.append(t)
    return found


def runs(t: Trial) -> bool:
    """Whether a trial may become a case: everything in bounds, and cheap."""
    f = t.seen
    sane = not f.failed and f.legal() and not f.empty() and f.writes()
    return sane and f.cost <= GOOD_COST and not t.heaviness


def _wanted(search: Searcher, first: Trial, threads: int) -> Iterator[Sizes]:
    """Sizes to try: one after the other larger than a block but no multiple of it, then odd ones.

    Four times as much is for those who take four elements at a time.
    """
    odd = dict(zip(search.sizes, c.odd_sizes(len(search.sizes)), strict=True))
    small = {n: SMALL[k % len(SMALL)] for k, n in enumerate(search.sizes)}
    large = max(LEAST_LARGE, threads + threads // 2 + 3)
    for several in (len(search.sizes), 3, 2):
        tails = islice(
            cycle(range(c.VECTOR + 1, c.VECTOR * several + 2, c.VECTOR)), len(search.sizes)
        )
        if several <= len(search.sizes):
            yield {**first.values, **dict(zip(search.sizes, tails, strict=True))}
    for size in (large, 4 * large):
        for name in reversed(search.sizes):
            yield {**first.values, **small, name: size}
    yield {**first.values, **odd}
    yield {**first.values, **dict(zip(search.sizes, FALLING, strict=False))}
    for size in (large, 4 * large):
        for name in reversed(search.sizes):
            yield {**first.values, name: size}
