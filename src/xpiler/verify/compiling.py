"""The real compilers' part of a verdict: machine code, made while the emulators run."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace

from xpiler.diagnostics import Diagnostic, XpilerError
from xpiler.platforms.toolchains import CompileReport, compile_check, toolchain_of
from xpiler.verify.verdict import Verdict

_SHOWN = 3
_ARTICLE = "the translation"


class RealCompile:
    """A compilation under way; `judge` waits for it and adds its outcome to a verdict."""

    def __init__(self, platform: str, text: str) -> None:
        self._spec = toolchain_of(platform)
        self._future: Future[tuple[CompileReport, ...]] | None = None
        if self._spec is not None and self._spec.tool():
            pool = ThreadPoolExecutor(1)
            run = copy_context().run  # the sandbox's policy is kept in a context
            self._future = pool.submit(run, compile_check, text, platform, filename=_ARTICLE)
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


def _joined(verdict: Verdict, reports: tuple[CompileReport, ...]) -> Verdict:
    good = [r for r in reports if r.ok]
    notes = [_failure(r) for r in reports if not r.ok]
    notes += list(dict.fromkeys(f"{r.tool} warns: {_said(d)}" for r in good for d in r.warnings))
    by = f"{good[0].tool} for {', '.join(r.arch for r in good)}" if good else ""
    verdict = replace(
        verdict,
        compiled_by=(by,) if by else (),
        notes=(*verdict.notes, *notes[:_SHOWN]),
    )
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
