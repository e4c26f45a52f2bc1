"""The main road: read, plan, raise, clean up, write, verify; every step in a trace."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from xpiler.analysis.claims import is_claim, without_claims
from xpiler.containment import internal_error, sound_part
from xpiler.diagnostics import Diagnostic, SourceLoc, XpilerError
from xpiler.ir.program import Program
from xpiler.ir.text import show_program
from xpiler.origin import origin_of
from xpiler.trace import Trace
from xpiler.verify.spec import Spec
from xpiler.workbench import Raised

if TYPE_CHECKING:
    from xpiler.passes.cleanup import Assumptions
    from xpiler.passes.lowering import EntryPoint, Lowered
    from xpiler.passes.recovery import LaunchShape
    from xpiler.passes.steps import Around, Instance
    from xpiler.platforms.registry import Platform
    from xpiler.verify.inference.work import Work
    from xpiler.verify.reading import Reading
    from xpiler.verify.verdict import Verdict
    from xpiler.workbench import Draft, Workbench


@dataclass(frozen=True, slots=True)
class Options:
    """How to translate. `seed` None draws a fresh one, which the trace records.

    `arch` is the source's architecture where it matters (`gfx90a`: waves of 64 lanes). `plain` asks
    for sequential text where the platform takes that (C without vector instructions).
    `schedule`: steps on the sequential program before it is lowered; a refused one is an error.
    `counted`: the verdict's counters have the source's operations, too, where the target's count.
    """

    target: str
    source: str | None = None
    arch: str | None = None
    spec: Spec = field(default_factory=Spec)
    defines: Mapping[str, str] = field(default_factory=dict)
    include_dirs: tuple[str, ...] = ()
    seed: int | None = None
    verify: bool = True
    sandbox: Literal["required", "off"] = "required"
    plain: bool = False
    schedule: tuple[Instance, ...] = ()
    counted: bool = False


@dataclass(slots=True)
class Translation:
    """What came out: `text` (None when refused), what was left out, and how sure we are of it.

    `loops`: how many of the innermost loops run in vectors, where the target is about that, and
    `ordered` of how many of the others data decides the order.
    """

    file: str
    source: str
    target: str
    trace: Trace
    text: str | None = None
    diagnostics: list[Diagnostic] = field(default_factory=list)
    verdict: Verdict | None = None
    assumptions: tuple[str, ...] = ()
    loops: tuple[int, int] | None = None
    ordered: int = 0

    @property
    def errors(self) -> list[Diagnostic]:
        return [d for d in self.diagnostics if d.severity == "error"]

    @property
    def partial(self) -> bool:
        """Whether something of the source is missing from the text."""
        return self.text is not None and bool(self.errors)

    @property
    def verified(self) -> bool:
        return self.verdict is not None and self.verdict.ok and not self.partial


class Proposer(Protocol):
    """Whoever brings texts where the symbolic passes alone would; only a check accepts them."""

    @property
    def first(self) -> bool:
        """Whether it is asked before the symbolic passes, not only where those fail."""
        ...

    @property
    def falls_back(self) -> bool:
        """Whether the symbolic passes' text is wanted where nothing was proposed."""
        ...

    def propose(self, bench: Workbench) -> str | None:
        """A text for the target that passed the bench's check, or None."""
        ...

    def remarks(self) -> list[Diagnostic]:
        """What there is to say about the last proposal."""
        ...


def translate(
    text: str, file: str, options: Options, proposer: Proposer | None = None
) -> Translation:
    """Translate `text`; never raises for what the text holds, only for wrong options.

    `proposer` is asked beside the symbolic passes.
    """
    from xpiler.platforms.registry import platform, platform_of
    from xpiler.verify.reading import read

    target = platform(options.target)
    source = platform(options.source) if options.source else platform_of(file, text)
    seed = secrets.randbits(32) if options.seed is None else options.seed
    trace = Trace(file, source.name, target.name, seed)
    out = Translation(file, source.name, target.name, trace)
    try:
        if not options.schedule:
            _check_direction(source, target)
        try:
            reading = read(text, file, source, options, out.diagnostics, trace)
        except XpilerError as why:
            if _port_unread(text, source, target, options, out, why):
                return out
            raise
        if proposer is None:
            _symbolic(reading, target, options, out)
        else:
            _proposed(reading, target, options, out, proposer)
    except XpilerError as why:
        out.diagnostics += why.diagnostics
    except (Exception, RecursionError) as why:
        if os.environ.get("XPILER_DEBUG"):
            raise
        out.diagnostics.append(internal_error(why, file))
    return out


