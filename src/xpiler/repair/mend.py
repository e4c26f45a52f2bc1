"""Say where a translation goes wrong, and mend it: the smallest change that verifies in full."""

from __future__ import annotations

import difflib
import re
import secrets
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from xpiler.diagnostics import Diagnostic, XpilerError
from xpiler.frontend.syntax import Tree
from xpiler.repair.faults.inject import apply, tree_of
from xpiler.repair.search import Change, Search, Way
from xpiler.repair.subject import Calling, Subject
from xpiler.verify.dtypes import decode
from xpiler.verify.invocation import Finding
from xpiler.verify.remembering import Remembering
from xpiler.verify.runner import Job, Unit
from xpiler.verify.session import calling_of, sandboxed

if TYPE_CHECKING:
    from xpiler.platforms.registry import Platform
    from xpiler.verify.reading import Reading
    from xpiler.verify.verdict import Verdict

SECONDS = 60.0
_LIKELY = 1500  # fills that are tried before two faults are thought of
_HARDLY = 0.02  # a text with so few wrong elements is perhaps right
_NEARLY = 3  # changes that look right, on top of which another one is looked for
MOST_LINES = 5


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text goes wrong: the line, its statement, the class of the fault, and how it shows.

    `buffer`, `index`, `expected` and `actual` are the first element that differs (-1: none did).
    """

    line: int
    statement: str
    cls: str
    buffer: str = ""
    index: int = -1
    expected: float = 0.0
    actual: float = 0.0
    told: str = ""

    def render(self, file: str) -> str:
        """A few lines for a terminal."""
        lines = [f"{file}:{self.line}: {self.cls}", f"    {self.statement.strip()}"]
        if self.index >= 0:
            lines.append(
                f"    {self.buffer}[{self.index}]: expected {self.expected:.9g},"
                f" got {self.actual:.9g}"
            )
        return "\n".join([*lines, *([f"    {self.told}"] if self.told else [])])

    def to_json(self) -> dict[str, Any]:
        return {
            "line": self.line, "statement": self.statement.strip(), "class": self.cls,
            "buffer": self.buffer, "index": self.index, "expected": self.expected,
            "actual": self.actual, "told": self.told,
        }  # fmt: skip


@dataclass(frozen=True)
class Mended:
    """The mended text with its verdict; `places` are where the given text was wrong."""

    text: str
    places: tuple[Place, ...]
    verdict: Verdict
    changed: int
    seconds: float = 0.0
    tried: int = 0

    ok = True

    def diff(self, before: str, name: str) -> str:
        """The change as a unified diff."""
        a, b = before.splitlines(keepends=True), self.text.splitlines(keepends=True)
        return "".join(difflib.unified_diff(a, b, name, name))


@dataclass(frozen=True)
class Refused:
    """Nothing fits; `places` are the likeliest ones, `diagnostic` says what was learnt."""

    diagnostic: Diagnostic
    places: tuple[Place, ...] = ()
    verdict: Verdict | None = None
    seconds: float = 0.0
    tried: int = 0

    ok = False


@dataclass
class _Work:
    """One repair from beginning to end."""

    subject: Subject
    seconds: float
    faults: int
    begun: float = field(default_factory=time.monotonic)

    def run(self) -> Mended | Refused:
        text, s = self.subject.text, self.subject
        tree = tree_of(text, s.target.name)
        if tree.errors:
            return self._no("XP1402", f"the translation does not parse: line {tree.errors[0]}")
        if missing := _missing(s.reading, text):
            return self._no("XP1403", f"the translation has no function {missing}")
        search = Search(s, tree, self.begun + self.seconds)
        ways = search.ways()
        way = min(ways, key=lambda w: w.question.size, default=None)
        if way is None or (way.outcome.share < _HARDLY and not way.outcome.errors):
            verdict = s.verdict(text)
            if verdict.ok:
                return Mended(text, (), verdict, 0, time.monotonic() - self.begun)
            if verdict.outcome != "wrong" and verdict.code != "XP0708":
                return self._no("XP1403", f"it can't be told what is right: {verdict.reason}")
            search.hints = _hints(verdict.findings)
            way = way or min(search.ways(strict=True), key=lambda w: w.question.size, default=None)
            if way is None and (found := search.by_verdict(search.fills())) is not None:
                return self._mended(found, search, None, verdict.reason)
            if way is None:
                return self._no("XP1401", f"only the full check shows it: {verdict.reason}",
                                _guess(search, None, None, verdict.reason))  # fmt: skip
        seen, told = self._seen(way, search)
        fills = search.fills()
        change = search.one(fills[:_LIKELY], way)
        if change is None and self.faults > 1:
            if (further := self._further(search, seen, told)) is not None:
                return further
            change = search.two(fills, way)
        if change is None:
            change = search.one(fills[_LIKELY:], way)
        if change is None:
            message = f"no change of at most {MOST_LINES} lines mends it"
            return self._no("XP1401", message, _guess(search, way, seen, told), search)
        return self._mended(change, search, seen, told)

    def _further(self, search: Search, seen: Place | None, told: str) -> Mended | None:
        """The mended text after a change that made it look right, and one more on top of that."""
        left = self.begun + self.seconds - time.monotonic()
        for change, _ in search.nearly[:_NEARLY]:
            text = apply(change.variant, search.tree.text)
            subject = self.subject.with_text(text)
            out = _Work(subject, left / (_NEARLY + 1), faults=1).run()
            if isinstance(out, Mended):
                first = tuple(_place(search.tree, f.edit.start, f.cls, seen, told)
                              for f in change.fills)  # fmt: skip
                moved = tuple(_moved(p, change, search.tree.text) for p in out.places)
                changed = _changed_lines(search.tree.text, out.text)
                took = time.monotonic() - self.begun
                tried = len(search.tried) + out.tried
                return Mended(out.text, (*first, *moved), out.verdict, changed, took, tried)
        return None

    def _mended(self, change: Change, search: Search, seen: Place | None, told: str) -> Mended:
        text = apply(change.variant, search.tree.text)
        places = tuple(_place(search.tree, f.edit.start, f.cls, seen, told) for f in change.fills)
        changed = _changed_lines(search.tree.text, text)
        took = time.monotonic() - self.begun
        assert search.verdict is not None
        return Mended(text, places, search.verdict, changed, took, len(search.tried))

    def _seen(self, way: Way, search: Search) -> tuple[Place | None, str]:
        """The first element that differs when the text as it is runs, and the first fault told.

        What the emulator finds becomes the search's hints.
        """
        s, q = self.subject, way.question
        unit = Unit(s.text, s.target.name, None, "translation")
        with sandboxed(s.sandbox):
            try:
                (run,) = s.executor.execute_many(
                    unit, [Job(q.call, s.seed, 1, way.schedule)],
                    run_seconds=5.0, total_seconds=5.0,
                )  # fmt: skip
            except XpilerError:
                return None, ""
        search.hints |= _hints(run.errors)
        told = str(run.errors[0]) if run.errors else ""
        for a in q.answers:
            if a.buffer.name not in run.outputs:
                continue
            z = decode(run.outputs[a.buffer.name].reshape(-1), a.buffer.dtype)
            with np.errstate(invalid="ignore"):
                good = (np.abs(z - a.expected) <= a.allowed) | (z == a.expected)
            good |= (a.allowed < 0) | (np.isnan(z) & np.isnan(a.expected))
            if not good.all():
                i = int(np.flatnonzero(~good)[0])
                first = Place(0, "", "", a.buffer.name, i, float(a.expected[i]), float(z[i]))
                return first, told
        return None, told

    def _no(
        self, code: str, message: str, where: tuple[Place, ...] = (), search: Search | None = None
    ) -> Refused:
        tried = len(search.tried) if search else 0
        return Refused(Diagnostic(code, message), where, None, time.monotonic() - self.begun, tried)


def _missing(reading: Reading, text: str) -> str:
    """The entries' names, where the text has none of their words; "" where it may have one."""
    names = [plan.entry.symbol or plan.entry.name for plan in reading.plans]
    words = set(re.findall(r"\w+", text))
    return "" if any(words.issuperset(re.findall(r"\w+", n)) for n in names) else ", ".join(names)


