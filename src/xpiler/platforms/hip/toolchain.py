"""HIP without ROCm: the clang inside the `ziglang` wheel makes AMD assembly of the kernels."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Literal

from xpiler.diagnostics import Diagnostic, SourceLoc, XpilerError
from xpiler.host.sandbox import Limits, read_output, run_sandboxed
from xpiler.platforms._simt.device_text import device_text
from xpiler.platforms.toolchains import CompileReport, KernelUse, ToolchainSpec

_HERE = Path(__file__).parent / "compiler"
_LIMITS = Limits(seconds=60.0, memory_bytes=4 << 30)
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"]', re.M)
_REMARK = re.compile(
    r"^(?P<file>[^\s:][^:]*):(?P<line>\d+):(?P<column>\d+): "
    r"(?P<level>fatal error|error|warning): (?P<text>.*)$",
    re.M,
)
_INNER = re.compile(r"^fatal error: error in backend: (.*)$", re.M)
_KEPT = 20
# The compiler knows these functions but has no code for them on AMD GPUs: the runtime has.
_CALLED = (
    "tanh", "tan", "sinh", "cosh", "asin", "acos", "atan", "atan2", "asinh", "acosh", "atanh",
    "cbrt", "erf", "erfc", "expm1", "log1p", "fmod", "hypot", "lgamma", "tgamma", "pow",
    "remainder", "fdim", "ldexp", "exp10", "sin", "cos", "modf", "lrint", "lround", "llrint",
    "llround", "exp", "log", "log2", "log10", "exp2",
)  # fmt: skip
_DOUBLE_ONLY = frozenset(
    ("sin", "cos", "exp", "log", "log2", "log10", "exp2", "lrint", "llrint", "ldexp")
)


@cache
def _zig() -> Path | None:
    found = importlib.util.find_spec("ziglang")
    for folder in (found.submodule_search_locations or ()) if found else ():
        if (path := Path(folder) / "zig").is_file():
            return path
    return None


@cache
def tool() -> str:
    """`clang (zig 0.17.1)`, or "" where the wheel is not installed."""
    return f"clang (zig {importlib.metadata.version('ziglang')})" if _zig() else ""


def compile_text(text: str, archs: tuple[str, ...], filename: str) -> tuple[CompileReport, ...]:
    """One report an architecture, made at the same time. Raises XpilerError (XP08)."""
    with ThreadPoolExecutor(len(archs)) as pool:
        jobs = [pool.submit(copy_context().run, _compile, text, a, filename) for a in archs]
        return tuple(job.result() for job in jobs)


def _compile(text: str, arch: str, filename: str) -> CompileReport:
    zig = _zig()
    assert zig is not None
    with tempfile.TemporaryDirectory(prefix="xpiler-") as name:
        folder = Path(name)
        stubs = _include_folder(text, folder)
        start = f'#line 1 "{filename}"\n'
        (folder / "unit.hip").write_text(start + device_text(text), encoding="utf-8")
        done = run_sandboxed(
            [str(zig), "clang", *_flags(arch), "unit.hip", "-o", "unit.s"],
            read_paths=(zig.parent, *stubs, _HERE), write_dir=folder, limits=_LIMITS, tool=True,
            env={"ZIG_GLOBAL_CACHE_DIR": name, "ZIG_LOCAL_CACHE_DIR": name},
        )  # fmt: skip
        if done.killed_by:
            raise XpilerError(
                Diagnostic("XP0613", "the compiler was stopped", reason=f"limit: {done.killed_by}")
            )
        said = done.stderr.decode(errors="replace")
        messages = tuple(islice(_messages(said, filename, text), _KEPT))
        ok = done.returncode == 0
        if not ok and not any(m.severity == "error" for m in messages):
            inner = _INNER.search(said)
            why = inner[1] if inner else said.replace(str(folder), "").strip()[:1000]
            messages += (Diagnostic("XP0612", "the compiler has no code for it", reason=why),)
        code = read_output(folder, "unit.s").decode(errors="replace") if ok else ""
        return CompileReport(tool(), arch, ok, messages, dict(_kernels(code)))


def _flags(arch: str) -> list[str]:
    from xpiler.platforms.registry import platform

    words = platform("hip").words
    called = [f"{f}f" for f in _CALLED if f not in _DOUBLE_ONLY] + list(_CALLED)
    fill = {"arch": arch, "wave": str(words.wave(arch)), "digits": "", "option": "none"}
    defines = {k.format(**fill): v.format(**fill) for k, v in words.arch_macros.items()}
    own = [f"-D{k}={v}" for k, v in defines.items() if k in ("XP_WAVE", "__HIP_PLATFORM_AMD__")]
    return [
        "-x", "hip", "--cuda-device-only", f"--offload-arch={arch}", "-nogpuinc", "-nogpulib",
        "-nostdinc", "-nostdinc++", "-std=c++17", "-O2", "-S",
        *own, *(f"-fno-builtin-{f}" for f in called),
        "-isystem", "headers", *(x for s in words.stubs for x in ("-isystem", s)),
        "-isystem", str(_HERE), "-include", "device.h",
    ]  # fmt: skip


def _include_folder(text: str, folder: Path) -> tuple[Path, ...]:
    """The headers that the text includes, standing for what it is read with."""
    from xpiler.platforms.registry import platform

    words = platform("hip").words
    for name in set(_INCLUDE.findall(text)):
        if ".." in name or name.startswith("/"):
            continue
        path = folder / "headers" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        stub = words.headers.get(name, "")
        path.write_text(f'#include "{stub}"\n' if stub else "", encoding="utf-8")
    (folder / "headers").mkdir(exist_ok=True)
    return tuple(map(Path, words.stubs))


def _messages(said: str, filename: str, text: str) -> Iterator[Diagnostic]:
    lines = text.splitlines()
    for m in _REMARK.finditer(said):
        line = int(m["line"])
        level: Literal["error", "warning"] = "warning" if m["level"] == "warning" else "error"
        if level == "warning" and m["file"] != filename:
            continue
        shown = lines[line - 1] if m["file"] == filename and 0 < line <= len(lines) else ""
        code = "XP0612" if level == "error" else "XP0606"
        where = SourceLoc(m["file"], line, int(m["column"]))
        yield Diagnostic(code, m["text"], level, where, shown)


_FACTS = {
    "registers": ".vgpr_count",
    "shared_bytes": ".group_segment_fixed_size",
    "spill_bytes": ".private_segment_fixed_size",
}


def _kernels(code: str) -> Iterator[tuple[str, KernelUse]]:
    """What each kernel takes, from the metadata at the end of the assembly."""
    for part in code.partition("amdhsa.kernels:")[2].split("\n  - ")[1:]:
        facts = dict(re.findall(r"^ *(\.\w+): +(\S+)$", part, re.M))
        name = facts.get(".symbol", "").removesuffix(".kd")
        body = code.partition(f"\n{name}:")[2].partition("\n.Lfunc_end")[0]
        numbers = {word: int(facts.get(key, "0")) for word, key in _FACTS.items()}
        matrix = len(re.findall(r"\bv_(?:mfma|smfmac|wmma)_", body))
        if name:
            yield name, KernelUse(**numbers, matrix=matrix)


TOOLCHAIN = ToolchainSpec(
    "hip",
    ("gfx90a", "gfx942"),
    tool,
    compile_text,
    "pip install 'xpiler[zig]'",
)