def _symbolic(reading: Reading, target: Platform, options: Options, out: Translation) -> Raised:
    """The symbolic passes' text, verified if `options` ask for that; how it is called.

    Where what was guessed of the source may be all that is wrong, better guesses are looked for.
    """
    from xpiler.verify.settling import in_doubt, settle

    known = list(out.diagnostics)
    raised = _once(reading, target, options, out)
    if _claims_fail(out):
        out.text, out.verdict, out.diagnostics = None, None, [*known, _not_as_claimed(out)]
        reading.program = without_claims(reading.program)
        raised = _once(reading, target, options, out)
    if not in_doubt(out.verdict) or options.schedule:
        return raised
    with out.trace.step("other guesses") as step:
        changed = settle(reading, options.sandbox, out.trace.seed)
        step.checks["changed"] = "yes" if changed else "no"
    if changed:
        told = [d for plan in reading.plans for d in plan.diagnostics if d not in known]
        out.text, out.verdict, out.diagnostics = None, None, [*known, *told]
        raised = _once(reading, target, options, out)
    return raised


def _claims_fail(out: Translation) -> bool:
    """Whether the translation is wrong, and takes loops to be as the user's pragmas say."""
    wrong = out.verdict is not None and out.verdict.outcome == "wrong"
    return wrong and any(map(is_claim, out.assumptions))


def _not_as_claimed(out: Translation) -> Diagnostic:
    message = "not all loops with an OpenMP pragma are taken as parallel"
    reason = out.verdict.reason if out.verdict is not None else ""
    return Diagnostic("XP1101", message, "note", SourceLoc(out.file, 1), reason)


def _once(reading: Reading, target: Platform, options: Options, out: Translation) -> Raised:
    """The symbolic passes' text for the plans that there are."""
    if not options.schedule and _port(reading, target, options, out):
        return Raised(alike=True)
    raised = _raise_and_write(reading, target, out, options)
    if out.text is not None and options.verify:
        _verify(reading, target, options, out, raised)
    return raised


def _proposed(
    reading: Reading, target: Platform, options: Options, out: Translation, proposer: Proposer
) -> None:
    """A proposer's text, before or after the symbolic passes' one, whichever it asks for."""
    from xpiler.neural.road import proposers
    from xpiler.workbench import Workbench

    if not proposer.first:
        try:
            _symbolic(reading, target, options, out)
        except XpilerError as why:
            out.diagnostics += why.diagnostics
        if out.verified or not options.verify:
            return
    bench = Workbench(reading, target, options, out.trace, partial(_draft, reading, options))
    text = proposer.propose(bench)
    remarks = [replace(d, loc=SourceLoc(out.file, 1)) for d in proposer.remarks()]
    if text is None and proposer.first and proposer.falls_back:
        out.diagnostics += [replace(d, severity="warning") for d in remarks]
        _symbolic(reading, target, options, out)
        return
    if text is None:
        out.diagnostics += remarks
        return
    out.text = text
    out.verdict = replace(bench.verdict(text, target), proposers=proposers(out.trace))
    kept = [d for d in out.diagnostics if d.severity != "error"]
    out.diagnostics = [*kept, *remarks, *out.verdict.diagnostics()]
    out.assumptions = out.verdict.assumptions


def workbench(text: str, file: str, options: Options) -> Workbench:
    """What a proposer would be lent for this source; raises XpilerError where it is not read."""
    from xpiler.platforms.registry import platform, platform_of
    from xpiler.verify.reading import read
    from xpiler.workbench import Workbench

    target = platform(options.target)
    source = platform(options.source) if options.source else platform_of(file, text)
    trace = Trace(file, source.name, target.name, options.seed or 0)
    reading = read(text, file, source, options, [], trace)
    return Workbench(reading, target, options, trace, partial(_draft, reading, options))