def _hints(findings: Sequence[Finding]) -> frozenset[int]:
    """Lines that the emulator's findings name."""
    lines = [f.line for f in findings if f.line and f.severity == "error"]
    return frozenset(lines[:6])


def _moved(place: Place, change: Change, before: str) -> Place:
    """A place of the text after a change, at its line of the text before."""
    line = place.line
    for f in sorted(change.fills, key=lambda f: f.edit.start):
        if line > before.count("\n", 0, f.edit.start) + 1:
            line -= f.edit.new.count("\n") - before.count("\n", f.edit.start, f.edit.end)
    return replace(place, line=line)


def _place(tree: Tree, at: int, cls: str, seen: Place | None, told: str) -> Place:
    line = tree.text.count("\n", 0, at) + 1
    text = tree.text.splitlines()[line - 1] if tree.text else ""
    if seen is None:
        return Place(line, text, cls, told=told)
    return Place(line, text, cls, seen.buffer, seen.index, seen.expected, seen.actual, told)


def _guess(search: Search, way: Way | None, seen: Place | None, told: str) -> tuple[Place, ...]:
    """The likeliest places: where changes helped most, and where the emulator found faults."""
    votes: Counter[int] = Counter()
    cls: dict[int, str] = {}
    text = search.tree.text
    for change, o in search.tried if way is not None else ():
        if o.state != "done" or way is None:
            continue
        gain = way.outcome.share - o.share
        if gain > 1e-6 or (o.passes and not way.outcome.passes):
            for f in change.fills:
                line = text.count("\n", 0, f.edit.start) + 1
                if gain / len(change.fills) > votes[line]:
                    votes[line] = gain / len(change.fills)  # type: ignore[assignment]
                    cls[line] = f.cls
    for line in search.hints:
        votes[line] += 0.5  # type: ignore[assignment]
    starts = [0, *(i + 1 for i, c in enumerate(text) if c == "\n")]
    return tuple(
        _place(search.tree, starts[line - 1], cls.get(line, "unknown"), seen, told)
        for line, _ in votes.most_common(3)
    )


