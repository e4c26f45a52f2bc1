"""The road on which a model proposes each pass, and what is done about a proposal that is wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from xpiler.diagnostics import Diagnostic
from xpiler.neural.asker import Asker
from xpiler.neural.prompts import Material, again, messages
from xpiler.neural.provider import Answer, Message, ModelFault, Request
from xpiler.neural.screen import screen
from xpiler.neural.settings import Settings
from xpiler.neural.stages import Stage
from xpiler.trace import Step, Trace

OUTCOMES = ("taken", "asked again", "mended", "replaced", "left out", "refused")
_RANKS = {"none": 0, "screened": 1, "unread": 2, "unbuilt": 3, "wrong": 4, "moot": 5, "right": 6}


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found of a text.

    `rank`: how far it came (`unread`, `unbuilt`, `wrong`, `right`), or `moot`: no text can pass
    because the source itself is at fault. `said` is for whoever wrote it.
    """

    rank: str
    said: str = ""

    @property
    def ok(self) -> bool:
        return self.rank == "right"


@dataclass(frozen=True, slots=True)
class Mended:
    """A text that was repaired, and what was done to it."""

    text: str
    note: str


class Bench(Protocol):
    """What the pipeline lends to whoever proposes: material for prompts, checks, and itself."""

    @property
    def trace(self) -> Trace: ...
    @property
    def source_text(self) -> str: ...
    def material(self, stage: Stage, before: str) -> Material:
        """What the prompt of a stage is filled with."""
        ...

    def check(self, text: str, stage: Stage) -> Report:
        """Read, build and run `text` against the original source."""
        ...

    def mended(self, text: str, stage: Stage, seconds: float) -> Mended | None:
        """A wrong text repaired, if that can be done in this time."""
        ...

    def symbolic(self, stage: Stage) -> str | None:
        """The text after this stage as the symbolic passes make it; None where they refuse."""
        ...


Mend = Callable[[Bench, Stage, str], Mended | None]
"""Localises and repairs what is wrong in a text after a stage."""


@dataclass
class Attempt:
    """What is tried for one stage: the conversation, the best text so far, and what was said."""

    stage: Stage
    turns: tuple[Message, ...]
    entry: Step
    text: str = ""
    report: Report = field(default_factory=lambda: Report("none"))
    answers: int = 0

    def note(self, text: str, report: Report) -> None:
        """Remember a text if it came further than the one before."""
        if _RANKS[report.rank] >= _RANKS[self.report.rank]:
            self.text, self.report = text, report


