"""A second opinion on CUDA texts: the toolkit's nvcc where it is on the PATH, host part and all."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from xpiler.diagnostics import Diagnostic, SourceLoc
from xpiler.host.sandbox import Limits, run_sandboxed
from xpiler.platforms.toolchains import CompileReport

_LIMITS = Limits(seconds=120.0, memory_bytes=4 << 30, processes=256)
_REMARK = re.compile(
    r"^unit\.cu[(:](?P<line>\d+)\)?.*?(?P<level>error|warning)\b[^:]*: (?P<text>.*)$", re.M
)
_VERSION = re.compile(r"release (\d+\.\d+)")


@cache
def nvcc() -> tuple[Path, str] | None:
    """The compiler driver and its name with the version; None where there is none."""
    found = shutil.which("nvcc")
    if found is None:
        return None
    try:
        said = subprocess.run(
            [found, "--version"], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None
    version = _VERSION.search(said.stdout)
    return Path(found).resolve(), f"nvcc {version[1]}" if version else "nvcc"


def second_opinion(text: str, arch: str) -> CompileReport | None:
    """What nvcc says of the whole text (some seconds); None where it is not installed."""
    known = nvcc()
    if known is None:
        return None
    path, name = known
    with tempfile.TemporaryDirectory(prefix="xpiler-") as where:
        folder = Path(where)
        (folder / "unit.cu").write_text(text, encoding="utf-8")
        done = run_sandboxed(
            [str(path), f"-arch={arch}", "-std=c++17", "-c", "unit.cu", "-o", "unit.o"],
            read_paths=(path.parent.parent, Path("/usr")), write_dir=folder, limits=_LIMITS,
            env={"TMPDIR": where}, tool=True,
        )  # fmt: skip
    said = (done.stdout + done.stderr).decode(errors="replace")
    messages = [
        Diagnostic(
            "XP0612" if m["level"] == "error" else "XP0606", m["text"],
            "error" if m["level"] == "error" else "warning", SourceLoc("unit", int(m["line"])),
        )
        for m in _REMARK.finditer(said)
    ]  # fmt: skip
    ok = done.returncode == 0
    if not ok and not any(d.severity == "error" for d in messages):
        why = done.killed_by or said.strip()[-500:]
        messages.append(Diagnostic("XP0612", "the compiler failed", reason=why))
    return CompileReport(name, arch, ok, tuple(messages))
