"""Running one source by itself: what `xpiler run` and `xpiler audit` do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from xpiler.diagnostics import Diagnostic, SourceLoc
from xpiler.verify.inputs import InputPlan
from xpiler.verify.invocation import Finding, RunResult
from xpiler.verify.runner import Unit
from xpiler.verify.session import sandboxed, verify_cases
from xpiler.verify.verifier import VerifyCase


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
        lines = []
        for label, run in self.calls:
            lines.append(f"{label}: {run.seconds * 1e3:.1f} ms")
            lines += [run.stdout.rstrip()] if run.stdout.strip() else []
            for name, data in run.outputs.items():
                head = ", ".join(f"{x:.6g}" for x in data[:6].astype(float))
                lines.append(f"  {name}[{len(data)}] = {head}{', ...' if len(data) > 6 else ''}")
        return "\n".join(lines) + "\n"

    def to_json(self) -> dict[str, Any]:
        calls = [
            {
                "call": label,
                "seconds": run.seconds,
                "stdout": run.stdout,
                "outputs": {k: v.tolist() for k, v in run.outputs.items()},
                "findings": [str(f) for f in run.findings],
            }
            for label, run in self.calls
        ]
        return {"file": self.file, "seed": self.seed, "calls": calls}


def finding_diagnostic(f: Finding, file: str, text: str) -> Diagnostic:
    """A fault of a run as a numbered diagnostic with the user's line."""
    from xpiler.verify.findings import code_of

    lines = text.splitlines()
    source_line = lines[f.line - 1] if 0 < f.line <= len(lines) else ""
    who = f"block {f.block}, thread {f.thread}" if f.thread is not None else ""
    where = f"{f.buffer}[{f.index}]" if f.buffer and f.index is not None else f.buffer
    reason = "; ".join(x for x in (where, who) if x)
    severity = "error" if f.severity == "error" else "note"
    loc = SourceLoc(file, f.line) if f.line else SourceLoc(file, 1)
    return Diagnostic(code_of(f.kind), f.message, severity, loc, source_line, reason)  # type: ignore[arg-type]


def run_source(text: str, file: str, options: Any, checks: bool = True) -> SourceRun:
    """Run a source's entries once each on drawn inputs. Raises XpilerError."""
    return _run(text, file, options, checks, [0], all_cases=False)


def audit_source(text: str, file: str, options: Any) -> list[Diagnostic]:
    """Every fault that runs under two poisons and three schedules show. Raises XpilerError."""
    run = _run(text, file, options, True, [0, 1, 2], all_cases=True)
    return list(dict.fromkeys(run.diagnostics))


def _run(
    text: str, file: str, options: Any, checks: bool, variants: Sequence[int], all_cases: bool
) -> SourceRun:
    import secrets

    from xpiler.platforms.registry import platform, platform_of
    from xpiler.verify.executor import EmulatorExecutor
    from xpiler.verify.reading import read

    source = platform(options.source) if options.source else platform_of(file, text)
    seed = secrets.randbits(32) if options.seed is None else options.seed
    diagnostics: list[Diagnostic] = []
    reading = read(text, file, source, options, diagnostics)
    out = SourceRun(file, seed, diagnostics=[d for d in diagnostics if d.code.startswith("XP03")])
    unit = Unit(text, source.name, options.arch, file)
    with sandboxed(options.sandbox), EmulatorExecutor(checks=checks) as executor:
        for plan in reading.plans:
            for case, call in zip(plan.cases, verify_cases(reading.program, plan), strict=True):
                label = f"{plan.entry.name} ({case.describe()})"
                _run_case(out, executor, unit, call, label, text, variants)
                if not all_cases:
                    break
    return out


def _run_case(
    out: SourceRun,
    executor: Any,
    unit: Unit,
    case: VerifyCase,
    label: str,
    text: str,
    variants: Sequence[int],
) -> None:
    from xpiler.verify.inputs import RECIPES
    from xpiler.verify.runner import Job
    from xpiler.verify.runs import base
    from xpiler.verify.verifier import Options, Side

    side = Side("source", unit, case.source, case, executor, Options(seed=out.seed))
    plan = InputPlan(out.seed)
    values = plan.draw(case.buffers, 0, RECIPES[0])
    requests = [base(0, values, variant) for variant in variants]
    jobs = [Job(side.invocation(r), out.seed, r.poison, r.schedule) for r in requests]
    executor.prepare(unit, jobs[0].invocation)
    results = executor.execute_many(unit, jobs, run_seconds=20.0, total_seconds=60.0)
    out.calls.append((label, results[0]))
    for run in results:
        out.diagnostics += [finding_diagnostic(f, out.file, text) for f in run.findings]
    out.diagnostics += _disagreement(results, out.file)


def _disagreement(results: Sequence[RunResult], file: str) -> list[Diagnostic]:
    """Outputs that depend on poison or schedule: an undefined value or a race reached them."""
    import numpy as np

    first = results[0]
    for other in results[1:]:
        for name, data in first.outputs.items():
            again = other.outputs.get(name)
            if again is None or first.errors or other.errors:
                continue
            nan = np.isnan(data.astype(float)) & np.isnan(again.astype(float))
            differs = ~((data == again) | nan)
            written = first.written.get(name)
            if written is not None:
                differs &= written
            if differs.any():
                k = int(differs.argmax())
                message = f"{name}[{k}] depends on undefined values or on the order of threads"
                return [Diagnostic("XP0520", message, "error", SourceLoc(file, 1))]
    return []
