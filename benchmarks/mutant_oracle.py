"""Whether a C text computes what NumPy says: built fast, run on many inputs in one child.

This is the judge beside the verifier, and shares nothing with it: no emulator, no inference, other
inputs and sizes, and the tolerance that the kernel's author wrote down.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import mmap
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import load
import numpy as np

_FLAGS = (
    "-O1", "-w", "-shared", "-fPIC", "-ffp-contract=off", "-fwrapv", "-fno-strict-aliasing",
    "-ftrivial-auto-var-init=pattern", "-fsanitize=bounds", "-fsanitize-undefined-trap-on-error",
)  # fmt: skip
_SCALARS: dict[str, type[ctypes._SimpleCData[Any]]] = {
    "int": ctypes.c_int, "unsigned": ctypes.c_uint, "size_t": ctypes.c_size_t,
    "float": ctypes.c_float, "double": ctypes.c_double, "long long": ctypes.c_longlong,
    "bool": ctypes.c_bool, "int16_t": ctypes.c_int16, "int8_t": ctypes.c_int8,
    "uint8_t": ctypes.c_uint8, "uint16_t": ctypes.c_uint16,
    "unsigned long long": ctypes.c_ulonglong,
}  # fmt: skip
_PAGE = mmap.PAGESIZE
_REALS = {"float", "double", "half", "bf16"}


def compiler() -> list[str]:
    """A C compiler's command: of the system, else the one in the `ziglang` wheel."""
    for name in ("gcc", "clang", "cc"):
        if path := shutil.which(name):
            return [path]
    return [sys.executable, "-m", "ziglang", "cc"]


def runs_here(text: str) -> bool:
    """Whether this machine's processor has the instructions that a C text asks for."""
    cpu = Path("/proc/cpuinfo")
    known = cpu.read_text(encoding="utf-8") if cpu.is_file() else ""
    return "immintrin.h" not in text or {"avx512f", "avx512_vnni"} <= set(known.split())


def build(text: str, folder: Path) -> Path | None:
    """A shared library of `text`; None where it does not compile."""
    source, library = folder / "unit.c", folder / "unit.so"
    source.write_text(text, encoding="utf-8")
    wide = ["-march=native"] if "immintrin.h" in text else []
    command = [*compiler(), *_FLAGS, *wide, str(source), "-o", str(library), "-lm"]
    done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    return library if done.returncode == 0 else None


class Guarded:
    """A copy of an array that ends (or begins) at a page that nobody may touch."""

    def __init__(self, data: load.Array, at_end: bool) -> None:
        size = -(-max(data.nbytes, 1) // _PAGE) * _PAGE
        self._map = mmap.mmap(-1, size + 2 * _PAGE)
        base = ctypes.addressof(ctypes.c_char.from_buffer(self._map))
        libc = ctypes.CDLL(None, use_errno=True)
        for page in (base, base + _PAGE + size):
            if libc.mprotect(ctypes.c_void_p(page), ctypes.c_size_t(_PAGE), 0):
                raise OSError(ctypes.get_errno(), "mprotect")
        offset = _PAGE + (size - data.nbytes if at_end else 0)
        self.address = base + offset
        self.array = np.frombuffer(self._map, data.dtype, data.size, offset)
        self.array[:] = data.reshape(-1)


def _poisoned(arg: load.Argument, sizes: load.Sizes) -> load.Array:
    """NaN, or a number that is no likely result."""
    kind = np.dtype(load.DTYPES[arg.ctype])
    count = int(np.prod(load.shape(arg, sizes)))
    fill = 0xFF if arg.ctype in _REALS else 0xA5
    return np.full(count * kind.itemsize, fill, np.uint8).view(kind)


@dataclass(frozen=True, eq=False)
class Question:
    """One input with the expected outputs."""

    sizes: load.Sizes
    drawn: dict[str, load.Array]
    want: dict[str, load.Array]


@dataclass
class Oracle:
    """Asks a library of one case; `extras` are launch parameters after the case's own."""

    case: load.Case
    extras: Sequence[str] = ()
    aligned: bool = False
    _asked: list[Question] = field(default_factory=list)

    def questions(self, count: int) -> list[Question]:
        """The first `count` inputs: all sizes in turn, a seed each; computed once."""
        for i in range(len(self._asked), count):
            sizes = self.case.sizes[i % len(self.case.sizes)]
            drawn = load.inputs(self.case, sizes, seed=1000 + i)
            with np.errstate(all="ignore"):
                want = load.expected(self.case, sizes, drawn)
            self._asked.append(Question(sizes, drawn, want))
        return self._asked[:count]

    def difference(self, text: str, first: int, last: int, seconds: int = 60) -> str | None:
        """What differs on inputs `first` to `last`: "" nothing; None: the text does not build."""
        questions = self.questions(last)[first:]
        with tempfile.TemporaryDirectory(prefix="xpiler-mutant-") as name:
            library = build(text, Path(name))
            if library is None:
                return None
            return self._in_child(library, questions, first, seconds)

    def _in_child(
        self, library: Path, questions: Sequence[Question], first: int, seconds: int
    ) -> str:
        """Ask in a forked child, which may crash or hang."""
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            with contextlib.suppress(BaseException):
                _confine(seconds)
                os.write(writing, self._ask(library, questions, first).encode()[:4000])
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            said = pipe.read().decode()
        _, status = os.waitpid(child, 0)
        if said:
            return "" if said == "same" else said
        signal_number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        return f"the run ended by signal {signal_number}"

    def _ask(self, library: Path, questions: Sequence[Question], first: int) -> str:
        entry = getattr(ctypes.CDLL(str(library)), self.case.entry)
        for number, question in enumerate(questions, first):
            at_end = not self.aligned and number % 4 != 3
            values, buffers = self._arguments(question, at_end)
            entry(*values)
            for name, want in question.want.items():
                with np.errstate(all="ignore"):
                    worst = load.mismatch(self.case, name, buffers[name].array, want)
                if worst:
                    return f"input {number} {dict(question.sizes)}: {worst}"
        return "same"

    def _arguments(
        self, question: Question, at_end: bool
    ) -> tuple[list[object], dict[str, Guarded]]:
        values: list[object] = []
        buffers: dict[str, Guarded] = {}
        for arg in self.case.args:
            if arg.kind == "scalar":
                value = load.scalar(arg, question.sizes)
                values.append(_SCALARS[arg.ctype](value))
                continue
            data = question.drawn[arg.name] if arg.reads else _poisoned(arg, question.sizes)
            buffers[arg.name] = Guarded(data, at_end)
            values.append(ctypes.c_void_p(buffers[arg.name].address))
        shape = self._launch(question.sizes)
        return [*values, *(ctypes.c_uint(shape[name]) for name in self.extras)], buffers

    def _launch(self, sizes: load.Sizes) -> dict[str, int]:
        grid, block, shared = load.launch(self.case, sizes)
        out = {f"grid_{d}": n for d, n in zip("xyz", grid, strict=True)}
        out |= {f"block_{d}": n for d, n in zip("xyz", block, strict=True)}
        return out | {"shared_bytes": shared}


def _confine(seconds: int) -> None:
    """Bound the time and files of this process, and keep it quiet: crashes are expected."""
    faulthandler.disable()
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    signal.setitimer(signal.ITIMER_REAL, 4 * seconds)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    quiet = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(quiet, stream)
