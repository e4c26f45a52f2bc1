"""Compile a text with a platform's emulator, run an entry, hand back its buffers and findings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from xpiler.verify.execution import BufferArg, Finding, Invocation, ScalarArg, build, execute

_CTYPES = {
    "float32": "float", "float64": "double", "int32": "int", "uint32": "unsigned",
    "int8": "signed char", "uint8": "unsigned char", "int64": "long long",
    "uint64": "unsigned long long", "uint16": "", "float16": "", "int16": "short",
}  # fmt: skip


@dataclass(frozen=True)
class Ran:
    """What a run left: `buffers` in the order of the arguments, faults, and what was printed."""

    buffers: list[np.ndarray]
    findings: tuple[Finding, ...]
    stdout: str

    @property
    def errors(self) -> list[str]:
        return [f.kind for f in self.findings if f.severity == "error"]

    def __getitem__(self, index: int) -> np.ndarray:
        assert not self.errors, [str(f) for f in self.findings]
        return self.buffers[index]


def run(
    text: str,
    entry: str,
    *args: np.ndarray | int | float,
    platform: str = "cuda",
    grid: tuple[int, int, int] | None = None,
    block: int | tuple[int, int, int] = 32,
    shared_bytes: int = 0,
    arch: str | None = None,
    checks: bool = True,
    seed: int = 1,
    schedule: int = 0,
) -> Ran:
    """Run `entry` on arrays and numbers; a kernel if `grid` is given, else a host function."""
    given: list[Any] = []
    for i, value in enumerate(args):
        if isinstance(value, np.ndarray):
            dtype = str(value.dtype)
            given.append(BufferArg(f"a{i}", _CTYPES[dtype], dtype, value.size, value.reshape(-1)))
        else:
            given.append(ScalarArg("float" if isinstance(value, float) else "int", value))
    call = Invocation(
        entry, "kernel" if grid else "function", tuple(given), grid or (1, 1, 1),
        block if isinstance(block, tuple) else (block, 1, 1), shared_bytes,
    )  # fmt: skip
    program = build(text, platform, call, arch=arch, checks=checks, filename="unit.cu")
    done = execute(program, call, seed=seed, schedule=schedule)
    buffers = [
        done.outputs[f"a{i}"].reshape(v.shape)
        for i, v in enumerate(args)
        if isinstance(v, np.ndarray) and f"a{i}" in done.outputs
    ]
    return Ran(buffers, done.findings, done.stdout)


def zeros(*shape: int, dtype: str = "float32") -> np.ndarray:
    """An array of zeros for results."""
    return np.zeros(shape, dtype)


def normal(*shape: int, dtype: str = "float32", seed: int = 0) -> np.ndarray:
    """Normally distributed numbers from a fixed seed."""
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)
