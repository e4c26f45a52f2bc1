"""The part of the compiler's own <immintrin.h> that a text uses: a whole one costs half a second.

The declarations stay the compiler's, so what runs are the real instructions; a text that needs some
that this processor lacks gets all of them in software.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

from xpiler.host.cache import cache_dir, content_key, store
from xpiler.host.compiler import Toolchain
from xpiler.host.processor import features
from xpiler.platforms.c import software
from xpiler.platforms.c.accesses import watched
from xpiler.platforms.c.pieces import ENOUGH, HAVE, LACKING, Header, indexed, marks

NATIVE = ("-march=native", "-mno-avx512fp16", "-Wno-psabi")
_INCLUDES = re.compile(r"#\s*include\s*[<\"](\w*intrin\.h)[>\"]")
_WORD = re.compile(r"[A-Za-z_]\w*")
_GUARDS = (
    "_IMMINTRIN_H_INCLUDED", "__IMMINTRIN_H", "_X86INTRIN_H_INCLUDED", "__X86INTRIN_H",
    "_XMMINTRIN_H_INCLUDED", "__XMMINTRIN_H", "_EMMINTRIN_H_INCLUDED", "__EMMINTRIN_H",
    "_PMMINTRIN_H_INCLUDED", "__PMMINTRIN_H", "_TMMINTRIN_H_INCLUDED", "__TMMINTRIN_H",
    "_SMMINTRIN_H_INCLUDED", "__SMMINTRIN_H", "_NMMINTRIN_H_INCLUDED", "__NMMINTRIN_H",
    "_ZMMINTRIN_H_INCLUDED", "_AVXINTRIN_H_INCLUDED", "__AVXINTRIN_H",
)  # fmt: skip
_SEVERAL = ("_mm_malloc", "_mm_free")
_BESIDE = "#include <stdlib.h>\n"  # comes with the real one, for the sake of _mm_malloc
_MALLOC = """static inline void *_mm_malloc(__SIZE_TYPE__ n, __SIZE_TYPE__ a)
{
  extern void *aligned_alloc(__SIZE_TYPE__, __SIZE_TYPE__);
  return aligned_alloc(a, (n + a - 1) / a * a);
}
static inline void _mm_free(void *p) { extern void free(void *); free(p); }
"""


def preface(text: str, tools: Toolchain) -> tuple[str, tuple[str, ...]]:
    """What takes the place of <immintrin.h> before a text that includes it, and flags for it."""
    if not _INCLUDES.search(text):
        return "", ()
    header = _header(tools)
    words = set(_WORD.findall(text))
    guards = "".join(f"#define {g} 1\n" for g in _GUARDS)
    own = _MALLOC if words & set(_SEVERAL) else ""
    words -= set(_SEVERAL)
    if header.lacks(words):
        part, flags = software.preface(words, tools)
    else:
        part, flags = f"{header.part(words)}\n{watched(words)}", NATIVE
    return f'{_BESIDE}#line 1 "immintrin.h"\n{guards}{own}{part}', flags


def in_software(text: str, tools: Toolchain) -> bool:
    """Whether the vector instructions of a text run in software here."""
    return bool(_INCLUDES.search(text)) and _header(tools).lacks(set(_WORD.findall(text)))


_headers: dict[str, Header] = {}


def _header(tools: Toolchain) -> Header:
    if tools.identity not in _headers:
        _headers[tools.identity] = indexed(_preprocessed(tools))
    return _headers[tools.identity]


def _preprocessed(tools: Toolchain) -> str:
    """The compiler's header after its preprocessor, definitions of macros kept."""
    key = content_key(("immintrin 2", tools.identity, *NATIVE, *sorted(features())))
    path = cache_dir("headers") / f"{key}.i"
    if path.is_file():
        return path.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="xpiler-") as folder:
        unit = Path(folder) / "unit.c"
        unit.write_text("#include <immintrin.h>\n", encoding="utf-8")
        command = [*tools.compile["c"], *NATIVE, "-O1", "-E", "-dD", str(unit)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    found = _without_foreign(done.stdout)
    store(path, found.encode())
    return found


def _without_foreign(text: str) -> str:
    """Without what the compiler predefines and without the C library's part."""
    keep, out = False, []
    for line in marks(text):
        if line.startswith("# "):
            match = re.match(r'# \d+ "([^"]*)"', line)
            keep = bool(match and re.search(r"intrin[^/]*\.h$", match[1]))
        elif line.startswith((HAVE, LACKING, ENOUGH)) or (keep and not line.startswith("#undef")):
            out.append(line)
    return "\n".join(out)


__all__ = ["in_software", "preface"]
