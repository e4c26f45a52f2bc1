"""Find the smallest change of a wrong text that makes it right, by trying."""

from __future__ import annotations

import bisect
import itertools
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from xpiler.frontend.syntax import Tree
from xpiler.repair.clones import Unit, Variant
from xpiler.repair.faults.inject import apart, apply
from xpiler.repair.sketches import Fill, Vocabulary, everything
from xpiler.repair.subject import Question, Subject, by_entry
from xpiler.repair.trials import Outcome, Trials
from xpiler.verify.verdict import Verdict

_BATCHES = (96, 160, 224, 320)
_MOST_FULL = 10  # full verifications of candidates that look right
_AT_ONE_LINE = 2  # of them for changes of the same line
_BY_VERDICT = 24  # full verifications where nothing else tells right from wrong
_PARTIAL = 10  # changes that make a text less wrong, from which the search goes on
_SECOND = 700  # fills that are tried on top of each of them
_HEAD = 60  # so many fills on top of a good start go before the first on top of the next
_OF_ARRAYS = ("extent", "space")  # of fills: what is wrong with an array shows where it is used
_LIKELY = 48  # fills of which all pairs are tried


@dataclass(frozen=True, slots=True)
class Change:
    """Fills that together are one candidate."""

    fills: tuple[Fill, ...]

    @property
    def variant(self) -> Variant:
        return tuple(f.edit for f in self.fills)

    @property
    def cost(self) -> float:
        return sum(f.cost for f in self.fills)


@dataclass(frozen=True, slots=True)
class Way:
    """How a text is seen to be wrong: on which question, with or without checks, what it does."""

    question: Question
    others: Sequence[Question]
    checks: bool
    schedule: int
    outcome: Outcome


