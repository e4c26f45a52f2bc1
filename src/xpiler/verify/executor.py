"""The emulators' answer to the verifier: spells arguments for each platform, builds, runs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType

from xpiler.verify.execution import Executable, Limits, build, execute
from xpiler.verify.invocation import BufferArg, Invocation, RunResult, ScalarArg
from xpiler.verify.runner import Job, Unit

# The IR's scalar names as C spells them; C++ drivers take the entry's own parameter types.
CTYPES = {
    "bool": "bool", "i8": "signed char", "i16": "short", "i32": "int", "i64": "long long",
    "u8": "unsigned char", "u16": "unsigned short", "u32": "unsigned", "u64": "unsigned long long",
    "f16": "_Float16", "bf16": "bf16", "f32": "float", "f64": "double",
}  # fmt: skip


def spelled_argument(a: ScalarArg | BufferArg) -> ScalarArg | BufferArg:
    """`a` with its type as C writes it; handles become eight zero bytes."""
    if isinstance(a, BufferArg):
        return replace(a, ctype=CTYPES.get(a.ctype, ""))
    if a.ctype not in CTYPES:
        return ScalarArg("void *", bytes(8))
    return ScalarArg(CTYPES[a.ctype], a.value)


@dataclass
class EmulatorExecutor:
    """Builds each unit once a form of call and runs it on the platform's emulator."""

    checks: bool = True
    _built: dict[tuple[Unit, str, object], Executable] = field(default_factory=dict)

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
        """Build `unit`; raises XpilerError (XP06) where it does not build."""
        self._executable(unit, _spelled(invocation))

    def _executable(self, unit: Unit, call: Invocation) -> Executable:
        key = (unit, call.entry, (call.kind, call.grid, call.block, call.shared_bytes))
        if key not in self._built:
            self._built[key] = build(
                unit.text,
                unit.platform,
                call,
                arch=unit.arch,
                checks=self.checks,
                filename=unit.filename,
            )
        return self._built[key]

    def execute_many(
        self, unit: Unit, jobs: Sequence[Job], *, run_seconds: float, total_seconds: float
    ) -> list[RunResult]:
        """Run the jobs in order; stops early at a crash or when the time is used up."""
        deadline = time.monotonic() + total_seconds
        out: list[RunResult] = []
        for job in jobs:
            if out and time.monotonic() > deadline:
                break
            call = _spelled(job.invocation)
            out.append(
                execute(
                    self._executable(unit, call),
                    call,
                    seed=job.seed,
                    poison=job.poison,
                    schedule=job.schedule,
                    limits=Limits(seconds=run_seconds),
                )
            )
            if out[-1].exit_status:
                break
        return out


def _spelled(call: Invocation) -> Invocation:
    return replace(call, args=tuple(spelled_argument(a) for a in call.args))
