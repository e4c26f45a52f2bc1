"""Programs for the verifier's tests: NumPy functions that stand for built texts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from xpiler.verify.dtypes import storage
from xpiler.verify.inputs import BufferSpec
from xpiler.verify.invocation import BufferArg, Finding, RunResult, ScalarArg
from xpiler.verify.runner import Job, Unit
from xpiler.verify.verdict import Verdict
from xpiler.verify.verifier import Entry, Options, VerifyCase, verify

Memory = dict[str, NDArray[np.generic]]
Program = Callable[[Memory, int], None]  # buffers, schedule


def poisoned(count: int, dtype: str, poison: int) -> NDArray[np.generic]:
    """What an output holds before the run."""
    kind = storage(dtype)
    return np.full(count * kind.itemsize, 0xA0 + poison, np.uint8).view(kind).copy()


@dataclass
class Python:
    """An executor whose units are named functions."""

    programs: Mapping[str, Program]
    findings: Mapping[str, tuple[Finding, ...]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    seconds: Mapping[str, float] = field(default_factory=dict)

    def prepare(self, unit: Unit, invocation: object) -> None:
        assert unit.text in self.programs

    def execute_many(
        self, unit: Unit, jobs: Iterable[Job], *, run_seconds: float, total_seconds: float
    ) -> Iterator[RunResult]:
        return (self._run(unit, job) for job in jobs)

    def _run(self, unit: Unit, job: Job) -> RunResult:
        self.calls.append(unit.text)
        memory: Memory = {}
        for a in job.invocation.args:
            if isinstance(a, BufferArg):
                fresh = poisoned(a.count, a.dtype, job.poison) if a.data is None else a.data
                memory[a.name] = fresh.copy()
        begun = time.perf_counter()
        with np.errstate(all="ignore"):
            self.programs[unit.text](memory, job.schedule)
        took = self.seconds.get(unit.text, time.perf_counter() - begun)
        read = {name: np.ones(data.size, np.bool_) for name, data in memory.items()}
        return RunResult(memory, self.findings.get(unit.text, ()), seconds=took, read=read)


def judge(
    source: Program,
    target: Program,
    *args: BufferSpec | ScalarArg,
    options: Options | None = None,
    findings: Mapping[str, tuple[Finding, ...]] | None = None,
) -> Verdict:
    """The verdict on `target` as a translation of `source`."""
    executor = Python({"source": source, "target": target}, findings or {})
    case = VerifyCase(args, Entry("f"), Entry("f"))
    units = Unit("source", "cuda"), Unit("target", "c")
    return verify(*units, [case], executor=executor, options=options or Options(seed=7))


def buffer(name: str, count: int, dtype: str = "float32", **more: object) -> BufferSpec:
    """A buffer; an output unless it is said to be read."""
    role = more.pop("role", "out" if name in "yz" else "in")
    return BufferSpec(name, dtype, dtype, count, role, **more)  # type: ignore[arg-type]
