"""Sizes that show more than those that intervals prove: every thread at work, no dimension of 1."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from xpiler.verify.inference import candidates as c
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
    lack = _lack(search, trials[0]).intersection(*(_lack(search, t) for t in trials[1:]))
    found: list[Trial] = []
    for values in _wanted(search, trials[0]):
        if not lack or len(found) == MOST_CASES:
            break
        t = make(values)
        if lack - _lack(search, t) and _runs(t):
            lack &= _lack(search, t)
            found.append(t)
    return found


def _lack(search: Searcher, t: Trial) -> frozenset[object]:
    return t.seen.idle | {name for name in search.sizes if t.values[name] == 1}


def _runs(t: Trial) -> bool:
    f = t.seen
    sane = not f.failed and f.legal() and not f.empty() and f.writes()
    return sane and f.cost <= GOOD_COST and not t.heaviness


def _wanted(search: Searcher, first: Trial) -> Iterator[Sizes]:
    """Sizes to try: one after the other larger than a block but no multiple of it, then odd ones.

    Four times as much is for those who take four elements at a time.
    """
    odd = dict(zip(search.sizes, c.odd_sizes(len(search.sizes)), strict=True))
    small = {n: SMALL[k % len(SMALL)] for k, n in enumerate(search.sizes)}
    threads = max((math.prod(r.block) for r in first.seen.launches), default=1)
    large = threads + threads // 2 + 1
    for size in (large, 4 * large):
        for name in reversed(search.sizes):
            yield {**first.values, **small, name: size}
    yield {**first.values, **odd}
    for size in (large, 4 * large):
        for name in reversed(search.sizes):
            yield {**first.values, name: size}