def _draft(reading: Reading, options: Options, target: Platform, plain: bool) -> Draft:
    """What the symbolic passes make of a source, not verified; nothing of it is in the trace."""
    from xpiler.workbench import Draft

    own = replace(options, verify=False, plain=plain, schedule=())
    trace = Trace(reading.file, reading.platform.name, target.name)
    out = Translation(reading.file, reading.platform.name, target.name, trace)
    try:
        raised = _symbolic(reading, target, own, out)
    except XpilerError:
        return Draft(None, Raised())
    return Draft(None if out.partial else out.text, raised, out.assumptions)


def _check_direction(source: Platform, target: Platform) -> None:
    if source.name == target.name:
        raise XpilerError(Diagnostic("XP0903", f"the file is {source.title} already"))
    if not target.writable:
        raise XpilerError(Diagnostic("XP0904", f"writing {target.title} is not built yet"))
    if not source.readable:
        raise XpilerError(Diagnostic("XP0904", f"reading {source.title} is not built yet"))


def _port(reading: Reading, target: Platform, options: Options, out: Translation) -> bool:
    """Within a family of platforms: edit the user's own text. False: the ordinary road is next.

    That is where something could not be carried or the edited text is not as good as the source,
    unless the ordinary road does no better.
    """
    from xpiler.port import can_port, port

    if not can_port(reading.platform, target):
        return False
    with out.trace.step("port") as step:
        ported = port(
            reading.text,
            reading.file,
            reading.platform,
            target,
            include_dirs=options.include_dirs,
            defines=options.defines,
            arch=options.arch,
        )
        step.before, step.after = reading.text, ported.text
        step.checks["complete"] = "yes" if ported.complete else "no"
    attempt = replace(out, text=ported.text, diagnostics=[*out.diagnostics, *ported.diagnostics])
    if options.verify:
        _verify(reading, target, options, attempt, Raised(alike=True))
    verdict = attempt.verdict
    moot = verdict is None or verdict.outcome == "unsound_source" or verdict.code == "XP0704"
    good = attempt.verified or (ported.complete and moot)
    if not good and _by_road(reading, target, options, out):
        return True
    out.text, out.diagnostics = attempt.text, attempt.diagnostics
    out.verdict, out.assumptions = attempt.verdict, attempt.assumptions
    return True


def _port_unread(
    text: str,
    source: Platform,
    target: Platform,
    options: Options,
    out: Translation,
    why: XpilerError,
) -> bool:
    """Port a text that the front end cannot read or that has no kernel; it is not verified."""
    from xpiler.port import can_port, port
    from xpiler.verify.verdict import Verdict

    if not can_port(source, target):
        return False
    folders, chip = options.include_dirs, options.arch
    with out.trace.step("port") as step:
        ported = port(
            text, out.file, source, target,
            include_dirs=folders, defines=options.defines, arch=chip,
        )  # fmt: skip
        step.before, step.after = text, ported.text
    out.text = ported.text
    said = [*out.diagnostics, *why.diagnostics]
    out.diagnostics = [replace(d, severity="warning") for d in said] + [*ported.diagnostics]
    reason = "nothing in it can be run"
    out.verdict = Verdict("unverified", "compiled", code="XP0704", reason=reason)
    return True


def _by_road(reading: Reading, target: Platform, options: Options, out: Translation) -> bool:
    """The ordinary road instead of port mode, taken up into `out` where it does better."""
    road = replace(out, diagnostics=list(out.diagnostics))
    try:
        raised = _raise_and_write(reading, target, road, options)
        if road.text is not None and options.verify:
            _verify(reading, target, options, road, raised)
    except Exception as why:
        out.trace.steps[-1].checks["failed"] = str(why)[:200]
        return False
    if road.text is None or road.errors or (options.verify and not road.verified):
        return False
    note = "written anew: editing the text did not carry everything"
    road.diagnostics.append(Diagnostic("XP1007", note, "note", loc=SourceLoc(out.file, 1)))
    out.text, out.diagnostics = road.text, road.diagnostics
    out.verdict, out.assumptions = road.verdict, road.assumptions
    return True


def _raise_and_write(
    reading: Reading, target: Platform, out: Translation, options: Options
) -> Raised:
    """Fill in the translation's text (left None when nothing could be raised).

    Where a pass of ours fails, the functions that do not show it are written all the same.
    """
    known = list(out.diagnostics)
    try:
        return _passes(reading, reading.program, target, out, options)
    except XpilerError:
        raise
    except Exception as why:
        if os.environ.get("XPILER_DEBUG"):
            raise

        def attempt(part: Program) -> None:
            trial = Translation(out.file, out.source, out.target, Trace("", "", ""))
            _passes(reading, part, target, trial, options)

        part, told = sound_part(reading.program, attempt, out.file)
        if not part.functions or not told:
            raise
        out.diagnostics = [*known, *told]
        out.trace.steps[-1].checks["failed"] = str(why)[:200]
        return _passes(reading, part, target, out, options)


