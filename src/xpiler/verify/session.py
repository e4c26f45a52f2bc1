"""From plans to verdicts: build the calls of both sides, run them, sum up."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from xpiler.diagnostics import Diagnostic, XpilerError
from xpiler.ir import expr as e
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import walk
from xpiler.ir.stmt import Instr
from xpiler.ir.types import Opaque, Pointer, Scalar, Struct, Type, Vector
from xpiler.platforms.protocol import emulator_of
from xpiler.verify.dtypes import encode
from xpiler.verify.inference.candidates import reachable
from xpiler.verify.inference.entries import Row, handed, launched, leaves, numbers, rows
from xpiler.verify.inference.plan import BufferPlan, Case, EntryPlan
from xpiler.verify.inference.values import place, size_of
from xpiler.verify.inputs import BufferSpec, RecordSpec
from xpiler.verify.invocation import RETURNED, ObjectArg, ScalarArg, Triple
from xpiler.verify.judge import INDEPENDENT, NOT_A_NUMBER
from xpiler.verify.marks import divisors_of, marks_of
from xpiler.verify.numerics import integral_inputs, precision_of
from xpiler.verify.patterns import float_bits
from xpiler.verify.runner import Unit
from xpiler.verify.spec import evaluate
from xpiler.verify.unfilled import unfilled
from xpiler.verify.verdict import Verdict, combine
from xpiler.verify.verifier import Argument, Entry, VerifyCase

if TYPE_CHECKING:
    from xpiler.platforms.registry import Platform
    from xpiler.verify.executor import EmulatorExecutor
    from xpiler.verify.inference.work import Work
    from xpiler.verify.reading import Reading


class TargetPoint(Protocol):
    """How an entry of the translation is called (lowering's `EntryPoint`)."""

    @property
    def kind(self) -> Literal["function", "kernel"]: ...
    @property
    def grid(self) -> Triple: ...
    @property
    def block(self) -> Triple: ...
    @property
    def shared_bytes(self) -> int: ...
    @property
    def name(self) -> str: ...


DTYPES = {
    "f16": "float16", "bf16": "bf16", "f32": "float32", "f64": "float64", "bool": "bool",
    "i8": "int8", "i16": "int16", "i32": "int32", "i64": "int64",
    "u8": "uint8", "u16": "uint16", "u32": "uint32", "u64": "uint64",
}  # fmt: skip


def neutral_ctype(t: Type) -> str:
    """The IR's own name of a type, which the executor spells for each platform (`f32`, `f32x4`)."""
    return str(t)


def buffer_spec(program: Program, plan: BufferPlan) -> BufferSpec | RecordSpec:
    """A buffer of scalars: vectors count by lane, structs of one kind of numbers by field."""
    found = numbers(program, plan.elem)
    if found is None or plan.fields:
        parts = tuple((r.offset, _part(plan, r)) for r in rows(program, plan.elem))
        return RecordSpec(plan.name, size_of(plan.elem, program), plan.count, parts)
    elem, lanes = found
    return BufferSpec(
        plan.name,
        "" if isinstance(plan.elem, Struct) else neutral_ctype(plan.elem),
        DTYPES[elem.name],
        plan.count * lanes,
        plan.role,  # type: ignore[arg-type]
        plan.bounds,
        plan.is_index,
        distinct=plan.distinct,
        ascending=plan.ascending,
        guessed=plan.guessed,
    )


def _part(plan: BufferPlan, row: Row) -> BufferSpec:
    """One field of the structs in a buffer."""
    name = plan.name + row.name
    known = next((f for f in plan.fields if f.name == name), plan)
    return BufferSpec(
        name, "", DTYPES[row.kind.name], plan.count * row.count, plan.role,  # type: ignore[arg-type]
        known.bounds, known.is_index, distinct=known.distinct, guessed=plan.guessed,
    )  # fmt: skip


def arguments(program: Program, entry: Function, case: Case) -> tuple[Argument, ...]:
    """The arguments of `entry` in order, values and extents from `case`."""
    buffers = {b.name: b for b in case.buffers}
    return tuple(
        a
        for p, given in zip(entry.params, handed(program, entry), strict=True)
        for a in (
            _arguments(program, given, buffers, case.scalars)
            if p == given or isinstance(given.type, Opaque)
            else _lent(program, given, buffers, case.scalars)
        )
    )


def _lent(
    program: Program,
    given: e.Var,
    buffers: Mapping[str, BufferPlan],
    scalars: Mapping[str, int | float],
) -> tuple[ScalarArg | ObjectArg | BufferSpec | RecordSpec, ...]:
    """A struct that is passed by address; one with pointers is followed by their buffers."""
    whole, *inner = _arguments(program, given, buffers, scalars)
    if inner and isinstance(whole, ScalarArg):
        return (replace(whole, lent=True), *inner)
    return (ObjectArg(given.name, _struct_bytes(program, given, scalars)),)


def _arguments(
    program: Program,
    p: e.Var,
    buffers: Mapping[str, BufferPlan],
    scalars: Mapping[str, int | float],
) -> tuple[ScalarArg | BufferSpec | RecordSpec, ...]:
    """One argument; a struct is followed by the buffers that its pointers point to."""
    if isinstance(p.type, Pointer):
        return (buffer_spec(program, buffers[p.name]),)
    if isinstance(p.type, Opaque):
        return (ScalarArg(neutral_ctype(p.type), 0),)
    if not isinstance(p.type, (Struct, Vector)):
        return (ScalarArg(neutral_ctype(p.type), scalars.get(p.name, 1)),)
    inner = [(n, x) for n, x in leaves(program, p, p.name) if isinstance(x.type, Pointer)]
    whole = ScalarArg(
        neutral_ctype(p.type),
        _struct_bytes(program, p, scalars),
        tuple(place(x, program) for _, x in inner),
    )
    return (whole, *(buffer_spec(program, buffers[n]) for n, _ in inner))


def _struct_bytes(program: Program, p: e.Var, scalars: Mapping[str, int | float]) -> bytes:
    """A struct as the compilers lay it out: natural alignment, zero padding, null pointers."""
    out = bytearray(size_of(p.type, program))
    for name, x in leaves(program, p, p.name):
        if isinstance(x.type, Scalar):
            value = encode(np.array([scalars.get(name, 1)]), DTYPES[x.type.name]).tobytes()
            at = place(x, program)
            out[at : at + len(value)] = value
    return bytes(out)


def verify_cases(
    program: Program,
    plan: EntryPlan,
    extra: Sequence[str] = (),
    point: TargetPoint | None = None,
    alike: bool = False,
) -> tuple[VerifyCase, ...]:
    """Calls of both sides for every case; `extra` names launch parameters that the target added.

    `point` says how the target's entry is called where that is no plain host function; `alike`:
    as the source's is.
    """
    f = plan.entry
    out = []
    for case in (*plan.cases, *plan.further):
        args = arguments(program, f, case)
        name = f.symbol or f.name
        source = Entry(name, "function", overloaded=_overloaded(program, f))
        if plan.kind == "kernel":
            launch = (case.grid, case.block, case.shared_bytes)
            source = Entry(name, "kernel", *launch, overloaded=source.overloaded)
        shape = _shape_values(case)
        known_as = (point.name if point is not None else "") or f.public
        target = Entry(known_as, "function", extra=tuple(ScalarArg("u32", shape[n]) for n in extra))
        if alike:
            target = source
        elif point is not None and point.kind == "kernel":
            target = replace(
                target, kind="kernel", grid=point.grid, block=point.block,
                shared_bytes=point.shared_bytes,
            )  # fmt: skip
        out.append(VerifyCase((*args, *_returned(f)), source, target, case.describe()))
    known = len(plan.cases)
    return (*out[:known], *(replace(case, tentative=True) for case in out[known:]))


def _overloaded(program: Program, f: Function) -> bool:
    """Whether the text has another function that goes by the same name."""
    return sum((g.symbol or g.name) == (f.symbol or f.name) for g in program.functions) > 1


def _returned(f: Function) -> tuple[BufferSpec, ...]:
    if not isinstance(f.ret, Scalar) or f.ret.name == "void":
        return ()
    return (BufferSpec(RETURNED, neutral_ctype(f.ret), DTYPES[f.ret.name], 1, "out"),)


def _shape_values(case: Case) -> dict[str, int]:
    out = {f"grid_{d}": n for d, n in zip("xyz", case.grid, strict=True)}
    out |= {f"block_{d}": n for d, n in zip("xyz", case.block, strict=True)}
    return out | {"shared_bytes": case.shared_bytes}


@contextlib.contextmanager
def sandboxed(policy: str) -> Iterator[None]:
    from xpiler.host.sandbox import sandbox_policy

    with sandbox_policy(policy):  # type: ignore[arg-type]
        yield


def check_translation(
    reading: Reading,
    target_text: str,
    target: Platform,
    *,
    seed: int = 0,
    sandbox: str = "required",
    assumptions: tuple[str, ...] = (),
    extras: Mapping[str, Sequence[str]] | None = None,
    lost: frozenset[str] = frozenset(),
    entries: Mapping[str, TargetPoint] | None = None,
    extents: Mapping[str, Mapping[str, e.Expr]] | None = None,
    alike: bool = False,
    executor: EmulatorExecutor | None = None,
    work: Work | None = None,
) -> Verdict:
    """The verdict on a translation. Raises XpilerError only where the machine fails (XP08).

    `lost` names functions that could not be translated: entries that need one are not run.

    `extras` maps a kernel's name to the launch parameters that its translation has in addition.
    `entries` says how entries of the translation are called that are no plain host functions;
    `alike`: all of them as the source's are, kernels by their own launch shape. `extents` has the
    elements that buffers have at least, by function and parameter, as `assumptions` say.

    The source's program sets tolerances and kinds of input, never an expected value. `executor`
    may be one that remembers runs, for whoever checks many translations of one source. `work`
    counts operations that the target's emulator does not see.
    """
    from xpiler.verify.compiling import RealCompile
    from xpiler.verify.executor import EmulatorExecutor
    from xpiler.verify.verifier import Options, verify

    # The text is read before compilers run beside us: a process with threads is not forked safely.
    asked = bool(reading.plans) and not (alike and reading.platform != target)
    plans = busy_plans(reading, target, target_text) if asked else reading.plans
    with sandboxed(sandbox):
        real = RealCompile(target.name, target_text)
    if not plans:
        reason = "it is not known how to run it"
        return real.judge(Verdict("unverified", "compiled", code="XP0704", reason=reason))
    models = _models(reading, target, target_text)
    program, source = reading.program, reading.platform.name
    units = (
        Unit(reading.text, source, reading.arch, reading.file),
        Unit(target_text, target.name, None, "translation"),
    )
    options = Options(seed=seed, assumptions=assumptions, precision=precision_of(program))

    def verdict_on(plan: EntryPlan) -> Verdict:
        cases = calls_of(program, plan, extras or {}, entries or {}, alike)
        if work is not None:
            sizes = (*plan.cases, *plan.further)
            cases = tuple(
                replace(c, work=partial(work.of, plan.entry.name, size))
                for c, size in zip(cases, sizes, strict=True)
            )
        return verify(*units, cases, executor=runs, options=options)

    with sandboxed(sandbox), executor or EmulatorExecutor() as runs:
        verdicts = []
        for given in plans:
            plan = with_room(given, (extents or {}).get(given.entry.name, {}))
            if needed := lost & needs(program, plan.entry):
                why = f"{', '.join(sorted(needed))} could not be translated"
                verdicts.append(Verdict("unverified", "refused", code="XP0704", reason=why))
                continue
            verdicts.append(_of_plan(plan, verdict_on))
        found = _with_reason(combine(verdicts), program)
        return real.judge(replace(found, models=models))


def _models(reading: Reading, target: Platform, target_text: str) -> tuple[str, ...]:
    """What stands in for the real thing where the two texts are run."""
    from xpiler.host.compiler import toolchain

    found = []
    for one, text in ((reading.platform, reading.text), (target, target_text)):
        own = emulator_of(one.name).modelled(text, toolchain(None))
        found += [m for m in (one.tables.get("model"), own) if m]
    return tuple(dict.fromkeys(found))


def _of_plan(plan: EntryPlan, verdict_on: Callable[[EntryPlan], Verdict]) -> Verdict:
    """The verdict on one entry, at sizes and with inputs that the source is made for."""
    if not plan.cases:
        why = "; ".join(d.message for d in plan.diagnostics)
        code = "XP0709" if "XP0709" in {d.code for d in plan.diagnostics} else "XP0704"
        return Verdict("unverified", "compiled", code=code, reason=why)
    verdict = verdict_on(plan)
    if plan.aligned and (why := _of_sizes(verdict)):
        verdict = _at_other_sizes(plan, verdict_on)
        verdict = replace(verdict, assumptions=(why, *verdict.assumptions))
    if verdict.code == "XP0704" and NOT_A_NUMBER in verdict.reason:
        positive = verdict_on(_positive(plan))
        if positive.outcome != "unverified":
            verdict = replace(positive, assumptions=(POSITIVE, *positive.assumptions))
    return verdict


def _with_reason(v: Verdict, program: Program) -> Verdict:
    """The verdict with the variables that nothing fills: zeros hide a term."""
    names = ", ".join(unfilled(program)) if v.ok or v.reason == INDEPENDENT else ""
    if not names:
        return v
    if v.ok:
        zeros = f"{names}: zeros, since nothing that could be read fills them"
        return replace(v, assumptions=(*v.assumptions, zeros))
    return replace(v, reason=f"{INDEPENDENT}: nothing that could be read fills {names}")


def calls_of(
    program: Program,
    plan: EntryPlan,
    extras: Mapping[str, Sequence[str]],
    entries: Mapping[str, TargetPoint],
    alike: bool,
) -> tuple[VerifyCase, ...]:
    """The calls that `check_translation` makes for a plan; it says what the arguments mean."""
    name = plan.entry.name
    cases = verify_cases(program, plan, extras.get(name, ()), entries.get(name), alike)
    whole = {n for function, n in integral_inputs(program) if function == name}
    marks = {n: told for (function, n), told in marks_of(program).items() if function == name}
    bits = float_bits(program, name)
    by = {n for function, n in divisors_of(program) if function == name}
    cases = tuple(c.with_integral(whole).with_divisors(by) for c in cases)
    return tuple(c.with_marks(marks).with_bits(bits) for c in cases)


def with_room(plan: EntryPlan, extents: Mapping[str, e.Expr]) -> EntryPlan:
    """The plan with buffers of at least these extents."""

    def buffer(b: BufferPlan, c: Case) -> BufferPlan:
        if b.name not in extents:
            return b
        room = max(b.count, evaluate(extents[b.name], c.scalars))
        return replace(b, count=room, guessed=False)

    return plan.with_buffers(buffer) if extents else plan


def _translated(text: str, target: Platform) -> Program | None:
    """The program that a translation is; None where its text cannot be read."""
    from xpiler.frontend import read

    try:
        return read(text, f"translation{target.suffixes[0]}", target.words).program
    except XpilerError:
        return None


def busy_plans(reading: Reading, target: Platform, text: str) -> tuple[EntryPlan, ...]:
    """The plans with sizes for which the translation does all that it can do, too.

    Loops over tiles take a second turn, and where the platform runs blocks of threads all of those
    have work. Where whole buffers are copied to a device, they stay as long as they were guessed.
    A text that cannot be read changes nothing.
    """
    from xpiler.verify.inference.infer import further_for

    threads = bool(target.limits.get("threads_per_block", 0))
    program = _translated(text, target)
    if program is None:
        return reading.plans

    def plan(p: EntryPlan) -> EntryPlan:
        if not p.cases:
            return p
        further = further_for(reading.program, p, reading.spec, program, threads)
        return replace(p, further=(*p.further, *further))

    plans = tuple(map(plan, reading.plans))
    return tuple(map(_as_guessed, plans)) if _copies_to_device(program) else plans


def _copies_to_device(program: Program) -> bool:
    """Whether host code of the program copies between the memories of host and device."""
    return any(
        isinstance(st, Instr) and st.name == "host.copy" and dict(st.attrs).get("kind") != "h2h"
        for f in program.functions
        for st in walk(f.body)
    )


def _as_guessed(plan: EntryPlan) -> EntryPlan:
    """The plan with the extents that were guessed taken as given."""
    return plan.with_buffers(lambda b, _: replace(b, guessed=False))


def _kernels_stay(reading: Reading, target_text: str, target: Platform, ported: bool) -> bool:
    """Whether kernels that are run by themselves are kernels of a given translation, too."""
    bare = {plan.entry.name for plan in reading.plans if plan.kind == "kernel"}
    if not bare or not (ported or reading.platform == target):
        return ported
    program = _translated(target_text, target)
    return program is None or bare <= {f.name for f in program.kernels()}


def calling_of(reading: Reading, target_text: str, target: Platform) -> dict[str, tuple[str, ...]]:
    """Launch parameters that a given translation's functions take in addition, by entry.

    They are told by their names (`grid_x`), which `translate` gives them too. A text that cannot be
    read has none.
    """
    slots = tuple(_shape_names())
    program = _translated(target_text, target)
    if program is None:
        return {}
    functions = {f.name: f for f in program.functions}
    found = {}
    for plan in reading.plans:
        f = functions.get(plan.entry.name)
        added = f.params[len(plan.entry.params) :] if f is not None else ()
        names = tuple(p.name for p in added)
        if plan.kind == "kernel" and names and set(names) <= set(slots):
            found[plan.entry.name] = names
    return found


def _shape_names() -> list[str]:
    return [f"{w}_{d}" for w in ("grid", "block") for d in "xyz"] + ["shared_bytes"]


def needs(program: Program, entry: Function) -> set[str]:
    """Functions and kernels that running `entry` runs, itself among them."""
    called = {f.name for f in reachable(program, entry)}
    kernels = launched(program, entry)
    inner = {g.name for k in kernels for g in reachable(program, program.function(k))}
    return called | kernels | inner


ALIGNED = "sizes are such that wide accesses are aligned"
WITHIN = "sizes are such that subscripts stay within their rows"


POSITIVE = "inputs lie between 1/16 and 2: on others most results are not numbers"


def _positive(plan: EntryPlan) -> EntryPlan:
    """The plan with inputs that roots and logarithms take, where nobody gave a range."""

    def buffer(b: BufferPlan, _: Case) -> BufferPlan:
        elem = b.elem.elem if isinstance(b.elem, Vector) else b.elem
        free = b.bounds is None and b.role != "out" and isinstance(elem, Scalar) and elem.is_float
        return replace(b, bounds=(0.0625, 2.0)) if free else b

    return replace(plan.with_buffers(buffer), further=())


def _of_sizes(v: Verdict) -> str:
    """What the sizes that were tried are to blame for, since the text does not say; or ""."""
    kinds = {f.kind for f in v.findings if f.severity == "error"}
    if v.outcome != "unsound_source" or not kinds:
        return ""
    if kinds <= {"misaligned", "operand"}:
        return ALIGNED
    return WITHIN if kinds <= {"misaligned", "operand", "array_bounds"} else ""


def _at_other_sizes(plan: EntryPlan, verdict_on: Callable[[EntryPlan], Verdict]) -> Verdict:
    """The verdict for multiples of 16: for all that there are, else for the first sound ones."""
    verdict = verdict_on(replace(plan, cases=plan.aligned, further=()))
    for case in reversed(plan.aligned if len(plan.aligned) > 1 else ()):
        if not _of_sizes(verdict):
            break
        verdict = verdict_on(replace(plan, cases=(case,), further=()))
    return verdict


def verify_pair(source_text: str, target_text: str, file: str, options: Any) -> Verdict:
    """Compare a source with a given translation. Raises XpilerError where neither can be run."""
    from xpiler.platforms.registry import platform, platform_of
    from xpiler.port import can_port
    from xpiler.verify.reading import read
    from xpiler.verify.settling import in_doubt, settle

    source = platform(options.source) if options.source else platform_of(file, source_text)
    diagnostics: list[Diagnostic] = []
    reading = read(source_text, file, source, options, diagnostics)
    seed = secrets.randbits(32) if options.seed is None else options.seed
    target = platform(options.target)
    alike = _kernels_stay(reading, target_text, target, can_port(source, target))
    extras = {} if alike else calling_of(reading, target_text, target)
    check = partial(
        check_translation, reading, target_text, target,
        seed=seed, sandbox=options.sandbox, alike=alike, extras=extras,
    )  # fmt: skip
    verdict = check()
    return check() if in_doubt(verdict) and settle(reading, options.sandbox, seed) else verdict
