"""The emulators' answer to the verifier's requests: build once, run many times."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from itertools import islice, takewhile
from types import TracebackType

from xpiler.host.sandbox import Limits
from xpiler.platforms.protocol import emulator_of
from xpiler.verify.building import Fill, may_leave_undefined
from xpiler.verify.dtypes import storage
from xpiler.verify.execution import Executable, build, execute_each
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
_CORES = max(1, min(4, os.cpu_count() or 1))
_WORTH_SHARING = 0.05  # seconds
_FORK = 0.002  # seconds that a run takes beside its own
_TOGETHER = 16  # runs in forks of one process
_ROOM = 16 << 20  # bytes of their buffers, about
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
        self._pace: dict[Unit, float] = {}  # seconds of a run, lately

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
        self, unit: Unit, jobs: Iterable[Job], *, run_seconds: float, total_seconds: float
    ) -> Iterator[RunResult]:
        """The results in order; ends early at a fault or when the time is over."""
        waiting = iter(jobs)
        deadline = time.monotonic() + total_seconds
        while batch := self._batch(unit, waiting, deadline - time.monotonic()):
            spent = 0.0
            for run in self._runs(unit, batch, run_seconds):
                spent += run.seconds
                yield run
                if run.errors or run.exit_status:
                    return
            self._pace[unit] = spent / len(batch) + _FORK
            if time.monotonic() >= deadline:
                return

    def _batch(self, unit: Unit, waiting: Iterator[Job], seconds: float) -> list[Job]:
        """As many jobs as are run together: a few, if they are quick and small."""
        pace = self._pace.get(unit)
        most = 1 if pace is None else int(min(seconds, 1.0) / max(pace, 1e-3))
        batch: list[Job] = []
        room = _ROOM
        for job in islice(waiting, max(1, min(most, _TOGETHER))):
            batch.append(job)
            room -= sum(_bytes(a) for a in job.invocation.args)
            if room <= 0:
                break
        return batch

    def _runs(self, unit: Unit, jobs: Sequence[Job], run_seconds: float) -> list[RunResult]:
        """The results up to the first fault, or some more."""
        limits = Limits(
            seconds=_PATIENCE * run_seconds,
            cpu_seconds=run_seconds,
            memory_bytes=_MEMORY,
            file_bytes=_MEMORY >> 2,
            disk_bytes=_MEMORY >> 2,
        )
        names = emulator_of(unit.platform).scalar_types

        def made(program: Executable, numbers: Sequence[int]) -> list[tuple[int, RunResult]]:
            calls = [spelled(jobs[k].invocation, names, unit.text) for k in numbers]
            asked = [replace(jobs[k], invocation=c) for k, c in zip(numbers, calls, strict=True)]
            done = zip(numbers, execute_each(program, asked, limits=limits), strict=False)
            return [(k, unpacked(jobs[k].invocation, run)) for k, run in done]

        pieces = [(copy_context(), *piece) for piece in self._pieces(unit, jobs)]
        if len(pieces) == 1:
            found = dict(made(*pieces[0][1:]))
        else:
            with ThreadPoolExecutor(_CORES) as pool:
                parts = [pool.submit(c.run, made, program, own) for c, program, own in pieces]
                found = {k: run for part in parts for k, run in part.result()}
        return [found[k] for k in takewhile(found.__contains__, range(len(jobs)))]

    def _pieces(self, unit: Unit, jobs: Sequence[Job]) -> list[tuple[Executable, list[int]]]:
        """What is run at once: the jobs of one program, dealt out to the cores if that pays."""
        groups: dict[int, tuple[Executable, list[int]]] = {}
        for k, job in enumerate(jobs):
            fill = _fill(unit, job.poison)
            program = self._executable(unit, job.invocation, fill, job.checks)
            groups.setdefault(id(program), (program, []))[1].append(k)
        parts = _CORES if self._pace.get(unit, 0.0) * len(jobs) > _WORTH_SHARING else 1
        shares = [
            (program, own[k::parts]) for program, own in groups.values() for k in range(parts)
        ]
        return [(program, own) for program, own in shares if own]


def _bytes(a: ScalarArg | BufferArg) -> int:
    return a.count * storage(a.dtype).itemsize if isinstance(a, BufferArg) else 0


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
