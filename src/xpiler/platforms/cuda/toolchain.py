"""CUDA's own compiler without a device: NVRTC from its wheels makes machine code of the kernels."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import io
import json
import re
import struct
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from xpiler.diagnostics import Diagnostic, SourceLoc, XpilerError
from xpiler.host.sandbox import Limits, read_output, run_sandboxed
from xpiler.platforms._simt.device_text import device_text
from xpiler.platforms.cuda.nvcc import second_opinion
from xpiler.platforms.toolchains import CompileReport, KernelUse, ToolchainSpec

_HERE = Path(__file__).parent / "compiler"
_LIMITS = Limits(seconds=60.0, memory_bytes=4 << 30)
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"]', re.M)
_REMARK = re.compile(
    r"^(?P<file>[^\n(]+)\((?P<line>\d+)\): (?P<level>(?:catastrophic )?error|warning)"
    r"(?: #(?P<number>[\w-]+))?: (?P<text>.*)$",
    re.M,
)
_KEPT = 20


@cache
def _folders() -> tuple[Path, Path, Path] | None:
    """The library, the folder of CUDA's headers and that of the C++ library; None: not here."""
    found = importlib.util.find_spec("nvidia")
    for root in map(Path, (found.submodule_search_locations or ()) if found else ()):
        for home in sorted(root.glob("cu1?"), reverse=True):
            libraries = sorted(home.glob("lib/libnvrtc.so.*"))
            if libraries and (home / "include" / "cuda_fp16.h").is_file():
                return libraries[-1], home / "include", home / "include" / "cccl"
    return None


@cache
def tool() -> str:
    """`NVRTC 13.5`, or "" where the wheels are not installed."""
    if _folders() is None:
        return ""
    try:
        version = importlib.metadata.version("nvidia-cuda-nvrtc")
    except importlib.metadata.PackageNotFoundError:
        return "NVRTC"
    return "NVRTC " + ".".join(version.split(".")[:2])


def compile_text(text: str, archs: tuple[str, ...], filename: str) -> tuple[CompileReport, ...]:
    """One report an architecture. Raises XpilerError where the compiler cannot be run."""
    folders = _folders()
    assert folders is not None
    library, include, cccl = folders
    options = ["-std=c++17", "--pre-include=xpiler_rtc.h", f"-I{include}", f"-I{cccl}"]
    options.append("--diag-suppress=177")  # constants that only the host's part uses
    job = {
        "library": str(library),
        "text": device_text(text),
        "name": filename,
        "headers": _headers(text, (include, cccl)),
        "archs": {a: [f"--gpu-architecture={a}", *options] for a in archs},
    }
    with tempfile.TemporaryDirectory(prefix="xpiler-") as name:
        folder = Path(name)
        command = [sys.executable, "-I", "-S", str(_HERE / "worker.py")]
        done = run_sandboxed(
            command,
            read_paths=(*_python(), library.parent, include, cccl, _HERE),
            write_dir=folder, limits=_LIMITS, stdin=json.dumps(job).encode(), tool=True,
        )  # fmt: skip
        if done.returncode != 0:
            why = done.killed_by or done.stderr.decode(errors="replace")[-500:]
            raise XpilerError(Diagnostic("XP0613", "NVRTC could not be run", reason=why))
        rows = json.loads(done.stdout)
        return tuple(_report(row, folder, filename, text) for row in rows)


def _python() -> tuple[Path, ...]:
    """What the interpreter itself reads."""
    return tuple(dict.fromkeys(Path(p).resolve() for p in (sys.prefix, sys.base_prefix)))


def _headers(text: str, folders: tuple[Path, ...]) -> dict[str, str]:
    """Empty ones for whatever the text includes that CUDA does not have, and what they lack."""
    named = set(_INCLUDE.findall(text))
    missing = sorted(n for n in named if not any((f / n).is_file() for f in folders))
    own = (_HERE / "rtc.h").read_text(encoding="utf-8")
    return dict.fromkeys(missing, "") | {"xpiler_rtc.h": own}


def _report(row: dict[str, Any], folder: Path, filename: str, text: str) -> CompileReport:
    messages = tuple(islice(_messages(row["log"], filename, text), _KEPT))
    if not row["ok"] and not any(m.severity == "error" for m in messages):
        said = row["log"].strip()[-1000:]
        messages += (Diagnostic("XP0612", "the compiler failed", reason=said),)
    code = read_output(folder, f"{row['arch']}.cubin") if row["ok"] else b""
    return CompileReport(tool(), row["arch"], row["ok"], messages, dict(_kernels(code)))


def _messages(log: str, filename: str, text: str) -> Iterator[Diagnostic]:
    lines = text.splitlines()
    for m in _REMARK.finditer(log):
        line = int(m["line"])
        level: Literal["error", "warning"] = "warning" if m["level"] == "warning" else "error"
        if level == "warning" and m["file"] != filename:
            continue
        shown = lines[line - 1] if m["file"] == filename and 0 < line <= len(lines) else ""
        code = "XP0612" if level == "error" else "XP0606"
        yield Diagnostic(code, m["text"], level, SourceLoc(m["file"], line), shown)


_REGISTERS, _FRAME = 0x2F, 0x11  # EIATTR_REGCOUNT, EIATTR_FRAME_SIZE


def _kernels(code: bytes) -> Iterator[tuple[str, KernelUse]]:
    """What each kernel takes, from machine code's `.nv.info` and the sizes of its sections."""
    if not code:
        return
    from elftools.elf.elffile import ELFFile

    elf = ELFFile(io.BytesIO(code))
    sections = {s.name: s for s in elf.iter_sections()}
    symbols = [s.name for s in sections[".symtab"].iter_symbols()]
    info = dict(_attributes(sections[".nv.info"].data())) if ".nv.info" in sections else {}
    for name in sections:
        if name.startswith(".text."):
            kernel = name.removeprefix(".text.")
            shared = sections.get(f".nv.shared.{kernel}")
            own = {key: n for (key, symbol), n in info.items() if symbols[symbol] == kernel}
            yield (
                kernel,
                KernelUse(
                    own.get(_REGISTERS, 0), shared["sh_size"] if shared else 0, own.get(_FRAME, 0)
                ),
            )


def _attributes(data: bytes) -> Iterator[tuple[tuple[int, int], int]]:
    """((attribute, symbol), value) of the entries that have a symbol and a number.

    An entry: format, attribute, and a 16-bit value, or (format 4) the size of what follows.
    """
    at = 0
    while at + 4 <= len(data):
        form, key, size = struct.unpack_from("<BBH", data, at)
        at += 4
        if form == 4:
            if size == 8:
                symbol, value = struct.unpack_from("<II", data, at)
                yield (key, symbol), value
            at += size


TOOLCHAIN = ToolchainSpec(
    "cuda",
    ("sm_80", "sm_90"),
    tool,
    compile_text,
    "pip install 'xpiler[cuda]'",
    second=second_opinion,
)