@dataclass
class Search:
    """One search; `tried` has every change that was run, `verdict` is the accepted one's.

    `nearly` are changes that looked right and were not, with what the full check said.
    """

    subject: Subject
    tree: Tree
    deadline: float
    hints: frozenset[int] = frozenset()
    tried: list[tuple[Change, Outcome]] = field(default_factory=list)
    full: int = 0
    verdict: Verdict | None = None
    nearly: list[tuple[Change, Verdict]] = field(default_factory=list)

    def __post_init__(self) -> None:
        s = self.subject
        self.trials = Trials(
            Unit(self.tree), s.target.name, filename="translation", sandbox=s.sandbox
        )

    @property
    def late(self) -> bool:
        return time.monotonic() > self.deadline

    def fills(self) -> list[Fill]:
        """All fills, the likeliest first, none twice; those near a hint come before others."""
        best: dict[tuple[int, int, str], Fill] = {}
        s = self.subject
        for f in everything(Vocabulary(s.reading.text, self.tree, s.target.name)):
            key = (f.edit.start, f.edit.end, f.edit.new)
            if self.tree.text[f.edit.start : f.edit.end] == f.edit.new:
                continue
            if key not in best or f.cost < best[key].cost:
                best[key] = f
        return sorted(best.values(), key=lambda f: (self._weighed(f), f.edit.start))

    def _weighed(self, f: Fill) -> float:
        line = self._line(f)
        named = f.edit.kind in _OF_ARRAYS and self._declared(f) & self._hinted_names
        near = named or any(abs(line - h) <= 1 for h in self.hints)
        return f.cost * (0.6 if near else 1.0)

    @property
    def _hinted_names(self) -> set[str]:
        """Names in the lines that the emulator has something to say about."""
        lines = self.tree.text.splitlines()
        said = " ".join(lines[h - 1] for h in self.hints if h <= len(lines))
        return set(re.findall(r"[A-Za-z_]\w*", said))

    def _declared(self, f: Fill) -> set[str]:
        """The arrays that are declared where a fill is made."""
        first = self._starts_of_lines[self._line(f) - 1]
        end = self.tree.text.find("\n", first)
        return set(re.findall(r"(\w+)\[", self.tree.text[first : end if end > 0 else None]))

    @cached_property
    def _starts_of_lines(self) -> list[int]:
        return [0, *(i + 1 for i, c in enumerate(self.tree.text) if c == "\n")]

    def _line(self, f: Fill) -> int:
        return bisect.bisect_right(self._starts_of_lines, f.edit.start)

    def ways(self, strict: bool = False) -> list[Way]:
        """The questions that the text as it is answers wrongly; without checks where that shows.

        `strict`: one wrong element is enough, and none is let pass from now on.
        """
        self.trials.strict = strict
        for checks, schedule in ((False, 0), (True, 0), (True, 1)):
            if found := self._wrong(self.subject.groups, checks, schedule):
                return found
        return self._wrong(by_entry(self.subject.rare), False, 0)

    def _wrong(
        self, groups: Sequence[Sequence[Question]], checks: bool, schedule: int
    ) -> list[Way]:
        found = []
        for group in groups:
            outcomes = self.trials.run(
                [()], group, checks=checks, schedule=schedule, to_the_end=True
            )
            found += [
                Way(q, [x for x in group if x is not q], checks, schedule, o)
                for q, o in zip(group, outcomes, strict=True)
                if not o.passes
            ]
        return found

    def one(self, fills: Sequence[Fill], way: Way) -> Change | None:
        """A single fill that mends the text."""
        return self._first(way, self._where_it_helps(fills, way))

    def _where_it_helps(self, fills: Sequence[Fill], way: Way) -> Iterator[Change]:
        """The fills in order, those at lines where another one made the text less wrong earlier."""
        left = [(self._weighed(f), f.edit.start, n, f) for n, f in enumerate(fills)]
        known: frozenset[int] = frozenset()
        while left:
            helped = frozenset(self._line(c.fills[0]) for c, _ in self._gains(way))
            if helped != known:
                known = helped
                left = sorted(
                    (self._weighed(f) * (0.7 if self._line(f) in helped else 1.0), at, n, f)
                    for _, at, n, f in left
                )
            yield from (Change((f,)) for *_, f in left[: _BATCHES[0]])
            del left[: _BATCHES[0]]

    def _gains(self, way: Way) -> list[tuple[Change, Outcome]]:
        """Single changes that made the text less wrong."""
        return [
            (c, o) for c, o in self.tried
            if len(c.fills) == 1 and o.state == "done"
            and (o.share < 0.99 * way.outcome.share or _fewer(o, way.outcome))
        ]  # fmt: skip

    def two(self, fills: Sequence[Fill], way: Way) -> Change | None:
        """Two fills that mend it together: first on top of what made it less wrong."""
        starts = self._starts(way)
        return self._first(way, self._pairs(fills, starts))

    def _starts(self, way: Way) -> list[Change]:
        """The changes that made the text less wrong, the best first, one for each sort of gain."""
        better = self._gains(way)
        better.sort(key=lambda x: (round(x[1].share, 2), x[1].errors, x[0].cost))
        found: dict[tuple[int, int, int, int], Change] = {}
        for c, o in better:
            line = self._line(c.fills[0])
            found.setdefault((line, o.wrong, round(o.apart), o.errors), c)
        return list(found.values())[:_PARTIAL]

    def _pairs(self, fills: Sequence[Fill], starts: Sequence[Change]) -> Iterator[Change]:
        """Likely fills on top of good starts first, then likely ones on top of one another."""
        text, seconds = self.tree.text, fills[:_SECOND]
        order = sorted(
            ((i + 1) * (j + _HEAD), i, j) for i in range(len(starts)) for j in range(len(seconds))
        )
        for _, i, j in order:
            if apart(starts[i].fills[0].edit, seconds[j].edit, text):
                yield Change((*starts[i].fills, seconds[j]))
        for p in itertools.combinations(fills[:_LIKELY], 2):
            if apart(p[0].edit, p[1].edit, text):
                yield Change(p)

    def _first(self, way: Way, changes: Iterable[Change]) -> Change | None:
        stream = iter(changes)
        for size in itertools.chain(_BATCHES, itertools.repeat(_BATCHES[-1])):
            batch = list(itertools.islice(stream, size))
            if not batch or self.late or self.full >= _MOST_FULL:
                return None
            outcomes = self.trials.run(
                [c.variant for c in batch], [way.question, *way.others], checks=way.checks,
                schedule=way.schedule,
            )  # fmt: skip
            self.tried += zip(batch, outcomes, strict=True)
            passing = [c for c, o in zip(batch, outcomes, strict=True) if o.passes]
            if passing and (found := self._accepted(passing, way)):
                return found
        return None

    def _accepted(self, passing: list[Change], way: Way) -> Change | None:
        """The first of the changes that the full verification accepts."""
        passing.sort(key=lambda c: c.cost)
        for group in self.subject.groups:
            if passing and not (way.checks and len(self.subject.groups) == 1):
                outcomes = self.trials.run([c.variant for c in passing], group, checks=True)
                passing = [c for c, o in zip(passing, outcomes, strict=True) if o.passes]
        for change in passing:
            if self.late or self.full >= _MOST_FULL:
                return None
            lines = [self._line(f) for f in change.fills]
            known = sum(lines == [self._line(f) for f in c.fills] for c, _ in self.nearly)
            if known < _AT_ONE_LINE and self._verified(change):
                return change
        return None

    def _verified(self, change: Change) -> bool:
        """Whether the full verification accepts a change."""
        self.full += 1
        text = apply(change.variant, self.tree.text)
        verdict = self.subject.verdict(text, seed=self.subject.seed + 1)
        if verdict.ok:
            self.verdict = verdict
        else:
            self.nearly.append((change, verdict))
        return verdict.ok

    def by_verdict(self, fills: Sequence[Fill]) -> Change | None:
        """A fill at a line that the full check named, where only that one shows the fault."""
        likely = (Change((f,)) for f in fills if self._line(f) in self.hints)
        for change in itertools.islice(likely, _BY_VERDICT):
            if self.late:
                return None
            if self._verified(change):
                return change
        return None


def _fewer(one: Outcome, other: Outcome) -> bool:
    """Whether the emulator has less to say about a text that is no more wrong than another."""
    return one.share <= other.share and one.errors < other.errors
