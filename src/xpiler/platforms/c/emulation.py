"""Plain C runs as it is: it needs no emulator, only the runtime's checks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from xpiler.host.compiler import Toolchain
from xpiler.platforms.c.headers import in_software, preface
from xpiler.platforms.protocol import EmulatorSpec

_INCLUDE = re.compile(r"^[ \t]*#[ \t]*include\b", re.M)
_CPP_FILES = (".cpp", ".cc", ".cxx", ".hpp")
_USUAL = ("float.h", "limits.h", "math.h", "stdint.h", "stdio.h", "stdlib.h", "string.h")
_INTRINSICS = re.compile(r"\b_mm\d*_\w+\(|\b__m(?:128|256|512)\w*\b")


def _preface(text: str, tools: Toolchain) -> tuple[str, tuple[str, ...]]:
    """The compiler's part, and the usual headers for a fragment that includes none at all.

    Collections of kernels often leave them to whoever compiles the fragment.
    """
    if _INCLUDE.search(text):
        return preface(text, tools)
    usual = "".join(f"#include <{name}>\n" for name in _USUAL)
    intrinsics = "#include <immintrin.h>\n" if _INTRINSICS.search(text) else ""
    before, flags = preface(intrinsics + text, tools)
    return usual + before, flags


def _modelled(text: str, tools: Toolchain) -> str:
    """The verdict says so where no real instruction was run."""
    named = _INCLUDE.search(text) or not _INTRINSICS.search(text)
    whole = text if named else f"#include <immintrin.h>\n{text}"
    return "AVX-512, which this processor lacks" if in_software(whole, tools) else ""


def _variant(text: str, filename: str) -> Mapping[str, Any]:
    """Files that are called C++ are compiled as such."""
    if not filename.endswith(_CPP_FILES):
        return {}
    return {"language": "c++", "standard": "gnu++17", "rewrite": _with_runtime}


def _with_runtime(text: str, filename: str) -> str:
    return f'#include "xprt.h"\n#line 1 "{filename}"\n{text}'


# OpenMP's pragmas for threads are there for whoever switches it on; here the loops run one after
# the other. Those for lanes are obeyed, so that a loop that is marked wrongly shows.
EMULATOR = EmulatorSpec(
    platform="c",
    language="c",
    standard="gnu11",
    extra_flags=("-Wno-unknown-pragmas", "-fopenmp-simd"),
    scalar_types={"bf16": "bf16"},
    preface=_preface,
    modelled=_modelled,
    variant=_variant,
)
