"""Build a unit of text with its platform's emulator, and run it, both confined.

`build` makes a program of unmodified CUDA, HIP or C text and a few appended lines that call its
entry; `execute` runs it on given buffers and tells what they hold then and which faults showed.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np

from xpiler.diagnostics import Diagnostic, SourceLoc, XpilerError
from xpiler.host.cache import cache_dir, content_key, store
from xpiler.host.compiler import Language, Toolchain, toolchain
from xpiler.host.sandbox import ChildResult, Limits, read_output, run_sandboxed
from xpiler.platforms.protocol import RUNTIME_FOLDER, EmulatorSpec, emulator_of
from xpiler.verify.driver import (
    DRIVER_FILE,
    RunOptions,
    driver_text,
    input_file,
    read_outputs,
)
from xpiler.verify.findings import Places, read_findings
from xpiler.verify.invocation import BufferArg, Finding, Invocation, RunResult, ScalarArg

__all__ = [
    "BufferArg", "BuildError", "Executable", "Finding", "Invocation", "Limits", "RunResult",
    "ScalarArg", "build", "differential", "execute",
]  # fmt: skip

BUILD_LIMITS = Limits(seconds=120.0, memory_bytes=4 << 30, processes=64)
_FORMAT = 4  # of cached programs: raise it when the build's own rules change

_WRAPPED = ("main", "malloc", "calloc", "realloc", "free", "aligned_alloc", "posix_memalign", "abort")
_WRAPPED_GNU = ("memcpy", "memmove", "memset")
_RUNTIME_FLAGS = (
    "-std=c++17", "-O2", "-g0", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics",
    "-ffp-contract=off", "-fno-strict-aliasing", "-fno-omit-frame-pointer",
)  # fmt: skip
_CHECKED = (
    "-O1", "-fsanitize=thread", "-ftrivial-auto-var-init=pattern",
    "-fsanitize=alignment,integer-divide-by-zero,shift-exponent,float-cast-overflow",
)  # fmt: skip
_CHECKED_GNU = (
    "-fno-tree-fre",  # it takes an undefined local for whatever value suits
    "-fsanitize=bounds",
    "-fno-builtin-memcpy", "-fno-builtin-memmove", "-fno-builtin-memset",
    "-fsanitize-recover=bounds,alignment,integer-divide-by-zero,shift-exponent,float-cast-overflow",
)  # fmt: skip
_CHECKED_CLANG = ("-fsanitize=array-bounds", "-mllvm", "-tsan-handle-cxx-exceptions=0")
_FAST = ("-O2", "-ftrivial-auto-var-init=zero")
_ALWAYS = (
    "-ffp-contract=off", "-fwrapv", "-fno-strict-aliasing", "-fno-math-errno", "-g1", "-fno-omit-frame-pointer",
    "-fstack-clash-protection",
)  # fmt: skip
_WARN = {"c": ("-Wall", "-Wextra"), "c++": ("-w",)}


class BuildError(XpilerError):
    """The text does not build; `diagnostics` (XP06..) say where and why."""


@dataclass(frozen=True, slots=True)
class Executable:
    """A built program: `checks` whether it watches its memory; `warnings` what the compiler said."""

    path: Path
    platform: str
    filename: str
    text: str
    checks: bool
    warp_width: int
    shared_limit: int
    warnings: tuple[Diagnostic, ...] = ()


# ---- compiling -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Job:
    """One compilation: the text of a translation unit, its flags, and what it may read."""

    tools: Toolchain
    language: Language
    flags: tuple[str, ...]
    text: str
    read: tuple[Path, ...]

    def run(self) -> tuple[bytes, str]:
        """The object file and the compiler's remarks. Raises _Failed."""
        suffix = "c" if self.language == "c" else "cpp"
        with tempfile.TemporaryDirectory(prefix="xpiler-") as name:
            folder = Path(name)
            (folder / f"unit.{suffix}").write_text(self.text, encoding="utf-8")
            command = self.tools.compile_command(
                self.language, self.flags, f"unit.{suffix}", "unit.o"
            )
            said = _tool(self.tools, command, folder, self.read)
            return read_output(folder, "unit.o"), said


class _Failed(Exception):
    """A tool said no."""

    def __init__(self, said: str, killed: str | None) -> None:
        super().__init__(said)
        self.said, self.killed = said, killed


