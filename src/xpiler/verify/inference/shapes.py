"""Launch shapes of kernels that nothing launches: the block they are made for, their grid."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from xpiler.verify.inference import candidates as c
from xpiler.verify.inference import tasks
from xpiler.verify.inference.blocks import block_candidates
from xpiler.verify.inference.ranges import hulls_of
from xpiler.verify.inference.search import FREE_GRID, MOST_BLOCKS, Score, Searcher
from xpiler.verify.inference.values import Interval


@dataclass
class ShapeSearch:
    """Block and grid of a kernel that nothing launches."""

    searcher: Searcher

    def block(
        self, values: Mapping[str, int | float], data: Mapping[str, Interval]
    ) -> tuple[int, int, int]:
        """The block that uses shared arrays exactly, preferring the author's constants."""
        s = self.searcher
        if tasks.in_tasks(s.program):
            return tasks.group(s.program, s.entry)
        best: tuple[int, int, int] = (256, 1, 1)
        best_score: Score = (math.inf, math.inf)
        for block in block_candidates(s.program, s.entry):
            score = s.trial(values, data, ((1, 1, 1), block)).score()
            if score < best_score:
                best, best_score = block, score
            if best_score <= (0.0, 0.0):
                break
        return best

    def grid(
        self,
        values: Mapping[str, int | float],
        data: Mapping[str, Interval],
        block: tuple[int, int, int],
    ) -> tuple[int | None, ...]:
        """The smallest grid that reaches everything guards let it reach; None: no guard says.

        The last dimension comes first: which of several buffers a block works on, say.
        """
        s = self.searcher
        if tasks.in_tasks(s.program) and tasks.counts_tasks(s.program, s.entry):
            return (1, 1, 1)
        out: list[int | None] = [1, 1, 1]
        used: str | set[str] = c.axes_used(s.program, s.entry, "block")
        if tasks.in_tasks(s.program):
            used = {d for level, d in tasks.axes_asked(s.program, s.entry) if level == "block"}
        for i in (2, 1, 0):
            if "xyz"[i] not in used:
                continue

            def hull(n: int, i: int = i) -> object:
                x, y, z = (
                    n if k == i else FREE_GRID if m is None else m for k, m in enumerate(out)
                )
                return hulls_of(s.trial(values, data, ((x, y, z), block)).seen.regions)

            out[i] = _saturation(hull)
        return tuple(out)


def _saturation(hull: object) -> int | None:
    """The smallest n with hull(n) == hull(huge), or None when it keeps growing."""
    assert callable(hull)
    limit = hull(2 * MOST_BLOCKS)
    if hull(MOST_BLOCKS) != limit:
        return None
    low, high = 0, 1
    while hull(high) != limit:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if hull(middle) == limit else (middle, high)
    return high
