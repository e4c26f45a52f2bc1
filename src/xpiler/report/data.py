"""Results as plain JSON values."""

from __future__ import annotations

from typing import Any

from xpiler.diagnostics import Diagnostic
from xpiler.pipeline import Translation
from xpiler.trace import Step

STATUSES = ("verified", "not verified", "partial", "refused")


def status_of(result: Translation) -> str:
    """One of STATUSES: how a translation came out."""
    if result.text is None:
        return "refused"
    if result.partial:
        return "partial"
    return "verified" if result.verified else "not verified"


def diagnostic_data(d: Diagnostic) -> dict[str, Any]:
    """A diagnostic; `where` is None when it has no place."""
    where = {"file": d.loc.file, "line": d.loc.line, "column": d.loc.column} if d.loc else None
    return {
        "code": d.code,
        "severity": d.severity,
        "message": d.message,
        "where": where,
        "reason": d.reason,
        "help": d.help,
        "source_line": d.source_line,
    }


def step_data(step: Step) -> dict[str, Any]:
    """A step of a trace without its texts; `seconds` is wall time."""
    return {
        "name": step.name,
        "proposer": step.proposer,
        "changed": step.changed,
        "seconds": round(step.seconds, 4),
        "checks": dict(step.checks),
    }


def translation_data(result: Translation, output: str | None) -> dict[str, Any]:
    """A translation; `output` is where its text went, "-" for standard output (then it is here)."""
    return {
        "file": result.file,
        "from": result.source,
        "to": result.target,
        "output": output,
        "status": status_of(result),
        "seed": result.trace.seed,
        "seconds": round(result.trace.seconds(), 3),
        "verdict": result.verdict.to_json() if result.verdict is not None else None,
        "assumptions": list(result.assumptions),
        "diagnostics": [diagnostic_data(d) for d in result.diagnostics],
        "steps": [step_data(s) for s in result.trace.steps],
        **({"text": result.text} if output == "-" else {}),
    }