def _tool(tools: Toolchain, command: list[str], folder: Path, read: Sequence[Path]) -> str:
    done = run_sandboxed(
        command, read_paths=(*tools.read, *read), write_dir=folder, limits=BUILD_LIMITS,
        env=dict(tools.env), tool=True,
    )  # fmt: skip
    said = done.stderr.decode(errors="replace")
    if done.returncode != 0:
        raise _Failed(said, done.killed_by)
    return said


def _sources(spec: EmulatorSpec) -> list[Path]:
    folders = [sorted(p.glob("*.cpp")) if p.is_dir() else [p] for p in spec.library]
    return [path for folder in folders for path in folder]


@lru_cache(maxsize=64)
def _fingerprint(folders: tuple[Path, ...]) -> str:
    """Changes whenever a file in one of the folders does."""
    files = sorted(p for folder in folders for p in folder.rglob("*") if p.is_file())
    return content_key(part for p in files for part in (p.name, p.read_bytes()))


def _include_flags(spec: EmulatorSpec) -> tuple[str, ...]:
    folders = (*spec.include_dirs, RUNTIME_FOLDER) if spec.language == "c++" else spec.include_dirs
    return tuple(flag for folder in folders for flag in ("-I", str(folder)))


def _defines(spec: EmulatorSpec, arch: str | None) -> tuple[str, ...]:
    return tuple(f"-D{define}" for define in spec.defines(arch))


def _library_objects(tools: Toolchain, spec: EmulatorSpec, arch: str | None) -> list[Path]:
    """The runtime and the platform's own sources as object files; made once, then kept."""
    runtime = [(RUNTIME_FOLDER / "runtime.cpp", _RUNTIME_FLAGS)]
    own = (*_RUNTIME_FLAGS, *_include_flags(spec), *_defines(spec, arch))
    return [
        _library_object(tools, source, flags, (RUNTIME_FOLDER, *spec.include_dirs))
        for source, flags in (*runtime, *((s, own) for s in _sources(spec)))
    ]


def _library_object(
    tools: Toolchain, source: Path, flags: tuple[str, ...], folders: tuple[Path, ...]
) -> Path:
    key = content_key((tools.identity, str(source), *flags, _fingerprint((*folders, source.parent))))
    path = cache_dir("objects") / f"{key}.o"
    if path.is_file():
        return path
    job = _Job(tools, "c++", flags, f'#include "{source}"\n', (*folders, source.parent))
    try:
        return store(path, job.run()[0])
    except _Failed as failed:
        why = failed.said.strip()[:2000] or f"stopped: {failed.killed}"
        message = f"the emulator's {source.name} does not compile with {tools.name}"
        raise BuildError(Diagnostic("XP0605", message, reason=why)) from failed


def _unit_flags(spec: EmulatorSpec, tools: Toolchain, arch: str | None, checks: bool) -> tuple[str, ...]:
    checked = (*_CHECKED, *(_CHECKED_GNU if tools.family == "gnu" else _CHECKED_CLANG))
    return (
        f"-std={spec.standard}", *_ALWAYS, *(checked if checks else _FAST), *_WARN[spec.language],
        *_include_flags(spec), *_defines(spec, arch), *spec.extra_flags,
    )  # fmt: skip


def _link(tools: Toolchain, language: Language, unit: bytes, library: Sequence[Path]) -> bytes:
    """A program of the unit and the libraries. Raises _Failed."""
    wrapped = (*_WRAPPED, *(_WRAPPED_GNU if tools.family == "gnu" else ()))
    with tempfile.TemporaryDirectory(prefix="xpiler-") as name:
        folder = Path(name)
        (folder / "unit.o").write_bytes(unit)
        objects = ["unit.o", *map(str, library)]
        command = tools.link_command(language, [f"--wrap={w}" for w in wrapped], objects, "program")
        _tool(tools, command, folder, [cache_dir("objects")])
        return read_output(folder, "program")


def _linked(tools: Toolchain, language: Language, unit: bytes, library: Sequence[Path]) -> bytes:
    """Without the C++ library first, where that is a separate thing: few units need it."""
    try:
        return _link(tools, "c", unit, library)
    except _Failed:
        if language == "c" or tools.link_end["c"] == tools.link_end["c++"]:
            raise
    return _link(tools, language, unit, library)