def _passes(
    reading: Reading, part: Program, target: Platform, out: Translation, options: Options
) -> Raised:
    """The passes on the whole program of a source or on a part of it, and the text."""
    from xpiler.backend import write_unit

    assumed: list[str] = []
    plain = _sequential(reading, part, target, out, assumed)
    program = part if by_itself(options.schedule) else plain
    program = _scheduled(program, reading, target, out, options, assumed)
    lowered = _lower(reading, program, target, out, options, plain)
    out.assumptions = tuple(dict.fromkeys((*assumed, *lowered.assumptions)))
    names: Mapping[str, str] = {}
    if lowered.program.functions:
        with out.trace.step("write") as step:
            head = (
                f"Translated from {Path(reading.file).name} ({reading.platform.title}) by Xpiler."
            )
            step.before = show_program(lowered.program)
            written = write_unit(lowered.program, target.spelling, (head,))
            out.diagnostics += written.diagnostics
            out.text = step.after = written.text
            names = written.names
    lost = {f.name for f in reading.program.kernels()} - {f.name for f in program.functions}
    lost |= {p.entry.name for p in reading.plans} - {f.name for f in lowered.program.functions}
    extras = _extra_parameters(reading, program)
    forms = plain, lowered.program
    entries = _named(lowered, names)
    return Raised(extras, frozenset(lost), entries, lowered.extents, forms=forms)


def _named(lowered: Lowered, names: Mapping[str, str]) -> dict[str, EntryPoint]:
    """How the functions of the text are called, those that had to be renamed among them."""
    from xpiler.passes.lowering import EntryPoint

    entries = dict(lowered.entries)
    for f in lowered.program.functions:
        if (name := names.get(f.name, f.public)) != f.public:
            entries[f.name] = replace(entries.get(f.name, EntryPoint()), name=name)
    return entries


def by_itself(schedule: Sequence[Instance]) -> bool:
    """Whether a schedule starts at the source's own program: it recovers the loops itself."""
    return bool(schedule) and schedule[0].step == "loop_recovery"


def _sequential(
    reading: Reading, part: Program, target: Platform, out: Translation, assumed: list[str]
) -> Program:
    """The source, or a part of it, as a sequential program in its canonical form."""
    from xpiler.passes.byvalue import by_value
    from xpiler.passes.cleanup import clean_up
    from xpiler.passes.recovery import recover

    with out.trace.step("loop recovery") as step:
        step.before = show_program(part)
        raised = recover(part, _shapes(reading))
        out.diagnostics += raised.diagnostics
        program, handed = by_value(raised.program, part)
        step.after = show_program(program)
    with out.trace.step("clean-up") as outer:
        outer.before = step.after
        table = target.tables.get("lowering", {})
        in_order = not table or bool(table.get("optional"))
        cleaned = clean_up(program, assume=_assume(reading, target), in_order=in_order)
        outer.after = show_program(cleaned.program)
        if cleaned.failures:
            outer.checks["left as it was"] = "; ".join(cleaned.failures)
    _pass_steps(out.trace, step.after, cleaned.steps)
    assumed += [*raised.assumptions, *handed, *cleaned.assumptions]
    return cleaned.program


def _assume(reading: Reading, target: Platform) -> Assumptions:
    """What clean-up may take for granted on the way to `target`."""
    from xpiler.passes.cleanup import Assumptions

    apart = bool(target.tables.get("lowering", {}).get("separate_memory"))
    return Assumptions(separate=apart and bool(reading.program.kernels()))


def sequential(text: str, file: str, options: Options) -> tuple[Program, Around]:
    """What a schedule starts from, and what its steps may know; raises XpilerError."""
    from xpiler.platforms.registry import platform, platform_of
    from xpiler.verify.reading import read

    source = platform(options.source) if options.source else platform_of(file, text)
    target = platform(options.target)
    out = Translation(file, source.name, target.name, Trace(file, source.name, target.name))
    reading = read(text, file, source, options, out.diagnostics, out.trace)
    if by_itself(options.schedule):
        return reading.program, around(reading, target)
    return _sequential(reading, reading.program, target, out, []), around(reading, target)


