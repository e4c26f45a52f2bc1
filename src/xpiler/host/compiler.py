"""Which C and C++ compilers this machine offers, and the commands that drive them.

g++ or clang++ where found, else the compiler inside the `ziglang` wheel, which needs no system
package: its own headers, start files and C library stubs (made once, then kept in the cache).
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import itertools
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from xpiler.diagnostics import Diagnostic, XpilerError
from xpiler.host.cache import cache_dir, content_key, store

Language = Literal["c", "c++"]
Family = Literal["gnu", "clang"]

_NO_COMPILER = Diagnostic(
    "XP0604",
    "this machine has no C++ compiler that can be used",
    reason="neither g++ nor clang++ is on the PATH, and the ziglang package is not installed",
    help="install one of them: `pip install ziglang` needs no system package",
)


@dataclass(frozen=True, slots=True)
class Toolchain:
    """A compiler for C and C++ and its linker.

    `compile` and `link` are the starts of command lines, `link_end` their ends by language (for
    C programs a shorter one may do). `read` names what a confined compiler must be able to read
    besides the system's folders. `identity` changes whenever the output could.
    """

    name: str
    family: Family
    identity: str
    compile: Mapping[Language, tuple[str, ...]]
    link: Mapping[Language, tuple[str, ...]]
    link_end: Mapping[Language, tuple[str, ...]]
    read: tuple[Path, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)

    def compile_command(
        self, language: Language, flags: Sequence[str], source: str, output: str
    ) -> list[str]:
        """The command that compiles `source` to the object file `output`."""
        return [*self.compile[language], *flags, "-c", source, "-o", output]

    def link_command(
        self, language: Language, flags: Sequence[str], objects: Sequence[str], output: str
    ) -> list[str]:
        """The command that links a program; `flags` are the linker's own (`--wrap=x`)."""
        direct = Path(self.link[language][0]).name == "zig"
        own = list(flags) if direct else [f"-Wl,{flag}" for flag in flags]
        return [*self.link[language], *own, "-o", output, *objects, *self.link_end[language]]


def _system(c: str, cxx: str, family: Family) -> Toolchain | None:
    c_path, cxx_path = shutil.which(c), shutil.which(cxx)
    found = _probed(cxx_path) if c_path and cxx_path else None
    if not c_path or not cxx_path or found is None:
        return None
    version, linker = found
    common = ("-fno-pie", "-pipe")
    link = ("-no-pie", "-Wl,--as-needed", *linker)
    return Toolchain(
        name=version,
        family=family,
        identity=f"{cxx_path} {version} {platform.machine()}",
        compile={"c": (c_path, *common), "c++": (cxx_path, *common)},
        link={"c": (cxx_path, *link), "c++": (cxx_path, *link)},
        link_end={"c": ("-lm",), "c++": ("-lm",)},
        read=tuple(Path(p).resolve().parent for p in (c_path, cxx_path)),
    )


# Linkers by how fast they link a small program, measured; the last is the compiler's own choice.
_LINKERS: tuple[tuple[str, ...], ...] = (("-fuse-ld=gold",), ())


def _probed(cxx: str) -> tuple[str, tuple[str, ...]] | None:
    """The compiler's version and the flags of the first linker that works; None where none does.

    An answer is kept as long as the compiler's file stays what it is.
    """
    status = Path(cxx).resolve().stat()
    key = content_key((cxx, str(status.st_mtime_ns), str(status.st_size), repr(_LINKERS), "1"))
    kept = cache_dir("compilers") / f"{key}.txt"
    if kept.is_file():
        version, *flags = kept.read_text(encoding="utf-8").splitlines()
        return version, tuple(flags)
    version = _output([cxx, "--version"]).partition("\n")[0]
    found = next((flags for flags in _LINKERS if version and _links(cxx, flags)), None)
    if found is None:
        return None
    store(kept, "\n".join((version, *found)).encode())
    return version, found