# ---- what the compiler says ----------------------------------------------------------------------

_REMARK = re.compile(r"^(?P<file>[^\s:][^:]*):(?P<line>\d+):(?:(?P<col>\d+):)? (?P<level>fatal error|error|warning): (?P<text>.*)$")
_UNDEFINED = re.compile(r"undefined (?:reference to|symbol:?) [`']?(?P<name>.*?)'?$")
_KEPT_REMARKS = 20


def _source_line(text: str, line: int) -> str:
    lines = text.splitlines()
    return lines[line - 1] if 0 < line <= len(lines) else ""


def parse_remarks(said: str, filename: str, text: str) -> list[Diagnostic]:
    """A compiler's errors and warnings at their places in the user's text."""
    found: list[Diagnostic] = []
    for match in filter(None, map(_REMARK.match, said.splitlines())):
        file, line = match["file"], int(match["line"])
        level: Literal["error", "warning"] = "warning" if match["level"] == "warning" else "error"
        if file == DRIVER_FILE:
            message = f"the entry cannot be called with these arguments: {match['text']}"
            found.append(Diagnostic("XP0603", message, level))
            continue
        code = "XP0601" if level == "error" else "XP0606"
        source = _source_line(text, line) if file == filename else ""
        where = SourceLoc(file, line, int(match["col"] or 0))
        found.append(Diagnostic(code, match["text"], level, where, source))
    return found[:_KEPT_REMARKS]


def _build_error(failed: _Failed, filename: str, text: str) -> BuildError:
    if failed.killed is not None:
        return BuildError(
            Diagnostic("XP0604", "the compiler was stopped", reason=f"limit: {failed.killed}")
        )
    errors = [d for d in parse_remarks(failed.said, filename, text) if d.severity == "error"]
    names = [m["name"] for m in map(_UNDEFINED.search, failed.said.splitlines()) if m]
    unique = list(dict.fromkeys(names))[:_KEPT_REMARKS]
    errors += [Diagnostic("XP0602", f"{name} is declared but nowhere defined") for name in unique]
    if not errors:
        errors = [Diagnostic("XP0604", "the compiler failed", reason=failed.said.strip()[-1000:])]
    return BuildError(*errors)


# ---- building ------------------------------------------------------------------------------------


def build(
    text: str,
    platform: str,
    invocation: Invocation,
    *,
    arch: str | None = None,
    checks: bool = True,
    filename: str = "unit",
    compiler: str | None = None,
) -> Executable:
    """A program that calls `invocation`'s entry in `text`; the same one for the same arguments.

    Only the entry's name and kind and the types of its arguments matter here; values and the launch
    shape come with `execute`. With `checks` its memory accesses are watched, without them only
    guard pages are. Locals that the text leaves undefined hold a pattern with checks and zero
    without. Raises BuildError.
    """
    spec, tools = emulator_of(platform), toolchain(compiler)
    unit = spec.rewrite(text, filename) + driver_text(invocation, spec.language)
    flags = _unit_flags(spec, tools, arch, checks)
    try:
        path, said = _cached_program(tools, spec, arch, flags, unit)
    except _Failed as failed:
        raise _build_error(failed, filename, text) from failed
    return Executable(
        path, platform, filename, text, checks, spec.warp_width(arch), spec.shared_limit,
        tuple(parse_remarks(said, filename, text)),
    )  # fmt: skip


def _cached_program(
    tools: Toolchain, spec: EmulatorSpec, arch: str | None, flags: tuple[str, ...], unit: str
) -> tuple[Path, str]:
    folders = (RUNTIME_FOLDER, *spec.include_dirs, *(p if p.is_dir() else p.parent for p in spec.library))
    key = content_key((str(_FORMAT), tools.identity, _fingerprint(folders), *flags, unit))
    path, remarks = cache_dir("programs") / key, cache_dir("programs") / f"{key}.txt"
    if path.is_file() and remarks.is_file():
        return path, remarks.read_text(encoding="utf-8")
    job = _Job(tools, spec.language, flags, unit, folders)
    compiled, said = job.run()
    library = _library_objects(tools, spec, arch)
    program = _linked(tools, spec.language, compiled, library)
    store(remarks, said.encode())
    return store(path, program, executable=True), said


