"""Vector instructions in software, for a processor that lacks them: the semantics, run as C.

The same text says to the front end what an intrinsic means. Where the processor has the
instructions, tests hold it against them; verdicts that rest on it say so.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

from xpiler.host.cache import cache_dir, content_key, store
from xpiler.host.compiler import Toolchain
from xpiler.platforms.c.accesses import watched
from xpiler.platforms.c.pieces import Header, indexed

_FOLDER = Path(__file__).parent
_LIBRARY = re.compile(r"\b(ceil|copysign|fabs|floor|fma|fmax|fmin|ldexp|rint|sqrt|trunc)(f?)(?=\()")
_VALUES = {"INFINITY": "__builtin_inff()", "NAN": '__builtin_nanf("")', "size_t": "__SIZE_TYPE__"}
_WHOLE = re.compile(r"\*\((const )?(__m\d+i)\*\)")
_NEXT = re.compile(r"(?<=[;}]) (?=static inline |typedef |enum )")
_BF16 = "float xp_of_bf16(__bf16 x) { return (float)x; }"
_TO_BF16 = "__bf16 xp_to_bf16(float x) { return (__bf16)x; }"
#: For compilers without such numbers: the upper half of a float's bits, rounded to nearest even.
_BF16_BITS = """float xp_of_bf16(__bf16 x)
{ unsigned b = (unsigned)x << 16; float f; __builtin_memcpy(&f, &b, 4); return f; }"""
_TO_BF16_BITS = """__bf16 xp_to_bf16(float x)
{ unsigned b; __builtin_memcpy(&b, &x, 4);
  return x != x ? b >> 16 | 64 : (b + 0x7FFF + (b >> 16 & 1)) >> 16; }"""
#: Registers that GCC does not take by itself for lanes of another kind.
_SEEN_AS_OTHERS = re.compile(
    r"(_mm\d*_(?:maskz?_)?(?:and|andnot|or|xor|movemask|extract|blendv)_p[sd]|_mm\d*_\w*cvtph_ps)"
    r"\((\w[^()]*)\) \{"
)
#: An instruction that touches no memory is a call: in line, with all its lanes, it takes the
#: compiler several times as long. What does touch it stays in its caller, where a fault is named.
_ON_REGISTERS = re.compile(r"^static inline (?=[^;{*]*\) \{)", re.MULTILINE)
_CALLED = "static __attribute__((noinline)) "
FLAGS = ("-march=native", "-mno-avx512fp16", "-Wno-psabi", "-Wno-unused-parameter")
_LAX = {"gnu": "-flax-vector-conversions", "clang": "-flax-vector-conversions=all"}


def preface(words: set[str], tools: Toolchain) -> tuple[str, tuple[str, ...]]:
    """The instructions among `words` as functions, and flags for a text that calls them."""
    part = header_of(tools).part(words)
    return f"{part}\n{watched(words, software=True)}", (*FLAGS, _LAX[tools.family])


_headers: dict[str, Header] = {}


def header_of(tools: Toolchain) -> Header:
    """Every instruction of the semantics, as one compiler reads it."""
    if tools.identity not in _headers:
        _headers[tools.identity] = indexed(_preprocessed(tools))
    return _headers[tools.identity]


def _preprocessed(tools: Toolchain) -> str:
    """The semantics after the preprocessor, definitions of macros kept."""
    sources = sorted([*_FOLDER.glob("semantics/*"), *_FOLDER.glob("stubs/immintrin.h")])
    texts = [p.read_text(encoding="utf-8") for p in (Path(__file__), *sources)]
    path = cache_dir("headers") / f"{content_key(('software', tools.identity, *texts))}.i"
    if path.is_file():
        return path.read_text(encoding="utf-8")
    done = _run(tools)
    found = "\n".join(line for line in done.splitlines() if not _foreign(line))
    found = _whole_registers(_NEXT.sub("\n", _LIBRARY.sub(r"__builtin_\1\2", found)))
    if not _has_bf16(tools):
        found = found.replace(_BF16, _BF16_BITS).replace(_TO_BF16, _TO_BF16_BITS)
        found = re.sub(r"\b__bf16\b", "unsigned short", found)
    found = "\n".join(made for line in found.splitlines() for made in (line, *_seen(line)))
    found = _ON_REGISTERS.sub(_CALLED, found)
    store(path, found.encode())
    return found


def _seen(line: str) -> list[str]:
    """A macro of the function's own name that casts the registers that it is given."""
    match = _SEEN_AS_OTHERS.search(line)
    if match is None:
        return []
    params = [p.rsplit(" ", 1) for p in match[2].split(", ")]
    names = [*(name for _, name in params[:-1]), "__VA_ARGS__"]
    given = [
        f"({t})({name})" if t.startswith("xp_") else f"({name})"
        for (t, _), name in zip(params, names, strict=True)
    ]
    return [f"#define {match[1]}({', '.join((*names[:-1], '...'))}) {match[1]}({', '.join(given)})"]


def _run(tools: Toolchain) -> str:
    defines = [f"-D{n}={v}" for n, v in _VALUES.items()]
    with tempfile.TemporaryDirectory(prefix="xpiler-") as folder:
        unit = Path(folder) / "unit.c"
        unit.write_text("#include <immintrin.h>\n", encoding="utf-8")
        include = ("-nostdinc", f"-I{_FOLDER / 'stubs'}")
        command = [*tools.compile["c"], *include, *defines, "-E", "-P", "-dD", str(unit)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout


def _foreign(line: str) -> bool:
    """What the compiler defines itself, what only the semantics need, and other directives."""
    if line.startswith("#define"):
        return not line.startswith("#define _MM_")
    return line.startswith(("#", "float copysignf", "float rintf", "void _mm_free", "void* _mm"))


def _whole_registers(text: str) -> str:
    """A register that is loaded or stored as a whole may lie anywhere."""
    anywhere = "\n".join(
        f"typedef long long __m{n}i_anywhere "
        f"__attribute__((vector_size({n // 8}), aligned(1), may_alias));"
        for n in (128, 256, 512)
    )
    return anywhere + "\n" + _WHOLE.sub(r"*(\1\2_anywhere*)", text)


def _has_bf16(tools: Toolchain) -> bool:
    command = [*tools.compile["c"], "-x", "c", "-fsyntax-only", "-"]
    text = "float f(__bf16 x) { return (float)x; }\n"
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60)
    return done.returncode == 0
