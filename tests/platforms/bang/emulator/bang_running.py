"""Compile BANG C with the emulator, run an entry, hand back its buffers and findings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from xpiler.verify.execution import (
    BufferArg,
    Finding,
    Invocation,
    RunResult,
    ScalarArg,
    build,
    execute,
)

Grid = tuple[int, int, int]


@dataclass(frozen=True)
class Ran:
    """What a run left: `buffers` in the order of the arguments, faults, work counted."""

    buffers: list[np.ndarray]
    findings: tuple[Finding, ...]
    counters: dict[str, int]
    result: RunResult

    @property
    def errors(self) -> list[tuple[str, int]]:
        return [(f.kind, f.line) for f in self.findings if f.severity == "error"]

    @property
    def notes(self) -> list[tuple[str, int]]:
        return [(f.kind, f.line) for f in self.findings if f.severity == "note"]

    def __getitem__(self, index: int) -> np.ndarray:
        assert not self.errors, [str(f) for f in self.findings]
        return self.buffers[index]


def invocation(entry: str, args: tuple[Any, ...], grid: Grid | None, cores: int) -> Invocation:
    """Arrays are buffers (bf16 as a tuple ("bf16", uint16 array)), numbers scalars."""
    given: list[BufferArg | ScalarArg] = []
    for i, value in enumerate(args):
        if isinstance(value, tuple):
            given.append(BufferArg(f"a{i}", "", value[0], value[1].size, value[1].reshape(-1)))
        elif isinstance(value, np.ndarray):
            dtype = str(value.dtype)
            given.append(BufferArg(f"a{i}", "", dtype, value.size, value.reshape(-1)))
        elif isinstance(value, type):
            raise TypeError(value)
        else:
            given.append(ScalarArg("float" if isinstance(value, float) else "int", value))
    kind = "kernel" if grid else "function"
    return Invocation(entry, kind, tuple(given), grid or (1, 1, 1), (cores, 1, 1))  # type: ignore[arg-type]


def run(
    text: str,
    entry: str,
    *args: Any,
    jobs: int | Grid | None = 1,
    cores: int = 1,
    arch: str | None = None,
    checks: bool = True,
    seed: int = 1,
    schedule: int = 0,
    poison: int = 0,
) -> Ran:
    """Run kernel `entry` as `jobs` jobs of `cores` cores; a host function where jobs is None."""
    grid = (jobs, 1, 1) if isinstance(jobs, int) else jobs
    call = invocation(entry, args, grid, cores)
    program = build(text.lstrip("\n"), "bang", call, arch=arch, checks=checks, filename="unit.mlu")
    done = execute(program, call, seed=seed, schedule=schedule, poison=poison)
    arrays = [(i, v[1] if isinstance(v, tuple) else v) for i, v in enumerate(args)]
    buffers = [
        done.outputs[f"a{i}"].reshape(v.shape)
        for i, v in arrays
        if isinstance(v, np.ndarray) and f"a{i}" in done.outputs
    ]
    return Ran(buffers, done.findings, dict(done.counters), done)


def zeros(*shape: int, dtype: str = "float32") -> np.ndarray:
    """An array of zeros for results."""
    return np.zeros(shape, dtype)


def normal(*shape: int, dtype: str = "float32", seed: int = 0) -> np.ndarray:
    """Normally distributed numbers from a fixed seed."""
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)
