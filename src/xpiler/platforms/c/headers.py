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


# -- watching ---------------------------------------------------------------------------

_MASKED = re.compile(
    r"_mm(?P<w>256|512|)_(?P<form>mask|maskz)_(?P<what>loadu|load|storeu|store)_"
    r"(?P<elem>ps|pd|epi8|epi16|epi32|epi64)$"
)
_SPREAD = re.compile(
    r"_mm512_(?P<form>mask_)?i(?P<index>32|64)(?P<what>gather|scatter)_(?P<elem>ps|pd|epi32|epi64)$"
)
_PACKED = re.compile(r"_mm512_mask_compressstoreu_(?P<elem>ps|pd|epi32|epi64)$")
_NARROWED = re.compile(
    r"_mm(?P<w>256|512)?_mask_cvt(?:us|s)?epi(?P<from>16|32|64)_storeu_epi(?P<to>8|16|32)$"
)
_BITS = {"ps": 32, "pd": 64, "epi8": 8, "epi16": 16, "epi32": 32, "epi64": 64}
_LOOK = """#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define __SANITIZE_THREAD__ 1
#endif
#endif
#ifdef __SANITIZE_THREAD__
#ifdef __cplusplus
extern "C" {
#endif
void __tsan_read1(void *); void __tsan_read2(void *);
void __tsan_read4(void *); void __tsan_read8(void *);
void __tsan_write1(void *); void __tsan_write2(void *);
void __tsan_write4(void *); void __tsan_write8(void *);
#ifdef __cplusplus
}
#endif
"""


def watched(words: set[str]) -> str:
    """Accesses that the instrumentation does not see announce the lanes that are on."""
    forms = (
        (_MASKED, _masked), (_SPREAD, _scattered), (_PACKED, _compressed), (_NARROWED, _narrowed)
    )  # fmt: skip
    found = [f(m) for p, f in forms for w in sorted(words) if (m := p.match(w))]
    return f"{_LOOK}{''.join(found)}#endif\n" if found else ""


def _macro(name: str, order: tuple[str, ...], announce: str, last: str = "") -> str:
    """A macro of the intrinsic's own name that runs `announce` first."""
    given = ", ".join((*(f"x_{x}" for x in order), *((last,) if last else ())))
    keep = " ".join(f"__auto_type {x}_ = (x_{x});" for x in order)
    values = ", ".join((*(f"{x}_" for x in order), *((f"({last})",) if last else ())))
    return f"#define {name}({given}) __extension__({{ {keep} {announce} {name}({values}); }})\n"


def _masked(m: re.Match[str]) -> str:
    width, size = int(m["w"] or 128), _BITS[m["elem"]] // 8
    store_ = m["what"].startswith("store")
    order = ("p", "k", "a") if store_ else ("src", "k", "p") if m["form"] == "mask" else ("k", "p")
    announce = (
        f"for (int i_ = 0; i_ < {width // (8 * size)}; i_++) "
        f"if ((unsigned long long)(k_) >> i_ & 1) "
        f"__tsan_{'write' if store_ else 'read'}{size}((char *)(p_) + {size} * i_);"
    )
    return _macro(m[0], order, announce)


def _narrowed(m: re.Match[str]) -> str:
    """A store of lanes made narrow: as many as the register has of the wide ones."""
    lanes, size = int(m["w"] or 128) // int(m["from"]), int(m["to"]) // 8
    announce = (
        f"for (int i_ = 0; i_ < {lanes}; i_++) if ((unsigned long long)(k_) >> i_ & 1) "
        f"__tsan_write{size}((char *)(p_) + {size} * i_);"
    )
    return _macro(m[0], ("p", "k", "a"), announce)


def _scattered(m: re.Match[str]) -> str:
    size, index = _BITS[m["elem"]] // 8, int(m["index"])
    lanes = min(64 // size, 512 // index)
    scatter = m["what"] == "scatter"
    if scatter:
        order: tuple[str, ...] = ("p", "k", "at", "a") if m["form"] else ("p", "at", "a")
    else:
        order = ("src", "k", "at", "p") if m["form"] else ("at", "p")
    on = "(k_ >> i_ & 1)" if m["form"] else "1"
    kind = "int" if index == 32 else "long long"
    announce = (
        f"{kind} each_[{lanes}]; __builtin_memcpy(each_, &at_, sizeof each_); "
        f"for (int i_ = 0; i_ < {lanes}; i_++) if ({on}) "
        f"__tsan_{'write' if scatter else 'read'}{size}"
        f"((char *)(p_) + (long long)each_[i_] * (scale_));"
    )
    return _macro(m[0], order, announce, "scale_")


def _compressed(m: re.Match[str]) -> str:
    size = _BITS[m["elem"]] // 8
    announce = (
        f"for (int i_ = 0; i_ < __builtin_popcount(k_); i_++) "
        f"__tsan_write{size}((char *)(p_) + {size} * i_);"
    )
    return _macro(m[0], ("p", "k", "a"), announce)


__all__ = ["in_software", "preface", "watched"]
