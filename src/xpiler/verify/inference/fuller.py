"""Sizes that show more than those that intervals prove: every thread at work, no dimension of 1."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from xpiler.ir.program import Function, Program
from xpiler.verify.inference import candidates as c
from xpiler.verify.inference.footprint import Footprint, probe
from xpiler.verify.inference.search import GOOD_COST, SMALL, Searcher, Trial

MOST_CASES = 2
Sizes = Mapping[str, int | float]


def fuller(
    search: Searcher, trials: Sequence[Trial], make: Callable[[Sizes], Trial]
) -> list[Trial]:
    """Trials with what all of `trials` leave out: idle threads at work, sizes other than 1.

    The interval analysis may see faults in them that cannot be: whether the program is made for
    such sizes is for a run of it to say.
    """

    def lack(t: Trial) -> frozenset[object]:
        return t.seen.idle | {name for name in search.sizes if t.values[name] == 1}

    return _chosen(search, trials, make, lack, _threads(trials[0].seen))


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
        if _runs(t) and (left := open_ & lack(t)) < open_:
            open_ = left
            found.append(t)
    return found


def _runs(t: Trial) -> bool:
    f = t.seen
    sane = not f.failed and f.legal() and not f.empty() and f.writes()
    return sane and f.cost <= GOOD_COST and not t.heaviness


def _wanted(search: Searcher, first: Trial, threads: int) -> Iterator[Sizes]:
    """Sizes to try: one after the other larger than a block but no multiple of it, then odd ones.

    Four times as much is for those who take four elements at a time.
    """
    odd = dict(zip(search.sizes, c.odd_sizes(len(search.sizes)), strict=True))
    small = {n: SMALL[k % len(SMALL)] for k, n in enumerate(search.sizes)}
    large = threads + threads // 2 + 1
    for size in (large, 4 * large):
        for name in reversed(search.sizes):
            yield {**first.values, **small, name: size}
    yield {**first.values, **odd}
    for size in (large, 4 * large):
        for name in reversed(search.sizes):
            yield {**first.values, name: size}
