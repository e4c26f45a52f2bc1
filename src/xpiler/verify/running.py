"""Running one source by itself: what `xpiler run` and `xpiler audit` do."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from xpiler.diagnostics import Diagnostic, XpilerError
from xpiler.verify.inference.plan import Case, EntryPlan
from xpiler.verify.inputs import InputPlan
from xpiler.verify.invocation import Finding, Invocation, RunResult
from xpiler.verify.runner import Job, Unit
from xpiler.verify.runs import Planner
from xpiler.verify.session import sandboxed, verify_cases
from xpiler.verify.verifier import Options, Side, VerifyCase

if TYPE_CHECKING:
    from xpiler.verify.executor import EmulatorExecutor
    from xpiler.verify.reading import Reading

RUN_SECONDS = 20.0
ONCE, AUDIT = (0,), (0, 1, 2)  # the input as it is; also other poison; also another schedule
_MAIN = re.compile(r"^\s*(?:static\s+)?int\s+main\s*\(", re.M)


@dataclass
class SourceRun:
    """What `xpiler run` shows: each call with its outputs, what it printed, its faults."""

    file: str
    seed: int
    calls: list[tuple[str, RunResult]] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)

    @property
    def faulty(self) -> bool:
        return any(d.severity == "error" for d in self.diagnostics)

    def render(self) -> str:
        """The calls as plain text: time, printed lines, the first elements of every buffer."""
        lines = []
        for label, run in self.calls:
            lines.append(f"{label}: {run.seconds * 1e3:.1f} ms")
            lines += [run.stdout.rstrip()] if run.stdout.strip() else []
            for name, data in run.outputs.items():
                head = ", ".join(f"{x:.6g}" for x in data[:6].astype(float))
                lines.append(f"  {name}[{len(data)}] = {head}{', ...' if len(data) > 6 else ''}")
        return "\n".join(lines) + "\n"

    def to_json(self) -> dict[str, Any]:
        """Everything, as plain JSON values."""
        return {"file": self.file, "seed": self.seed, "calls": [_call(*c) for c in self.calls]}


def _call(label: str, run: RunResult) -> dict[str, Any]:
    return {
        "call": label,
        "seconds": run.seconds,
        "stdout": run.stdout,
        "outputs": {k: v.tolist() for k, v in run.outputs.items()},
        "findings": [str(f) for f in run.findings],
    }


def run_source(text: str, file: str, options: Any, checks: bool = True) -> SourceRun:
    """Run a source's `main`, or else its entries once each on drawn inputs. Raises XpilerError."""
    if _MAIN.search(text) and not options.spec.entry:
        return _run_main(text, file, options, checks)
    return _Runner(text, file, options, checks, ONCE, every_case=False).run()


def audit_source(text: str, file: str, options: Any) -> list[Diagnostic]:
    """Every fault that runs under two poisons and two schedules show. Raises XpilerError."""
    run = _Runner(text, file, options, True, AUDIT, every_case=True).run()
    return list(dict.fromkeys(run.diagnostics))


def _run_main(text: str, file: str, options: Any, checks: bool) -> SourceRun:
    from xpiler.platforms.registry import platform, platform_of
    from xpiler.verify.executor import EmulatorExecutor

    source = platform(options.source) if options.source else platform_of(file, text)
    seed = secrets.randbits(32) if options.seed is None else options.seed
    out = SourceRun(file, seed)
    unit = Unit(text, source.name, options.arch, file)
    call = Invocation("main", "main", ())
    with sandboxed(options.sandbox), EmulatorExecutor(checks=checks) as executor:
        jobs = [Job(call, seed, 0, 0)]
        (result,) = executor.execute_many(
            unit, jobs, run_seconds=RUN_SECONDS, total_seconds=RUN_SECONDS
        )
    out.calls.append(("main()", result))
    out.diagnostics += _told(result.findings, file, text)
    return out


