"""Runs in a child of its own: compiles device code with NVRTC to machine code, by ctypes.

Standard input: JSON with the library's path, the text, its name, options for every architecture,
virtual headers. Standard output: JSON, one row an architecture; machine code goes to `ARCH.cubin`.
"""

from __future__ import annotations

import ctypes
import json
import sys
from collections.abc import Sequence
from typing import Any


def strings(items: Sequence[str]) -> Any:
    """An array of C strings."""
    return (ctypes.c_char_p * len(items))(*[item.encode() for item in items])


def taken(lib: ctypes.CDLL, program: ctypes.c_void_p, size_of: str, get: str) -> bytes:
    """What a pair of the library's functions gives: a size, then that many bytes."""
    size = ctypes.c_size_t()
    if getattr(lib, size_of)(program, ctypes.byref(size)) or size.value == 0:
        return b""
    data = ctypes.create_string_buffer(size.value)
    getattr(lib, get)(program, data)
    return data.raw


def compiled(
    lib: ctypes.CDLL, job: dict[str, Any], arch: str, options: Sequence[str]
) -> dict[str, Any]:
    """The row of one architecture."""
    program = ctypes.c_void_p()
    names, texts = strings(list(job["headers"])), strings(list(job["headers"].values()))
    made = lib.nvrtcCreateProgram(
        ctypes.byref(program), job["text"].encode(), job["name"].encode(), len(names), texts, names
    )
    if made:
        return {"arch": arch, "ok": False, "log": f"NVRTC error {made}"}
    status = lib.nvrtcCompileProgram(program, len(options), strings(options))
    log = taken(lib, program, "nvrtcGetProgramLogSize", "nvrtcGetProgramLog")
    code = b"" if status else taken(lib, program, "nvrtcGetCUBINSize", "nvrtcGetCUBIN")
    lib.nvrtcDestroyProgram(ctypes.byref(program))
    with open(f"{arch}.cubin", "wb") as file:
        file.write(code)
    said = log.rstrip(b"\0").decode(errors="replace")
    return {"arch": arch, "ok": status == 0, "log": said}


def main() -> None:
    """Answers the job on standard input."""
    job = json.load(sys.stdin)
    lib = ctypes.CDLL(job["library"])
    rows = [compiled(lib, job, arch, options) for arch, options in job["archs"].items()]
    json.dump(rows, sys.stdout)


main()
