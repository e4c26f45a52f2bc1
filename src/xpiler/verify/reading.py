"""Reading a source: its program, and the plans by which it can be run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from xpiler.diagnostics import Diagnostic, XpilerError
from xpiler.ir.program import Program
from xpiler.ir.text import show_program
from xpiler.trace import Trace
from xpiler.verify.inference.plan import EntryPlan
from xpiler.verify.spec import Spec

if TYPE_CHECKING:
    from xpiler.platforms.registry import Platform


class ReadOptions(Protocol):
    """What reading needs to know; the pipeline's options have it."""

    @property
    def arch(self) -> str | None: ...
    @property
    def spec(self) -> Spec: ...
    @property
    def defines(self) -> Mapping[str, str]: ...
    @property
    def include_dirs(self) -> tuple[str, ...]: ...


@dataclass(slots=True)
class Reading:
    """A source after the front end: its program and how to run it (plans empty: not known how)."""

    text: str
    file: str
    platform: Platform
    program: Program
    spec: Spec
    arch: str | None = None
    plans: tuple[EntryPlan, ...] = ()


def read(
    text: str,
    file: str,
    source: Platform,
    options: ReadOptions,
    diagnostics: list[Diagnostic],
    trace: Trace | None = None,
) -> Reading:
    """Parse a source and find out how it can be run; problems of the latter are diagnostics."""
    from xpiler.frontend import read as parse
    from xpiler.verify.inference.infer import infer

    trace = trace or Trace(file, source.name, "")
    with trace.step("read") as step:
        result = parse(
            text,
            file,
            source.words,
            arch=options.arch,
            defines=options.defines,
            include_dirs=options.include_dirs,
            template_args=options.spec.template,
        )
        step.before, step.after = text, show_program(result.program)
    reading = Reading(text, file, source, result.program, options.spec, options.arch)
    if not result.program.functions:
        errors = any(d.severity == "error" for d in result.diagnostics)
        lack = [] if errors else [Diagnostic("XP0302", f"{file}: no kernel in this file")]
        raise XpilerError(*result.diagnostics, *lack)
    diagnostics += result.diagnostics
    with trace.step("plan") as step:
        try:
            reading.plans = infer(result.program, options.spec)
            for plan in reading.plans:
                diagnostics += plan.diagnostics
            step.after = "\n".join(
                f"{p.entry.name}: {c.describe()}" for p in reading.plans for c in p.cases
            )
        except XpilerError as why:
            diagnostics += [replace(d, severity="warning") for d in why.diagnostics]
            step.checks["inference"] = str(why)
    return reading