def _output(
    command: Sequence[str], env: Mapping[str, str] | None = None, folder: Path | None = None
) -> str:
    """What a trusted command prints, both streams; nothing where it fails."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=600, check=True,
            env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, cwd=folder,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout + done.stderr


def _links(cxx: str, flags: tuple[str, ...]) -> bool:
    """Whether it makes programs: without its C library's development files it can't."""
    probe = "#include <stdio.h>\nint main() { return 0; }\n"
    command = [cxx, *flags, "-x", "c++", "-o", os.devnull, "-"]
    try:
        done = subprocess.run(
            command, input=probe, capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


# ---- ziglang -------------------------------------------------------------------------------------


def _zig_path() -> Path | None:
    found = importlib.util.find_spec("ziglang")
    if found is None or not found.submodule_search_locations:
        return None
    path = Path(next(iter(found.submodule_search_locations))) / "zig"
    return path if path.is_file() else None


def _zig_target() -> list[str]:
    return ["-target", f"{platform.machine()}-linux-gnu.2.28", "-mcpu=baseline"]


def _zig_verbose(zig: Path, language: Language, link: bool) -> str:
    """What `zig cc -v` tells about its compile and link steps, kept once it was told.

    The first link makes the C library's stubs (some seconds), for C++ also the C++ library (most
    of a minute); both stay in the cache.
    """
    folder = cache_dir("zig")
    key = content_key(
        (str(zig), str(zig.stat().st_mtime_ns), language, str(link), "3", *_zig_target())
    )
    kept = folder / f"told-{key}.txt"
    if kept.is_file():
        return kept.read_text(encoding="utf-8")
    source = folder / ("probe.c" if language == "c" else "probe.cpp")
    source.write_text("int main(void) { return 0; }\n")
    driver = "cc" if language == "c" else "c++"
    what = ["-o", str(folder / "probe")] if link else ["-c", "-o", str(folder / "probe.o")]
    base = [str(zig), driver, *_zig_target(), "-O1", "-fno-sanitize=undefined", "-v"]
    with tempfile.TemporaryDirectory(prefix="xpiler-") as elsewhere:
        # zig shortens paths below the current folder, so that one is empty.
        told = _output([*base, str(source), *what], _zig_env(folder), Path(elsewhere))
    if told:
        store(kept, told.encode())
    return told


def _zig_env(folder: Path) -> dict[str, str]:
    return {"ZIG_GLOBAL_CACHE_DIR": str(folder), "ZIG_LOCAL_CACHE_DIR": str(folder)}


_KEPT_WITH_VALUE = {"-isystem", "-D"}


def zig_header_flags(verbose: str) -> tuple[str, ...]:
    """The header folders and macros of the front end's command in `zig cc -v`'s output."""
    line = next((x for x in verbose.splitlines() if " -cc1 " in x or '"-cc1"' in x), "")
    words = shlex.split(line)
    pairs = itertools.pairwise(words)
    return tuple(w for pair in pairs if pair[0] in _KEPT_WITH_VALUE for w in pair)


def zig_link_parts(verbose: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Of the program's link in `zig cc -v`'s output: what stands before and after its object."""
    line = next((x for x in reversed(verbose.splitlines()) if x.startswith("ld.lld ")), "")
    words = shlex.split(line)[1:]
    if "-o" not in words or "--dynamic-linker" not in words:
        return (), ()
    out, loader = words.index("-o"), words.index("--dynamic-linker") + 2
    start = [*words[:out], *words[out + 2 : loader]]
    end = [w for w in words[loader + 1 :] if not w.endswith("libubsan_rt.a")]
    return tuple(w for w in start if w != "-znow"), tuple(end)


@cache
def _zig_link(language: Language) -> tuple[tuple[str, ...], tuple[str, ...]]:
    zig = _zig_path()
    return zig_link_parts(_zig_verbose(zig, language, True)) if zig else ((), ())


class _LazyLinks(Mapping[Language, tuple[str, ...]]):
    """Link lines that are looked up when they are first needed: the C++ one costs a minute."""

    def __init__(self, zig: Path, end: bool) -> None:
        self._zig, self._end = zig, end

    def __getitem__(self, language: Language) -> tuple[str, ...]:
        start, end = _zig_link(language)
        if not start:
            raise XpilerError(_NO_COMPILER)
        return end if self._end else (str(self._zig), "ld.lld", *start)

    def __iter__(self) -> Iterator[Language]:
        return iter(_LANGUAGES)

    def __len__(self) -> int:
        return 2


def _zig() -> Toolchain | None:
    zig = _zig_path()
    if zig is None:
        return None
    headers = {name: zig_header_flags(_zig_verbose(zig, name, False)) for name in _LANGUAGES}
    if not headers["c"]:
        return None
    version = importlib.metadata.version("ziglang")
    target = f"--target={platform.machine()}-unknown-linux-gnu"
    common = (target, "-fno-pie", "-nostdinc", "-Qunused-arguments")
    return Toolchain(
        name=f"zig {version}",
        family="clang",
        identity=f"{zig} {version} {platform.machine()}",
        compile={
            name: (str(zig), "clang", *(("-x", "c++") if name == "c++" else ("-x", "c")), *common,
                   *headers[name])
            for name in _LANGUAGES
        },
        link=_LazyLinks(zig, end=False),
        link_end=_LazyLinks(zig, end=True),
        read=(zig.parent, cache_dir("zig")),
    )  # fmt: skip


_LANGUAGES: tuple[Language, ...] = ("c", "c++")


def _from_environment() -> Toolchain | None:
    """What CXX and CC name; CC may be left out where it follows from CXX."""
    cxx = os.environ.get("CXX", "")
    if not cxx:
        return None
    c = os.environ.get("CC") or cxx.replace("clang++", "clang").replace("g++", "gcc")
    clang = "clang" in _output([cxx, "--version"]).lower()
    return _system(c, cxx, "clang" if clang else "gnu")


def _named(name: str) -> Toolchain | None:
    if name == "zig":
        return _zig()
    if name == "clang++":
        return _system("clang", "clang++", "clang")
    return _system("gcc", "g++", "gnu")


KNOWN = ("g++", "clang++", "zig")


@cache
def toolchain(name: str | None = None) -> Toolchain:
    """The compiler called `name` (one of `KNOWN`), or the first that works on this machine.

    The environment variable XPILER_COMPILER names one for the whole process; CXX, with CC, is a
    path to one.
    Raises XpilerError XP0604 where there is none.
    """
    wanted = name or os.environ.get("XPILER_COMPILER") or ""
    if not wanted and (own := _from_environment()):
        return own
    for candidate in (wanted,) if wanted else KNOWN:
        found = _named(candidate)
        if found is not None:
            return found
    raise XpilerError(_NO_COMPILER)
