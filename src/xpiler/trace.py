"""What happened in one translation: every step with its text before and after, checks, time."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(slots=True)
class Step:
    """One step: a pass (or reading, writing, verifying), who proposed it, and what came of it.

    `seconds` is wall time. `before` and `after` are the program's text around the step;
    `checks` maps a check's name to its outcome; `knobs` are the pass's options. `exchanges` are the
    questions that a model was asked, with its answers.
    """

    name: str
    proposer: str = "symbolic"
    knobs: dict[str, Any] = field(default_factory=dict)
    before: str = ""
    after: str = ""
    checks: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    tokens: int = 0
    exchanges: list[dict[str, Any]] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        return self.before != self.after


@dataclass(slots=True)
class Trace:
    """The steps of one translation in order; `seed` makes a run repeatable."""

    source: str
    platform_from: str
    platform_to: str
    seed: int = 0
    options: dict[str, Any] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)

    @contextmanager
    def step(self, name: str, **knobs: Any) -> Iterator[Step]:
        """Record a step around a block; its time is taken even when the block raises."""
        entry = Step(name, knobs=knobs)
        self.steps.append(entry)
        start = time.perf_counter()
        try:
            yield entry
        finally:
            entry.seconds = time.perf_counter() - start

    def seconds(self, *names: str) -> float:
        """Time of the steps called `names`, or of all."""
        return sum(s.seconds for s in self.steps if not names or s.name in names)

    def to_json(self) -> str:
        """The whole trace; `irChanged` is what pass viewers (Compiler Explorer's) expect."""
        data = asdict(self)
        for raw, step in zip(data["steps"], self.steps, strict=True):
            raw["irChanged"] = step.changed
        return json.dumps(data, indent=2, sort_keys=True, default=str)
