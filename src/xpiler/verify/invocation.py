"""What is run and what came back: the types between the verifier and whatever executes text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.generic]
Triple = tuple[int, int, int]

Memory = Literal["any", "host", "device"]

RETURNED = "the returned value"
"""Name of the buffer of one element that receives what a function returns; no argument of it."""


@dataclass(frozen=True, slots=True)
class ScalarArg:
    """A scalar (`ctype` as C spells it), or a struct passed by value as its bytes.

    `pointers` are where in it pointers lie, in bytes: the arguments that follow are their buffers.
    `lent`: its address is passed, to be read.
    """

    ctype: str
    value: int | float | bytes
    pointers: tuple[int, ...] = ()
    lent: bool = False


@dataclass(frozen=True, slots=True)
class ObjectArg:
    """A struct that is passed by address to be read, as its bytes."""

    name: str
    value: bytes


@dataclass(frozen=True, slots=True, eq=False)
class BufferArg:
    """`count` elements of `dtype`; `data` None: an output, poisoned before the run.

    `dtype` is NumPy's name, or "bf16": then the data are uint16 bit patterns. `ctype` is the
    element's; "" stands for whatever the entry takes. `memory` says who may touch it.
    """

    name: str
    ctype: str
    dtype: str
    count: int
    data: Array | None
    memory: Memory = field(default="any", kw_only=True)


@dataclass(frozen=True, slots=True, eq=False)
class RecordArg(BufferArg):
    """The bytes of structs, `size` each; what a run left is told by what lies in them.

    `parts`: each with the byte at which it begins in a struct, and the same number of elements for
    every struct.
    """

    size: int = 1
    parts: tuple[tuple[int, BufferArg], ...] = ()

    @property
    def structs(self) -> int:
        return self.count // self.size


@dataclass(frozen=True, slots=True, eq=False)
class Invocation:
    """One call of an entry: a host function, a kernel with its launch shape, or the file's main().

    `cooperative`: all blocks are alive at once, as grid-wide barriers need. `overloaded`: other
    functions have the entry's name, so that only the types of the arguments tell which is meant.
    """

    entry: str
    kind: Literal["function", "kernel", "main"]
    args: tuple[ScalarArg | BufferArg, ...]
    grid: Triple = (1, 1, 1)
    block: Triple = (1, 1, 1)
    shared_bytes: int = 0
    cooperative: bool = False
    overloaded: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault that a run showed: what kind, where in the text, by whom."""

    kind: str
    message: str
    line: int = 0
    severity: Literal["error", "note"] = "error"
    buffer: str = ""
    index: int | None = None
    block: Triple | None = None
    thread: Triple | None = None

    def __str__(self) -> str:
        return f"{self.kind}{f' at line {self.line}' if self.line else ''}: {self.message}"


# In place of what an input holds that is as it was: large ones of many runs would fill the memory.
UNTOUCHED: Array = np.zeros(0, np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class RunResult:
    """Every buffer after the run, the faults found, and how the run ended (0: well).

    Checked runs tell more: which elements were `written` and `read`; the arguments that kernels
    touched (`by_kernels`); `counters`, the work by class that the emulator counted, where it is
    not 0.
    """

    outputs: Mapping[str, Array]
    findings: tuple[Finding, ...] = ()
    stdout: str = ""
    seconds: float = 0.0
    exit_status: int = 0
    written: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    read: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    by_kernels: frozenset[str] = frozenset()
    stderr: str = ""
    cpu_seconds: float = 0.0
    counters: Mapping[str, int] = field(default_factory=dict)

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.severity == "error")