# ---- running -------------------------------------------------------------------------------------


def execute(
    exe: Executable,
    invocation: Invocation,
    *,
    seed: int = 0,
    poison: int = 0,
    schedule: int = 0,
    limits: Limits | None = None,
    argv: Sequence[str] = (),
    stdin: bytes = b"",
) -> RunResult:
    """Run the program on `invocation`'s values.

    `poison` chooses the pattern that undefined memory holds, `schedule` the order of threads and
    blocks (0: ascending), `seed` what else is unspecified. `argv` and `stdin` are for kind "main".
    `exit_status` is 0 for a run that came to its end; findings say why it did not.
    """
    limits = limits or Limits()
    options = RunOptions(
        exe.checks, poison, schedule, seed, exe.warp_width, exe.shared_limit,
        max(1, int(limits.seconds * 950)), invocation.kind == "main",
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="xpiler-") as name:
        folder = Path(name)
        (folder / "input").write_bytes(input_file(invocation, options))
        child = run_sandboxed(
            [str(exe.path), "input", "output", "findings", *argv],
            read_paths=(exe.path,), write_dir=folder, limits=limits, stdin=stdin,
        )  # fmt: skip
        return _result(exe, invocation, child, folder)


def _left(folder: Path, name: str) -> bytes | None:
    try:
        return read_output(folder, name)
    except OSError:
        return None


def _result(exe: Executable, invocation: Invocation, child: ChildResult, folder: Path) -> RunResult:
    places = Places(exe.path, exe.filename)
    findings, seconds = read_findings(_left(folder, "findings") or b"", places)
    if seconds is None:
        findings.insert(0, _end_finding(child))
    data = _left(folder, "output") if seconds is not None else None
    try:
        outputs, written = read_outputs(invocation, data or b"", exe.checks) if data else ({}, {})
    except ValueError:
        outputs, written = {}, {}
    return RunResult(
        outputs=outputs,
        findings=tuple(findings),
        stdout=child.stdout.decode(errors="replace"),
        seconds=seconds if seconds is not None else child.seconds,
        exit_status=child.returncode,
        written=written,
        stderr=child.stderr.decode(errors="replace"),
    )


def _end_finding(child: ChildResult) -> Finding:
    """Why a run ended that could not tell it itself."""
    if child.killed_by == "time":
        return Finding("timeout", f"the run took longer than {child.seconds:.1f} s")
    if child.killed_by is not None:
        return Finding("resources", f"the run was stopped: too much {child.killed_by}")
    reason = child.stderr.decode(errors="replace").strip()[-300:]
    return Finding("crash", f"the run ended with status {child.returncode}{f': {reason}' if reason else ''}")


# ---- undefined values ----------------------------------------------------------------------------


def differential(first: RunResult, second: RunResult, same_schedule: bool = True) -> list[Finding]:
    """What two runs on the same inputs, which differ in poison (and schedule), show.

    An element that differs between them depends on a value that nothing defines, or (under other
    schedules) on the order of threads: an error, since it reached an output. Elements that neither
    run wrote do not count.
    """
    found = []
    for name in first.outputs.keys() & second.outputs.keys():
        a, b = (np.ascontiguousarray(r.outputs[name]).view(np.uint8) for r in (first, second))
        count = first.outputs[name].size
        differs = (a.reshape(count, -1) != b.reshape(count, -1)).any(axis=1) if count else np.zeros(0, bool)
        for run in (first, second):
            if name in run.written:
                differs &= run.written[name]
        if differs.any():
            found.append(_undefined(name, int(np.argmax(differs)), int(differs.sum()), same_schedule, first))
    return sorted(found, key=lambda f: f.buffer)


def _undefined(name: str, index: int, count: int, same_schedule: bool, run: RunResult) -> Finding:
    reads = [f for f in run.findings if f.kind == "uninitialised_read" and f.line]
    kind = "uninitialised" if same_schedule or reads else "unstable"
    cause = "a value that nothing wrote" if kind == "uninitialised" else "the order in which threads run"
    line = reads[0].line if reads else 0
    where = f", read at line {line}" if line else ""
    message = f"{count} element{'s' if count > 1 else ''} of {name} depend{'' if count > 1 else 's'} on {cause}{where}"
    return Finding(kind, message, line, "error", name, index)
