"""Tables before they are drawn: the bench a direction, its failures, the steps of a trace."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from xpiler.diagnostics import lookup
from xpiler.trace import Trace

DIRECTION_COLUMNS = (
    "kernels", "parsed", "translated", "compiled", "verified", "refused", "unverified",
    "unsound_source", "wrong", "median_s", "p95_s",
)  # fmt: skip
_HEADS = {"unsound_source": "unsound", "median_s": "median s", "p95_s": "p95 s"}


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text; `right` counts the columns from the right that hold numbers."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: int = 0

    def widths(self) -> list[int]:
        """Characters that each column needs."""
        return [max(map(len, column)) for column in zip(self.heads, *self.rows, strict=True)]

    def is_right(self, column: int) -> bool:
        return column >= len(self.heads) - self.right


def direction_table(summary: Mapping[str, Any]) -> Table:
    """A row for each direction of `xpiler.bench.summary`."""
    heads = ("direction", *(_HEADS.get(c, c) for c in DIRECTION_COLUMNS))
    rows = tuple(
        (name.replace("-", " -> "), *(_number(row.get(c, 0)) for c in DIRECTION_COLUMNS))
        for name, row in summary["directions"].items()
    )
    return Table("Directions", heads, rows, len(DIRECTION_COLUMNS))


def failure_table(summary: Mapping[str, Any]) -> Table:
    """Why kernels failed, most frequent first: count, code, what the code means."""
    counts: Counter[str] = Counter()
    for row in summary["directions"].values():
        counts.update(row.get("failures", {}))
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    rows = tuple((code, title_of(code), str(n)) for code, n in ordered)
    return Table("Failures", ("code", "meaning", "kernels"), rows, 1)


def step_table(trace: Trace) -> Table:
    """The steps of a translation with their time and the outcome of their checks."""
    rows = tuple(
        (
            s.name,
            s.proposer,
            "yes" if s.changed else "",
            "; ".join(f"{k}: {v}" for k, v in s.checks.items()),
            f"{1000 * s.seconds:.1f}",
        )
        for s in trace.steps
    )
    return Table("Steps", ("step", "by", "changed", "checks", "ms"), rows, 1)


def title_of(code: str) -> str:
    """What a diagnostic's code means, in a few words; empty for an unknown one."""
    entry = lookup(code)
    return entry.title if entry else ""


def _number(value: float) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)
