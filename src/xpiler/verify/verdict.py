"""The verdict on a translation: a rung of the ladder and what it rests on, never a bare tick."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from xpiler.diagnostics import Diagnostic
from xpiler.verify.invocation import Finding

Level = Literal["proved (all sizes)", "proved (these sizes)", "tested", "compiled", "refused"]
Outcome = Literal["verified", "unverified", "wrong", "unsound_source", "refused"]

LADDER: tuple[Level, ...] = (
    "proved (all sizes)", "proved (these sizes)", "tested", "compiled", "refused",
)  # fmt: skip
_GRAVITY: tuple[Outcome, ...] = ("wrong", "unsound_source", "refused", "unverified", "verified")
_HEADS = {"wrong": "WRONG", "unsound_source": "source unsound", "unverified": "not verified"}
_SHOWN_FINDINGS = 8


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known about one translation.

    `outcome` sums it up, `level` is the rung reached. `runs` counts input sets on which source and
    target were compared, `exact_runs` those compared bit for bit. `excluded` is the share of
    elements (0 to 1) excused because the source jumps there. `code` and `reason` say why not,
    `side` whose `findings` these are. `seconds` is wall time. `compiled_by` names the platform's
    real compilers that made machine code of the translation, and the architectures; `models` names
    platforms of which no real compiler or device takes part, only our own emulator. `counters` is
    the work by class that the emulator counted in one run of the translation. `proposers` say which
    passes were a model's, and what was done about its text.
    """

    outcome: Outcome
    level: Level
    runs: int = 0
    exact_runs: int = 0
    tolerance: str = ""
    inputs: str = ""
    seed: int = 0
    excluded: float = 0.0
    assumptions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    side: Literal["source", "target", ""] = ""
    code: str = ""
    reason: str = ""
    seconds: float = 0.0
    compiled_by: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    counters: tuple[tuple[str, int], ...] = ()
    proposers: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return self.outcome == "verified"

    def render(self) -> str:
        """One line for a terminal."""
        if self.outcome in _HEADS:
            return f"{_HEADS[self.outcome]}: {self.reason}"
        if self.outcome == "refused":
            return f"refused: {self.reason}" if self.reason else "refused"
        return f"{self.level} ({'; '.join(self._grounds())})"

    def _grounds(self) -> list[str]:
        grounds = [f"{self.runs} inputs" if self.runs != 1 else "1 input"]
        grounds += [f"{self.exact_runs} compared exactly"] if self.exact_runs else []
        grounds += [f"tolerance {self.tolerance}"] if self.tolerance else []
        grounds += [f"excluded {100 * self.excluded:.2g} %"] if self.excluded else []
        grounds += [f"compiled by {tool}" for tool in self.compiled_by]
        grounds += [f"against our model of {name}" for name in self.models]
        return [*grounds, *self.proposers]

    def to_json(self) -> dict[str, Any]:
        """Everything, as plain JSON values."""
        data = asdict(self)
        data["findings"] = [asdict(f) for f in self.findings[:_SHOWN_FINDINGS]]
        data["counters"] = dict(self.counters)
        return data | {"text": self.render()}

    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What the user is told when the outcome is not `verified`."""
        if self.ok or not self.code:
            return ()
        found = "; ".join(str(f) for f in self.findings[:_SHOWN_FINDINGS])
        severity: Literal["error", "warning"] = "error" if self.outcome == "wrong" else "warning"
        again = f"--seed {self.seed} repeats the run" if self.seed else ""
        return (Diagnostic(self.code, self.reason, severity=severity, reason=found, help=again),)


def _weakest(levels: Sequence[Level]) -> Level:
    return max(levels, key=LADDER.index)


def combine(verdicts: Sequence[Verdict]) -> Verdict:
    """One verdict from several cases (sizes, entries) of one translation: the worst, summed up."""
    if not verdicts:
        return Verdict("unverified", "compiled", code="XP0704", reason="nothing was run")
    worst = min(verdicts, key=lambda v: _GRAVITY.index(v.outcome))
    return replace(
        worst,
        level=_weakest([v.level for v in verdicts]),
        runs=sum(v.runs for v in verdicts),
        exact_runs=sum(v.exact_runs for v in verdicts),
        excluded=max(v.excluded for v in verdicts),
        assumptions=tuple(dict.fromkeys(a for v in verdicts for a in v.assumptions)),
        notes=tuple(dict.fromkeys(n for v in verdicts for n in v.notes)),
        seconds=sum(v.seconds for v in verdicts),
        counters=_added([v.counters for v in verdicts]),
    )


def _added(counters: Sequence[tuple[tuple[str, int], ...]]) -> tuple[tuple[str, int], ...]:
    total: Counter[str] = Counter()
    for one in counters:
        total.update(dict(one))
    return tuple(sorted(total.items()))
