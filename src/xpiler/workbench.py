"""What the pipeline lends to a proposer: material for its prompts, and the check of its texts."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from xpiler.diagnostics import Diagnostic, XpilerError
from xpiler.ir.program import Program
from xpiler.ir.types import Pointer, Type
from xpiler.neural.road import Mended, Report, stage_is_plain
from xpiler.platforms.registry import Platform
from xpiler.trace import Trace
from xpiler.verify.remembering import Remembering

if TYPE_CHECKING:
    from xpiler.ir.expr import Expr
    from xpiler.neural.prompts import Material
    from xpiler.neural.stages import Stage
    from xpiler.passes.lowering import EntryPoint
    from xpiler.verify.inference.plan import EntryPlan
    from xpiler.verify.reading import Reading
    from xpiler.verify.verdict import Verdict

_SAID = 3000  # characters about a wrong text


@dataclass(frozen=True, slots=True)
class Raised:
    """What verification needs to know of the translation beside its text.

    `forms` are the sequential program and the one in the target's form, where both are ours.
    """

    extras: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lost: frozenset[str] = frozenset()
    entries: Mapping[str, EntryPoint] = field(default_factory=dict)
    extents: Mapping[str, Mapping[str, Expr]] = field(default_factory=dict)
    alike: bool = False
    forms: tuple[Program, Program] | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """The symbolic passes' text (None: refused), how it is called, what it takes for granted."""

    text: str | None
    raised: Raised
    assumptions: tuple[str, ...] = ()


class Settled(Protocol):
    """Options of the pipeline that a check needs."""

    @property
    def sandbox(self) -> str: ...


@dataclass
class Workbench:
    """One source on its way to one target. `draft(platform, plain)` runs the symbolic passes."""

    reading: Reading
    target: Platform
    options: Settled
    trace: Trace
    draft: Callable[[Platform, bool], Draft]
    runs: Remembering = field(default_factory=Remembering)
    _drafts: dict[tuple[str, bool], Draft] = field(default_factory=dict)
    _verdicts: dict[tuple[str, str], Verdict] = field(default_factory=dict)
    _programs: dict[str, Program | None] = field(default_factory=dict)

    @property
    def source_text(self) -> str:
        return self.reading.text

    @property
    def source_platform(self) -> Platform:
        return self.reading.platform

    @property
    def judged(self) -> bool:
        """Whether a text can be checked at all: it is known how the source runs."""
        return any(plan.cases for plan in self.reading.plans)

    def drafted(self, platform: Platform, plain: bool) -> Draft:
        """The symbolic passes' text for a platform, made once."""
        key = platform.name, plain
        if key not in self._drafts:
            self._drafts[key] = self.draft(platform, plain)
        return self._drafts[key]

    def symbolic(self, stage: Stage) -> str | None:
        """The symbolic text after `stage`; the last passes share that of the whole translation."""
        plain = stage_is_plain(stage)
        if plain and stage.after.name != _plain_name():
            return None
        return self.drafted(stage.after, plain).text

    def material(self, stage: Stage, before: str) -> Material:
        """What the prompt of a stage is filled with."""
        from xpiler.neural.annotate import annotate
        from xpiler.neural.prompts import Material

        known = before if stage.before.name == _plain_name() else self.reading.text
        program = self._program_of(known)
        nests = annotate(program) if program is not None else ()
        return Material(
            before, stage.before, stage.after, nests, self._knobs(stage, program),
            self._contract(stage.after, stage_is_plain(stage)),
        )  # fmt: skip

    def check(self, text: str, stage: Stage) -> Report:
        """Read, build and run a text against the source."""
        from xpiler.frontend import read

        platform = stage.after
        name = f"answer{platform.suffixes[0]}"
        try:
            read(text, name, platform.words)
        except XpilerError as why:
            return Report("unread", _said(why.diagnostics))
        verdict = self.verdict(text, platform, stage_is_plain(stage))
        if verdict.ok:
            return Report("right")
        found = "; ".join(str(f) for f in verdict.findings[:8])
        said = "\n".join(filter(None, (f"{verdict.outcome}: {verdict.reason}", found)))
        if verdict.outcome == "unsound_source":
            return Report("moot", said[:_SAID])
        built = verdict.code != "XP0601"
        return Report("wrong" if built else "unbuilt", said[:_SAID])

    def verdict(self, text: str, platform: Platform, plain: bool = False) -> Verdict:
        """The verdict on a text, with the assumptions of the symbolic text where it is that."""
        from xpiler.verify.session import check_translation

        key = platform.name, text
        if key not in self._verdicts:
            draft = self.drafted(platform, plain)
            raised = draft.raised if draft.text is not None else Raised()
            same = text == draft.text
            self._verdicts[key] = check_translation(
                self.reading,
                text,
                platform,
                seed=self.trace.seed,
                sandbox=self.options.sandbox,
                assumptions=draft.assumptions if same else (),
                extras=raised.extras,
                entries=raised.entries,
                extents=raised.extents if same else {},
                alike=raised.alike,
                executor=self.runs,
            )
        return self._verdicts[key]

    def mended(self, text: str, stage: Stage, seconds: float) -> Mended | None:
        """A wrong text repaired by the smallest change that passes the check, if there is one."""
        from xpiler.repair.mend import Calling, Refused, mend_pair

        raised = self.drafted(stage.after, stage_is_plain(stage)).raised
        calling = Calling(raised.extras, raised.entries, {}, raised.lost, raised.alike)
        found = mend_pair(
            self.reading, text, stage.after, calling,
            seed=self.trace.seed, sandbox=self.options.sandbox, seconds=seconds,
            executor=self.runs,
        )  # fmt: skip
        if isinstance(found, Refused):
            return None
        lines = ", ".join(f"line {p.line}: {p.cls}" for p in found.places)
        return Mended(found.text, f"{found.changed} lines changed ({lines})")

    def _program_of(self, text: str) -> Program | None:
        """The sequential program of the source or of sequential C, for annotation; None where it
        is not to be had."""
        if text not in self._programs:
            self._programs[text] = None
            with contextlib.suppress(Exception):
                self._programs[text] = self._raised(text)
        return self._programs[text]

    def _raised(self, text: str) -> Program:
        from xpiler.frontend import read
        from xpiler.neural.stages import sequential_platform
        from xpiler.passes.cleanup import clean_up
        from xpiler.passes.recovery import recover

        program = self.reading.program
        if text != self.reading.text:
            plain = sequential_platform()
            program = read(text, f"text{plain.suffixes[0]}", plain.words).program
        return clean_up(recover(program, {}).program).program

    def _knobs(self, stage: Stage, program: Program | None) -> tuple[str, ...]:
        """The legal options of a pass, where a symbolic step of that name lists them."""
        from xpiler.neural.prompts import pass_prompt
        from xpiler.passes.steps import REGISTRY, Around

        step = REGISTRY.get(stage.name)
        if step is None or program is None or pass_prompt(stage.name).takes != "sequential":
            return ()
        with contextlib.suppress(Exception):
            return tuple(map(str, step.knobs(program, Around(self.target))[:40]))
        return ()

    def _contract(self, platform: Platform, plain: bool) -> str:
        """In words, how whoever checks the text calls it."""
        raised = self.drafted(platform, plain).raised
        lines = [_call(plan, raised) for plan in self.reading.plans]
        return "\n".join(dict.fromkeys(lines)) or "As the original is."