def _changed_lines(before: str, after: str) -> int:
    diff = difflib.ndiff(before.splitlines(), after.splitlines())
    marks = Counter(line[0] for line in diff)
    return max(marks["-"], marks["+"])


def mend_pair(
    reading: Reading,
    target_text: str,
    target: Platform,
    calling: Calling | None = None,
    *,
    seed: int = 0,
    sandbox: str = "required",
    seconds: float = SECONDS,
    faults: int = 2,
    executor: Remembering | None = None,
) -> Mended | Refused:
    """Mend `target_text`, which should compute what the source in `reading` computes.

    `calling` says how its entries are called; by default as the source's. At most `faults` places
    are changed, within `seconds`. `executor` may be one that has run the source before. Raises
    XpilerError where the machine fails or the text does not parse at all.
    """
    subject = Subject(
        reading, target_text, target, calling or Calling(), seed, sandbox,
        executor or Remembering(),
    )  # fmt: skip
    return _Work(subject, seconds, faults).run()


def mend(
    source_text: str, target_text: str, file: str, options: Any, **how: Any
) -> Mended | Refused:
    """`mend_pair` of two texts; `options` are the pipeline's. Raises XpilerError."""
    from xpiler.platforms.registry import platform, platform_of
    from xpiler.port import can_port
    from xpiler.verify.reading import read

    source = platform(options.source) if options.source else platform_of(file, source_text)
    reading = read(source_text, file, source, options, [])
    target = platform(options.target)
    seed = secrets.randbits(32) if options.seed is None else options.seed
    alike = can_port(source, target)
    calling = Calling(alike=alike, extras={} if alike else calling_of(reading, target_text, target))
    return mend_pair(
        reading, target_text, target, calling, seed=seed, sandbox=options.sandbox, **how
    )


__all__ = ["Calling", "Finding", "Mended", "Place", "Refused", "mend", "mend_pair"]
