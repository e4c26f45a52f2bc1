"""Build a unit of text with its platform's emulator: compile it, link it, keep the program."""

from __future__ import annotations

import contextvars
import os
import re
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from xpiler.diagnostics import Diagnostic, SourceLoc, XpilerError
from xpiler.host.cache import cache_dir, content_key, store, used
from xpiler.host.compiler import Language, Toolchain, toolchain
from xpiler.host.sandbox import Limits, read_output, run_sandboxed
from xpiler.platforms.protocol import RUNTIME_FOLDER, EmulatorSpec, emulator_of
from xpiler.verify.driver import DRIVER_FILE, driver_text
from xpiler.verify.invocation import Invocation

BUILD_LIMITS = Limits(seconds=120.0, memory_bytes=4 << 30, processes=64)
_FORMAT = 5  # of cached programs: raise it when the build's own rules change

_WRAPPED = (
    "main",
    "malloc",
    "calloc",
    "realloc",
    "free",
    "aligned_alloc",
    "posix_memalign",
    "abort",
)
_WRAPPED_GNU = ("memcpy", "memmove", "memset")
_RUNTIME_FLAGS = (
    "-std=c++17", "-O2", "-g0", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics",
    "-ffp-contract=off", "-fno-strict-aliasing", "-fno-omit-frame-pointer",
    "-ffunction-sections", "-fdata-sections",
)  # fmt: skip
_CHECKED = (
    "-O1", "-fsanitize=thread",
    "-fsanitize=alignment,integer-divide-by-zero,shift-exponent,float-cast-overflow",
)  # fmt: skip
_CHECKED_GNU = (
    "--param=tsan-distinguish-volatile=1",
    "-fno-tree-fre",  # it takes an undefined local for whatever value suits
    # To unroll a tile of vectors as its text asks takes the compiler seconds; few runs follow.
    "-fdisable-tree-cunroll", "-fdisable-tree-cunrolli",
    "-fsanitize=bounds,object-size",
    "-fno-builtin-memcpy", "-fno-builtin-memmove", "-fno-builtin-memset",
    "-fsanitize-recover=bounds,object-size,alignment,integer-divide-by-zero,shift-exponent,float-cast-overflow",
)  # fmt: skip
_CHECKED_CLANG = (
    "-mllvm",
    "-tsan-distinguish-volatile=1",
    "-fsanitize=array-bounds",
    "-mllvm",
    "-tsan-handle-cxx-exceptions=0",
)
_FAST = ("-O2",)
_QUICK = ("-O0",)  # a variant runs once: to compile it takes longer than to run it
_ALWAYS = (
    "-ffp-contract=off", "-fwrapv", "-fno-strict-aliasing", "-fno-math-errno", "-g1",
    "-fno-omit-frame-pointer", "-fstack-clash-protection",
    *(f"-fno-builtin-{kind}rint{of}" for kind in ("", "l", "ll") for of in ("", "f")),
    "-fno-builtin-nearbyint", "-fno-builtin-nearbyintf",  # they are the runtime's
)  # fmt: skip
_WARN = {"c": ("-Wall", "-Wextra"), "c++": ("-w",)}


Fill = Literal["pattern", "zero"]


class BuildError(XpilerError):
    """The text does not build; `diagnostics` (XP06..) say where and why."""


@dataclass(frozen=True, slots=True)
class Executable:
    """A built program; with `checks` it watches its memory. `warnings`: the compiler's remarks."""

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
    jobs = (*runtime, *((s, own) for s in _sources(spec)))
    folders = (RUNTIME_FOLDER, *spec.include_dirs)

    def one(job: tuple[Path, tuple[str, ...]], context: contextvars.Context) -> Path:
        return context.run(_library_object, tools, *job, folders)

    contexts = [contextvars.copy_context() for _ in jobs]  # the sandbox's policy is kept in one
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        return list(pool.map(one, jobs, contexts))


def _library_object(
    tools: Toolchain, source: Path, flags: tuple[str, ...], folders: tuple[Path, ...]
) -> Path:
    print_of = _fingerprint((*folders, source.parent))
    key = content_key((tools.identity, str(source), *flags, print_of))
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


def _unit_flags(
    spec: EmulatorSpec,
    tools: Toolchain,
    arch: str | None,
    checks: bool,
    fill: Fill,
    fast: tuple[str, ...] = _FAST,
) -> tuple[str, ...]:
    checked = (*_CHECKED, *(_CHECKED_GNU if tools.family == "gnu" else _CHECKED_CLANG))
    return (
        f"-std={spec.standard}", *_ALWAYS, *(checked if checks else fast),
        f"-ftrivial-auto-var-init={fill}", *_WARN[spec.language],
        *_include_flags(spec), *_defines(spec, arch), *spec.extra_flags,
    )  # fmt: skip


def _link(tools: Toolchain, language: Language, unit: bytes, library: Sequence[Path]) -> bytes:
    """A program of the unit and the libraries. Raises _Failed."""
    wrapped = (*_WRAPPED, *(_WRAPPED_GNU if tools.family == "gnu" else ()))
    with tempfile.TemporaryDirectory(prefix="xpiler-") as name:
        folder = Path(name)
        (folder / "unit.o").write_bytes(unit)
        objects = ["unit.o", *map(str, library)]
        flags = ["--gc-sections", *(f"--wrap={w}" for w in wrapped)]
        command = tools.link_command(language, flags, objects, "program")
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

