"""The real compilers' part of a verdict: machine code, made while the emulators run."""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace

from xpiler.diagnostics import Diagnostic, XpilerError
from xpiler.platforms.toolchains import (
    CompileReport,
    compile_check,
    second_opinion,
    toolchain_of,
)
from xpiler.verify.verdict import Verdict

_SHOWN = 3
_ARTICLE = "the translation"


class RealCompile:
    """A compilation under way; `judge` waits for it and adds its outcome to a verdict.

    With XPILER_SECOND_OPINION in the environment a second compiler (nvcc) is asked too.
    """

    def __init__(self, platform: str, text: str) -> None:
        self._spec = toolchain_of(platform)
        self._future: Future[tuple[CompileReport, ...]] | None = None
        if self._spec is not None and self._spec.tool():
            pool = ThreadPoolExecutor(1)
            run = copy_context().run  # the sandbox's policy is kept in a context
            self._future = pool.submit(run, _reports, text, platform)
            pool.shutdown(wait=False)

    def judge(self, verdict: Verdict) -> Verdict:
        """The verdict with what was compiled; never verified where the first architecture fails."""
        if self._spec is None:
            return verdict
        if self._future is None:
            note = f"compiled by no {self._spec.platform} compiler: {self._spec.hint} brings one"
            return replace(verdict, notes=(*verdict.notes, note))
        try:
            reports = self._future.result()
        except XpilerError as why:
            note = "; ".join(f"{d.code}: {d.message} ({d.reason})" for d in why.diagnostics)
            return replace(verdict, notes=(*verdict.notes, note))
        return _joined(verdict, reports)


def _reports(text: str, platform: str) -> tuple[CompileReport, ...]:
    reports = compile_check(text, platform, filename=_ARTICLE)
    other = second_opinion(text, platform) if os.environ.get("XPILER_SECOND_OPINION") else None
    return reports if other is None else (*reports, other)


def _by_tool(reports: list[CompileReport]) -> tuple[str, ...]:
    """`NVRTC 13.5 for sm_80, sm_90`, one text a tool."""
    archs: dict[str, list[str]] = {}
    for report in reports:
        archs.setdefault(report.tool, []).append(report.arch)
    return tuple(f"{tool} for {', '.join(names)}" for tool, names in archs.items())


def _joined(verdict: Verdict, reports: tuple[CompileReport, ...]) -> Verdict:
    good = [r for r in reports if r.ok]
    notes = [_failure(r) for r in reports if not r.ok]
    notes += list(dict.fromkeys(f"{r.tool} warns: {_said(d)}" for r in good for d in r.warnings))
    notes = [*verdict.notes, *notes[:_SHOWN]]
    verdict = replace(verdict, compiled_by=_by_tool(good), notes=tuple(notes))
    if not reports or reports[0].ok or not verdict.ok:
        return verdict
    return replace(
        verdict, outcome="unverified", level="refused", code="XP0612", reason=_failure(reports[0])
    )


def _failure(report: CompileReport) -> str:
    errors = [d for d in report.messages if d.severity == "error"]
    said = "; ".join(map(_said, errors[:_SHOWN])) or "it gives no reason"
    return f"{report.tool} does not compile it for {report.arch}: {said}"


def _said(d: Diagnostic) -> str:
    where = f"line {d.loc.line}: " if d.loc is not None and d.loc.file == _ARTICLE else ""
    return f"{where}{d.message}{f' ({d.reason})' if d.reason else ''}"
