"""The emulators' answer to the verifier's requests: build once, run many times."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from types import TracebackType

from xpiler.host.sandbox import Limits
from xpiler.platforms.protocol import emulator_of
from xpiler.verify.building import Fill, may_leave_undefined
from xpiler.verify.execution import Executable, build, execute
from xpiler.verify.invocation import RETURNED, BufferArg, Invocation, RunResult, ScalarArg
from xpiler.verify.packing import unpacked
from xpiler.verify.runner import Job, Unit

_C_NAMES = {
    "bool": "bool", "i8": "signed char", "i16": "short", "i32": "int", "i64": "long long",
    "u8": "unsigned char", "u16": "unsigned short", "u32": "unsigned", "u64": "unsigned long long",
    "f16": "_Float16", "f32": "float", "f64": "double",
}  # fmt: skip
# What C of ours calls short vectors: `float4`.
_C_STEMS = {
    "i8": "char", "i16": "short", "i32": "int", "i64": "longlong", "u8": "uchar", "u16": "ushort",
    "u32": "uint", "u64": "ulonglong", "f16": "half", "bf16": "bf16x", "f32": "float",
    "f64": "double",
}  # fmt: skip
_VECTOR = re.compile(r"(\w+?)x(\d+)")
_MEMORY = 4 << 30
_PATIENCE = 3.0  # wall time may be so many times processor time on a busy machine
_NULL_HANDLE = bytes(8)


def spelled(invocation: Invocation, names: Mapping[str, str], text: str = "") -> Invocation:
    """`invocation` with the IR's type names turned into C's; `names` overrides some.

    A pointer needs none (it converts to whatever the entry takes) unless it tells overloads apart;
    a handle (a stream) is null. A struct that `text` names by a typedef only goes by that.
    """
    table = _C_NAMES | dict(names)
    typed = invocation.overloaded
    return replace(invocation, args=tuple(_spelled(a, table, text, typed) for a in invocation.args))


def _spelled(
    arg: ScalarArg | BufferArg, table: Mapping[str, str], text: str, typed: bool
) -> ScalarArg | BufferArg:
    if isinstance(arg, BufferArg):
        named = typed or arg.name == RETURNED
        return replace(arg, ctype=table.get(arg.ctype, "") if named else "")
    if isinstance(arg.value, bytes) and (vector := _VECTOR.fullmatch(arg.ctype)):
        return replace(arg, ctype=_C_STEMS[vector[1]] + ("_x" * (len(vector[2]) > 1)) + vector[2])
    if isinstance(arg.value, bytes):
        name = arg.ctype.removeprefix("struct ")
        tagged = re.search(rf"\bstruct\s+(?:\w+\s*\([^;{{]*\)+\s*)?{re.escape(name)}\b", text)
        return replace(arg, ctype=name) if text and not tagged else arg
    if arg.ctype in table:
        return replace(arg, ctype=table[arg.ctype])
    return arg if arg.ctype in table.values() else ScalarArg("", _NULL_HANDLE)


class EmulatorExecutor:
    """Runs units on their platforms' emulators; use it as a context manager."""

    def __init__(self, checks: bool = True) -> None:
        self._checks = checks
        self._built: dict[tuple[Unit, str, str, Fill, bool], Executable] = {}

    def __enter__(self) -> EmulatorExecutor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._built.clear()

    def prepare(self, unit: Unit, invocation: Invocation) -> None:
        """Build `unit` for calls of this form; raises BuildError."""
        with ThreadPoolExecutor() as pool:
            fills = {_fill(unit, poison) for poison in (0, 1)}
            contexts = [(copy_context(), fill) for fill in sorted(fills)]
            built = [pool.submit(c.run, self._executable, unit, invocation, f) for c, f in contexts]
            for done in built:
                done.result()

    def _executable(
        self, unit: Unit, invocation: Invocation, fill: Fill, checks: bool = True
    ) -> Executable:
        call = spelled(invocation, emulator_of(unit.platform).scalar_types, unit.text)
        checks = checks and self._checks
        key = (unit, call.entry, _form(call), fill, checks)
        if key not in self._built:
            self._built[key] = build(
                unit.text, unit.platform, call, arch=unit.arch, checks=checks,
                filename=unit.filename, fill=fill,
            )  # fmt: skip
        return self._built[key]

    def execute_many(
        self, unit: Unit, jobs: Sequence[Job], *, run_seconds: float, total_seconds: float
    ) -> list[RunResult]:
        """The results in order; ends early at a fault or when the time is over."""
        found: list[RunResult] = []
        deadline = time.monotonic() + total_seconds
        for job in jobs:
            if found and time.monotonic() >= deadline:
                break
            found.append(self._run(unit, job, run_seconds))
            if found[-1].errors or found[-1].exit_status:
                break
        return found

    def _run(self, unit: Unit, job: Job, run_seconds: float) -> RunResult:
        call = spelled(job.invocation, emulator_of(unit.platform).scalar_types, unit.text)
        limits = Limits(
            seconds=_PATIENCE * run_seconds,
            cpu_seconds=run_seconds,
            memory_bytes=_MEMORY,
            file_bytes=_MEMORY >> 2,
            disk_bytes=_MEMORY >> 2,
        )
        program = self._executable(unit, job.invocation, _fill(unit, job.poison), job.checks)
        result = execute(
            program, call, seed=job.seed, poison=job.poison, schedule=job.schedule,
            rounding=job.rounding, limits=limits,
        )  # fmt: skip
        return unpacked(job.invocation, result)


def _fill(unit: Unit, poison: int) -> Fill:
    """What undefined locals hold: different things under even and odd poisons.

    Neither a pattern nor zero tells every time: the one may be a good start of a maximum, the
    other of a sum.
    """
    return "zero" if poison % 2 == 0 and may_leave_undefined(unit.text) else "pattern"


def _form(call: Invocation) -> str:
    """What a build depends on besides the text."""
    types = [(type(a).__name__, a.ctype) for a in call.args]
    return repr((call.kind, types, call.cooperative, call.overloaded))
