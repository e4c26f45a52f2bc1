"""The C compilers of this machine, for tests: gcc where found, and always ziglang's clang."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

WARNINGS = ["-std=c11", "-Wall", "-Wextra", "-Werror"]


def compilers() -> dict[str, list[str]]:
    """Name -> command."""
    found = {"clang": [sys.executable, "-m", "ziglang", "cc"]}
    if gcc := shutil.which("gcc"):
        found = {"gcc": [gcc], **found}
    return found


def complaints(text: str, folder: Path, *options: str) -> str:
    """What the compilers say of a file at our warning level; empty when nothing."""
    source = folder / "unit.c"
    source.write_text(text)
    said = ""
    for name, command in compilers().items():
        shadow = ["-Wshadow"] if name == "gcc" else []
        done = subprocess.run(
            [
                *command,
                *WARNINGS,
                *shadow,
                *options,
                "-c",
                str(source),
                "-o",
                str(folder / "unit.o"),
            ],
            capture_output=True,
            text=True,
        )
        said += done.stderr if done.returncode or "warning" in done.stderr else ""
    return said


def output(text: str, folder: Path, compiler: str, *options: str) -> str:
    """What a program prints."""
    source, binary = folder / "program.c", folder / "program"
    source.write_text(text)
    subprocess.run(
        [*compilers()[compiler], "-std=c11", *options, str(source), "-o", str(binary), "-lm"],
        check=True,
    )
    return subprocess.run([str(binary)], check=True, capture_output=True, text=True).stdout