@dataclass
class Road:
    """Asks `asker` for each stage under `settings`; `mend` repairs, where it is given."""

    asker: Asker
    settings: Settings
    mend: Mend | None = None
    remarks: list[Diagnostic] = field(default_factory=list)

    def walk(self, bench: Bench, stages: Sequence[Stage]) -> str | None:
        """The text after the last stage, None where a stage was refused."""
        text = bench.source_text
        for position, stage in enumerate(stages):
            after = self.step(bench, stage, text)
            if after is None:
                return None
            text = after
            if self._finished(bench, stage, text):
                for rest in stages[position + 1 :]:
                    self._skipped(bench, rest, text)
                break
        return text

    def _finished(self, bench: Bench, stage: Stage, text: str) -> bool:
        """Whether the symbolic passes stepped in for the target: their text is complete."""
        last = bench.trace.steps[-1]
        return last.checks.get("outcome") == "replaced" and not stage_is_plain(stage)

    def _skipped(self, bench: Bench, stage: Stage, text: str) -> None:
        with bench.trace.step(stage.title) as entry:
            entry.before = entry.after = text
            entry.checks["outcome"] = "part of the symbolic passes' text"

    def step(self, bench: Bench, stage: Stage, before: str) -> str | None:
        """The text after one stage, by whoever got it right; None where nobody did."""
        with bench.trace.step(stage.title) as entry:
            entry.proposer, entry.before = self.asker.name, before
            attempt = Attempt(stage, messages(stage.name, bench.material(stage, before)), entry)
            text, outcome = self._by_anyone(bench, attempt, before)
            entry.checks["outcome"] = outcome
            entry.after = text or ""
            if outcome == "replaced":
                entry.proposer = "symbolic"
                self._remark("XP1512", f"{stage.title}: {self.asker.name} gave nothing right")
            elif outcome == "refused":
                said = attempt.report.said or "no answer came"
                self._remark("XP1507", f"{stage.title}: no proposal passed its check", said)
            return text

    def _by_anyone(self, bench: Bench, attempt: Attempt, before: str) -> tuple[str | None, str]:
        """The model's text, its corrected one, a mended one, the symbolic pass's, or none."""
        stage = attempt.stage
        try:
            if self._ask(bench, attempt):
                return attempt.text, "taken"
            if attempt.report.rank == "moot":
                return None, "refused"
            for _ in range(self.settings.ask_again):
                if self._ask_again(bench, attempt):
                    return attempt.text, "asked again"
        except ModelFault as why:
            attempt.entry.checks["no answer"] = str(why)
            self._remark("XP1506" if why.kind == "budget" else "XP1505", str(why))
        if (mended := self._mended(bench, attempt)) is not None:
            return mended, "mended"
        if self.settings.fall_back:
            symbolic = bench.symbolic(stage)
            if symbolic is not None and bench.check(symbolic, stage).ok:
                return symbolic, "replaced"
        return (before, "left out") if stage.optional else (None, "refused")

    def _ask(self, bench: Bench, attempt: Attempt) -> bool:
        """The first answers, asked for at once; whether one is right."""
        requests = [self._request(bench, attempt, k) for k in range(self.settings.samples)]
        fault: ModelFault | None = None
        for request, answer in zip(requests, self.asker.ask_all(requests), strict=True):
            if isinstance(answer, ModelFault):
                fault = answer
            elif self._judge(bench, attempt, request, answer):
                return True
        if fault is not None and not attempt.answers:
            raise fault
        return False

    def _ask_again(self, bench: Bench, attempt: Attempt) -> bool:
        """One more round, with what was found wrong."""
        attempt.turns = (*attempt.turns, again(attempt.report.said))
        request = self._request(bench, attempt, 0)
        return self._judge(bench, attempt, request, self.asker.ask(request))

    def _request(self, bench: Bench, attempt: Attempt, sample: int) -> Request:
        stage = attempt.stage
        topic = f"{stage.title} {bench.trace.source.rpartition('/')[2]} to {stage.after.name}"
        return Request(
            attempt.turns, self.settings.max_tokens, self.settings.temperature, self.settings.seed,
            sample, topic, stage.after.name, lambda: bench.symbolic(stage),
        )  # fmt: skip

    def _judge(self, bench: Bench, attempt: Attempt, request: Request, answer: Answer) -> bool:
        """Whether an answer is right; what is known of it goes into the trace."""
        stage, entry = attempt.stage, attempt.entry
        attempt.answers += 1
        entry.tokens += answer.tokens_in + answer.tokens_out
        entry.exchanges.append(_exchange(request, answer))
        found = screen(answer.text, stage.after.words.headers, self._own_texts(bench, stage))
        if found.why:
            cut = " (it was cut off at its longest)" if answer.finish == "length" else ""
            report, text = Report("screened", found.why + cut), ""
        else:
            text = found.text
            report = bench.check(text, stage)
        entry.checks[f"answer {attempt.answers}"] = f"{report.rank}: {report.said}"[:300]
        attempt.turns = (*request.messages, Message("assistant", answer.text[:_LONGEST]))
        attempt.note(text, report)
        return report.ok

    def _own_texts(self, bench: Bench, stage: Stage) -> list[str]:
        """Texts whose includes an answer may repeat: the user's own, in their own language."""
        same = stage.after.name == bench.trace.platform_from
        return [bench.source_text] if same else []

    def _mended(self, bench: Bench, attempt: Attempt) -> str | None:
        if not (self.settings.repair and self.mend and attempt.text):
            return None
        found = self.mend(bench, attempt.stage, attempt.text)
        if found is None:
            attempt.entry.checks["repair"] = "nothing mends it"
            return None
        report = bench.check(found.text, attempt.stage)
        attempt.entry.checks["repair"] = found.note if report.ok else f"not enough: {report.said}"
        return found.text if report.ok else None

    def _remark(self, code: str, message: str, reason: str = "") -> None:
        severity: Any = {"XP1507": "error", "XP1512": "note"}.get(code, "warning")
        remark = Diagnostic(code, message[:400], severity, reason=reason[:400])
        if remark not in self.remarks:
            self.remarks.append(remark)


_LONGEST = 64 << 10  # characters of an answer that go back into the conversation


def stage_is_plain(stage: Stage) -> bool:
    """Whether the text after a stage is not yet in the target's language or form."""
    from xpiler.neural.prompts import pass_prompt

    return pass_prompt(stage.name).gives != "target"


def _exchange(request: Request, answer: Answer) -> dict[str, Any]:
    """Question and answer for the trace, from which `replay` takes them; it holds no key."""
    return {
        "question": request.digest,
        "messages": request.identity["messages"],
        "answer": answer.text,
        "model": answer.model,
        "tokens_in": answer.tokens_in,
        "tokens_out": answer.tokens_out,
        "seconds": round(answer.seconds, 3),
        "cost": answer.cost,
        "finish": answer.finish,
        "from_cache": answer.from_cache,
    }


def proposers(trace: Trace) -> tuple[str, ...]:
    """Who the steps of a trace are by, where that was not the symbolic passes alone."""
    out = []
    for step in trace.steps:
        outcome = step.checks.get("outcome", "")
        if step.proposer != "symbolic" and outcome in OUTCOMES[:3]:
            how = "" if outcome == "taken" else f", {outcome}"
            out.append(f"{step.name} by {step.proposer}{how}")
    return tuple(out)


def with_remarks(found: Sequence[Diagnostic], file: str) -> list[Diagnostic]:
    """Diagnostics with their place."""
    from xpiler.diagnostics import SourceLoc

    return [replace(d, loc=SourceLoc(file, 1)) if d.loc is None else d for d in found]