def _scheduled(
    program: Program,
    reading: Reading,
    target: Platform,
    out: Translation,
    options: Options,
    assumed: list[str],
) -> Program:
    """The program after the schedule, which adds to what is assumed; raises XpilerError."""
    from xpiler.passes.steps import REGISTRY, Done, take

    for one in options.schedule:
        with out.trace.step(one.step, **dict(one.params)) as step:
            taken = take(program, one, REGISTRY, around(reading, target))
            if not isinstance(taken.outcome, Done):
                reason = taken.outcome.reason
                loc = SourceLoc(out.file, 1)
                raise XpilerError(Diagnostic("XP1301", f"{one}", loc=loc, reason=reason))
            step.before, step.after = show_program(program), show_program(taken.program)
            if taken.check is not None:
                step.checks[taken.check.method] = taken.check.detail
            assumed += taken.outcome.assumptions
            program = taken.program
    return program


def around(reading: Reading, target: Platform) -> Around:
    """What the steps may know beside the program."""
    from xpiler.passes.steps import Around

    return Around(target, _shapes(reading), _assume(reading, target))


def _lower(
    reading: Reading,
    program: Program,
    target: Platform,
    out: Translation,
    options: Options,
    plain_form: Program,
) -> Lowered:
    """The sequential program in the target's form; `plain_form` is what the schedule began with."""
    from xpiler.passes.byvalue import by_address
    from xpiler.passes.lowering import lower

    with out.trace.step("lowering") as step:
        step.before = show_program(program)
        origin = origin_of(reading)
        if options.schedule:
            origin = replace(origin, plain=plain_form)
        lowered = lower(program, target, origin, plain=options.plain)
        lowered = replace(lowered, program=by_address(lowered.program, reading.program))
        step.after = show_program(lowered.program)
    out.diagnostics += lowered.diagnostics
    out.loops, out.ordered = lowered.loops, lowered.ordered
    return lowered


def _pass_steps(trace: Trace, before: str, steps: Sequence[tuple[str, Program]]) -> None:
    """One trace step for each clean-up pass that changed the program."""
    for name, program in steps:
        with trace.step(name) as inner:
            inner.before, inner.after = before, show_program(program)
            before = inner.after


def _extra_parameters(reading: Reading, raised: Program) -> dict[str, tuple[str, ...]]:
    """Launch parameters (`grid_x`) that kernels took on because nothing in the file says them."""
    out = {}
    for plan in reading.plans:
        found = [f for f in raised.functions if f.name == plan.entry.name]
        if plan.kind == "kernel" and found:
            added = found[0].params[len(plan.entry.params) :]
            out[plan.entry.name] = tuple(p.name.split(".")[0] for p in added)
    return out


def _shapes(reading: Reading) -> dict[str, LaunchShape]:
    """Launch shapes of the kernels that no host code of the file launches."""
    from xpiler.passes.recovery import LaunchShape

    return {
        plan.entry.name: LaunchShape(plan.shape.grid, plan.shape.block, plan.shape.shared_bytes)
        for plan in reading.plans
        if plan.shape is not None
    }


def _work(target: Platform, raised: Raised) -> Work | None:
    """What counts the operations of the source and the scalar ones of the target, where the
    platform has a table of work."""
    from xpiler.verify.inference.work import Work

    if raised.forms is None or "work" not in target.tables:
        return None
    return Work(*raised.forms, raised.extras, raised.entries)


def _verify(
    reading: Reading, target: Platform, options: Options, out: Translation, raised: Raised
) -> None:
    from xpiler.verify.session import check_translation

    assert out.text is not None
    with out.trace.step("verify") as step:
        out.verdict = check_translation(
            reading,
            out.text,
            target,
            seed=out.trace.seed,
            sandbox=options.sandbox,
            assumptions=out.assumptions,
            extras=raised.extras,
            lost=raised.lost,
            entries=raised.entries,
            extents=raised.extents,
            alike=raised.alike,
            work=_work(target, raised) if options.counted else None,
        )
        out.diagnostics += out.verdict.diagnostics()
        step.checks["verdict"] = out.verdict.render()