@dataclass
class _Runner:
    """One pass over a source's entries; `variants` are the ways each input is run."""

    text: str
    file: str
    options: Any
    checks: bool
    variants: Sequence[int]
    every_case: bool

    def run(self) -> SourceRun:
        from xpiler.platforms.registry import platform, platform_of
        from xpiler.verify.executor import EmulatorExecutor
        from xpiler.verify.reading import read

        given = self.options
        source = platform(given.source) if given.source else platform_of(self.file, self.text)
        seed = secrets.randbits(32) if given.seed is None else given.seed
        found: list[Diagnostic] = []
        reading = read(self.text, self.file, source, given, found)
        kept = [d for d in found if d.code.startswith(("XP01", "XP03"))]
        if not any(plan.cases for plan in reading.plans):
            unknown = Diagnostic("XP0302", f"{self.file}: it is not known how to run it")
            raise XpilerError(*(replace(d, severity="error") for d in kept or [unknown]))
        out = SourceRun(self.file, seed, diagnostics=kept)
        with sandboxed(given.sandbox), EmulatorExecutor(checks=self.checks) as executor:
            for plan in reading.plans:
                self.entry(out, executor, reading, plan)
        return out

    def entry(
        self, out: SourceRun, executor: EmulatorExecutor, reading: Reading, plan: EntryPlan
    ) -> None:
        """All cases of an entry; guesses that the source is not made for are not its fault."""
        from xpiler.verify.settling import Settler

        findings, calls = self.cases(executor, reading, plan, plan.cases, out.seed)
        errors = {f.kind for f in findings if f.severity == "error"}
        if errors == {"misaligned"} and plan.aligned:
            findings, calls = self.cases(executor, reading, plan, plan.aligned, out.seed)
        elif errors and self.every_case:
            settled = Settler(reading, executor, out.seed).settled(plan)
            out.diagnostics += [d for d in settled.diagnostics if d.code == "XP0709"]
            if settled.cases and settled is not plan:
                findings, calls = self.cases(executor, reading, settled, settled.cases, out.seed)
        out.calls += calls
        out.diagnostics += _told(findings, self.file, self.text)

    def cases(
        self,
        executor: EmulatorExecutor,
        reading: Reading,
        plan: EntryPlan,
        cases: Sequence[Case],
        seed: int,
    ) -> tuple[list[Finding], list[tuple[str, RunResult]]]:
        findings: list[Finding] = []
        calls: list[tuple[str, RunResult]] = []
        chosen = replace(plan, cases=tuple(cases if self.every_case else cases[:1]), further=())
        unit = Unit(self.text, reading.platform.name, reading.arch, self.file)
        made = verify_cases(reading.program, chosen)
        for case, call in zip(chosen.cases, made, strict=True):
            results = _results(executor, unit, call, seed, self.variants)
            calls.append((f"{plan.entry.name} ({case.describe()})", results[0]))
            findings += [f for run in results for f in run.findings]
            findings += _undefined(results)
        return findings, calls


def _results(
    executor: EmulatorExecutor, unit: Unit, case: VerifyCase, seed: int, variants: Sequence[int]
) -> list[RunResult]:
    side = Side("source", unit, case.source, case, executor, Options(seed=seed))
    planner = Planner(case.buffers, InputPlan(seed))
    jobs = [side.job(planner.base(0, variant)) for variant in variants]
    executor.prepare(unit, jobs[0].invocation)
    total = 3 * RUN_SECONDS
    return [*executor.execute_many(unit, jobs, run_seconds=RUN_SECONDS, total_seconds=total)]


def _undefined(results: Sequence[RunResult]) -> list[Finding]:
    """Outputs that depend on poison or schedule: an undefined value or a race reached them."""
    from xpiler.verify.execution import differential

    first, others = results[0], enumerate(results[1:])
    if any(r.errors for r in results):
        return []
    return [f for k, other in others for f in differential(first, other, same_schedule=k == 0)]


def _told(findings: Sequence[Finding], file: str, text: str) -> list[Diagnostic]:
    from xpiler.verify.findings import as_diagnostic

    told: dict[tuple[str, int], Diagnostic] = {}
    for f in findings:
        told.setdefault((f.kind, f.line), as_diagnostic(f, file, text))
    return list(told.values())
