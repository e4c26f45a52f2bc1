"""From plans to verdicts: build the calls of both sides, run them, sum up."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from xpiler.diagnostics import Diagnostic, XpilerError
from xpiler.ir import expr as e
from xpiler.ir.program import Function, Program
from xpiler.ir.types import Opaque, Pointer, Scalar, Struct, Type, Vector
from xpiler.verify.compare import Precision
from xpiler.verify.inference.plan import BufferPlan, Case, EntryPlan
from xpiler.verify.inputs import BufferSpec
from xpiler.verify.invocation import RETURNED, ScalarArg
from xpiler.verify.numerics import integral_inputs, precision_of
from xpiler.verify.runner import Unit
from xpiler.verify.verdict import Verdict, combine
from xpiler.verify.verifier import Entry, VerifyCase

if TYPE_CHECKING:
    from xpiler.platforms.registry import Platform

DTYPES = {
    "f16": "float16", "bf16": "bf16", "f32": "float32", "f64": "float64", "bool": "bool",
    "i8": "int8", "i16": "int16", "i32": "int32", "i64": "int64",
    "u8": "uint8", "u16": "uint16", "u32": "uint32", "u64": "uint64",
}  # fmt: skip


def neutral_ctype(t: Type) -> str:
    """The IR's own name of a type, which the executor spells for each platform (`f32`, `f32x4`)."""
    return str(t)


def buffer_spec(plan: BufferPlan) -> BufferSpec:
    """A buffer of scalars: vectors count by lane."""
    elem, lanes = plan.elem, 1
    if isinstance(elem, Vector):
        elem, lanes = elem.elem, elem.lanes
    assert isinstance(elem, Scalar)
    return BufferSpec(
        plan.name,
        neutral_ctype(plan.elem),
        DTYPES[elem.name],
        plan.count * lanes,
        plan.role,  # type: ignore[arg-type]
        plan.bounds,
        plan.is_index,
        distinct=plan.distinct,
    )


def arguments(entry: Function, case: Case) -> tuple[ScalarArg | BufferSpec, ...]:
    """The arguments of `entry` in order, values and extents from `case`."""
    buffers = {b.name: b for b in case.buffers}
    return tuple(_argument(p, buffers, case.scalars) for p in entry.params)


def _argument(
    p: e.Var, buffers: Mapping[str, BufferPlan], scalars: Mapping[str, int | float]
) -> ScalarArg | BufferSpec:
    if isinstance(p.type, Pointer):
        return buffer_spec(buffers[p.name])
    if isinstance(p.type, Opaque):
        return ScalarArg(neutral_ctype(p.type), 0)
    if isinstance(p.type, (Struct, Vector)):
        raise XpilerError(
            Diagnostic("XP0307", f"no value can be made for parameter {p.name} ({p.type})")
        )
    return ScalarArg(neutral_ctype(p.type), scalars.get(p.name, 1))


def verify_cases(plan: EntryPlan, extra: Sequence[str] = ()) -> tuple[VerifyCase, ...]:
    """Calls of both sides for every case; `extra` names launch parameters that the target added."""
    f = plan.entry
    out = []
    for case in plan.cases:
        args = arguments(f, case)
        name = f.symbol or f.name
        source = Entry(name, "function")
        if plan.kind == "kernel":
            source = Entry(name, "kernel", case.grid, case.block, case.shared_bytes)
        shape = _shape_values(case)
        target = Entry(f.name, "function", extra=tuple(ScalarArg("u32", shape[n]) for n in extra))
        out.append(VerifyCase((*args, *_returned(f)), source, target, case.describe()))
    return tuple(out)


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
    source_text: str,
    target_text: str,
    source: Platform,
    target: Platform,
    plans: Sequence[EntryPlan],
    *,
    file: str,
    arch: str | None = None,
    seed: int = 0,
    sandbox: str = "required",
    assumptions: tuple[str, ...] = (),
    extras: Mapping[str, Sequence[str]] | None = None,
    program: Program | None = None,
) -> Verdict:
    """The verdict on a translation. Raises XpilerError only where the machine fails (XP08).

    `extras` maps a kernel's name to the launch parameters that its translation has in addition.
    `program` is the source's: its arithmetic sets tolerances and kinds of input.
    """
    from xpiler.verify.executor import EmulatorExecutor
    from xpiler.verify.verifier import Options, verify

    if not plans:
        reason = "it is not known how to run it"
        return Verdict("unverified", "compiled", code="XP0704", reason=reason)
    unit = Unit(source_text, source.name, arch, file)
    units = (unit, Unit(target_text, target.name, None, "translation"))
    precision = precision_of(program) if program is not None else Precision()
    options = Options(seed=seed, assumptions=assumptions, precision=precision)
    integral = integral_inputs(program) if program is not None else frozenset()
    with sandboxed(sandbox), EmulatorExecutor() as executor:
        verdicts = []
        for plan in plans:
            cases = verify_cases(plan, (extras or {}).get(plan.entry.name, ()))
            whole = {name for function, name in integral if function == plan.entry.name}
            cases = tuple(case.with_integral(whole) for case in cases)
            verdicts.append(verify(*units, cases, executor=executor, options=options))
        return combine(verdicts)


def verify_pair(source_text: str, target_text: str, file: str, options: Any) -> Verdict:
    """Compare a source with a given translation. Raises XpilerError where neither can be run."""

    from xpiler.platforms.registry import platform, platform_of
    from xpiler.verify.reading import read

    source = platform(options.source) if options.source else platform_of(file, source_text)
    reading = read(source_text, file, source, options, [])
    return check_translation(
        source_text,
        target_text,
        source,
        platform(options.target),
        reading.plans,
        file=file,
        arch=options.arch,
        seed=options.seed or 0,
        sandbox=options.sandbox,
        program=reading.program,
    )