_REMARK = re.compile(
    r"^(?P<file>[^\s:][^:]*):(?P<line>\d+):(?:(?P<col>\d+):)? "
    r"(?P<level>fatal error|error|warning): (?P<text>.*)$"
)
_UNDEFINED = re.compile(r"undefined (?:reference to|symbol:?) [`']?(?P<name>.*?)'?$")
_KEPT_REMARKS = 20


def _source_line(text: str, line: int) -> str:
    lines = text.splitlines()
    return lines[line - 1] if 0 < line <= len(lines) else ""


def parse_remarks(
    said: str, filename: str, text: str, most: int | None = _KEPT_REMARKS
) -> list[Diagnostic]:
    """A compiler's errors and warnings at their places in the user's text."""
    found: list[Diagnostic] = []
    own = [line for line in said.splitlines() if not _UNDEFINED.search(line)]
    for match in filter(None, map(_REMARK.match, own)):
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
    return found[:most]


def _build_error(
    failed: _Failed, filename: str, text: str, most: int | None = _KEPT_REMARKS
) -> BuildError:
    if failed.killed is not None:
        return BuildError(
            Diagnostic("XP0604", "the compiler was stopped", reason=f"limit: {failed.killed}")
        )
    said = parse_remarks(failed.said, filename, text, most)
    errors = [d for d in said if d.severity == "error"]
    names = [m["name"] for m in map(_UNDEFINED.search, failed.said.splitlines()) if m]
    unique = list(dict.fromkeys(names))[:_KEPT_REMARKS]
    errors += [Diagnostic("XP0602", f"{name} is declared but nowhere defined") for name in unique]
    if not errors:
        errors = [Diagnostic("XP0604", "the compiler failed", reason=failed.said.strip()[-1000:])]
    return BuildError(*errors)


# ---- building ------------------------------------------------------------------------------------

_BARE = re.compile(
    r"(?<![\w.>])(?!(?:return|goto|typedef|using|struct|union|else|delete|extern|__shared__)\b)"
    r"[A-Za-z_]\w*(?:<[^;{}]*>)?[\s*]+[A-Za-z_]\w*\s*(?:\[[^;{}=]*\]\s*)*(?:;|,[^;{}]*;)"
)


def may_leave_undefined(text: str) -> bool:
    """Whether some declaration in `text` looks as if it had no initialiser; errs towards yes.

    Then a local may hold anything, and builds that fill it with different things can tell.
    """
    return _BARE.search(text) is not None


def build(
    text: str,
    platform: str,
    invocation: Invocation,
    *,
    arch: str | None = None,
    checks: bool = True,
    filename: str = "unit",
    compiler: str | None = None,
    fill: Fill | None = None,
) -> Executable:
    """A program that calls `invocation`'s entry in `text`; the same one for the same arguments.

    Only the entry's name and kind and the types of its arguments matter here; values and the launch
    shape come with `execute`. With `checks` its memory accesses are watched, without them only
    guard pages are. Locals that the text leaves undefined hold what `fill` says: by default a
    pattern with checks and zero without. Raises BuildError.
    """
    spec, tools = emulator_of(platform).of_text(text, filename), toolchain(compiler)
    before, own = spec.preface(text, tools)
    driver = driver_text(invocation, spec.language, spec.launcher)
    unit = before + spec.rewrite(text, filename) + driver
    filled = fill or ("pattern" if checks else "zero")
    flags = (*_unit_flags(spec, tools, arch, checks, filled), *own)
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
    libraries = (p if p.is_dir() else p.parent for p in spec.library)
    folders = (RUNTIME_FOLDER, *spec.include_dirs, *libraries)
    key = content_key((str(_FORMAT), tools.identity, _fingerprint(folders), *flags, unit))
    path, remarks = cache_dir("programs") / key, cache_dir("programs") / f"{key}.txt"
    if path.is_file() and remarks.is_file():
        return used(path), used(remarks).read_text(encoding="utf-8")
    program, said = _program(tools, spec, arch, flags, unit)
    store(remarks, said.encode())
    return store(path, program, executable=True), said


def _program(
    tools: Toolchain, spec: EmulatorSpec, arch: str | None, flags: tuple[str, ...], unit: str
) -> tuple[bytes, str]:
    libraries = (p if p.is_dir() else p.parent for p in spec.library)
    job = _Job(tools, spec.language, flags, unit, (RUNTIME_FOLDER, *spec.include_dirs, *libraries))
    compiled, said = job.run()
    library = _library_objects(tools, spec, arch)
    return _linked(tools, spec.language, compiled, library), said


def build_variants(
    text: str,
    platform: str,
    driver: str,
    folder: Path,
    *,
    arch: str | None = None,
    checks: bool = False,
    filename: str = "unit",
) -> Executable:
    """A program in `folder`, for a few runs: built as fast as can be and not kept.

    `driver` is what `driver_text` gives, or calls many variants that `text` holds. Raises
    BuildError, with every error that the compiler has to tell.
    """
    spec, tools = emulator_of(platform).of_text(text, filename), toolchain(None)
    before, own = spec.preface(text, tools)
    fill: Fill = "pattern"
    flags = (*_unit_flags(spec, tools, arch, checks, fill, _QUICK), *own)
    try:
        program, _ = _program(
            tools, spec, arch, flags, before + spec.rewrite(text, filename) + driver
        )
    except _Failed as failed:
        raise _build_error(failed, filename, text, most=None) from failed
    path = folder / "variants"
    path.write_bytes(program)
    path.chmod(0o700)
    return Executable(
        path, platform, filename, text, checks, spec.warp_width(arch), spec.shared_limit
    )