def _plain_name() -> str:
    from xpiler.neural.stages import sequential_platform

    return sequential_platform().name


def _call(plan: EntryPlan, raised: Raised) -> str:
    """How one entry is called."""
    entry = plan.entry
    params = ", ".join(f"{_spelled(p.type)} {p.name.split('.')[0]}" for p in entry.params)
    head = f"`{entry.name}({params})`"
    point = raised.entries.get(entry.name)
    if raised.alike:
        return f"- {head} is called as in the original, with the same launch."
    if point is not None and point.kind == "kernel":
        shape = f"grid {point.grid}, block {point.block}, {point.shared_bytes} shared bytes"
        return f"- the kernel {head} is launched with {shape}; its pointers are device memory."
    extra = raised.extras.get(entry.name, ())
    more = f" and, as unsigned numbers after its own, {', '.join(extra)}" if extra else ""
    near = " Its pointers are host memory." if any(_pointer(p) for p in entry.params) else ""
    return f'- {head} is an extern "C" host function with these parameters{more}.{near}'


_C_NAMES = {
    "f16": "half", "bf16": "bfloat16", "f32": "float", "f64": "double", "i8": "signed char",
    "i16": "short", "i32": "int", "i64": "int64_t", "u8": "unsigned char", "u16": "unsigned short",
    "u32": "unsigned", "u64": "uint64_t",
}  # fmt: skip


def _spelled(t: Type) -> str:
    """A type in C's words, as far as they are the same everywhere."""
    return re.sub(r"\w+", lambda m: _C_NAMES.get(m[0], m[0]), str(t))


def _pointer(p: Expr) -> bool:
    return isinstance(p.type, Pointer)


def _said(diagnostics: tuple[Diagnostic, ...]) -> str:
    """Diagnostics for whoever wrote the text."""
    return "\n".join(d.render() for d in diagnostics[:8])[:_SAID]
