"""Turn the text of a CUDA or HIP file into C++ that runs on the emulator's headers.

Only what C++ can't say is rewritten: launches, storage of shared variables, inline assembly, some
reserved words. Everything else is the user's own text on its own line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from xpiler.platforms._simt.inline_asm import rewrite_asm
from xpiler.platforms._simt.launches import rewrite_launch_calls, rewrite_launches
from xpiler.platforms._simt.lexer import Edit, Token, apply, lex, next_solid
from xpiler.platforms._simt.lexer import words as words_of
from xpiler.platforms._simt.storage import register_globals, rewrite_storage

_WORD = re.compile(r"[A-Za-z_]\w*")
_STD_NAME = re.compile(r"\bstd\s*::\s*(\w+)")
_INCLUDED = re.compile(r"^[ \t]*#[ \t]*include[ \t]*<([\w./]+)>", re.MULTILINE)
# What the vendors' headers bring along; slow to compile, so included only where it is used.
_STANDARD = {
    "cmath": words_of(
        "abs acos asin atan atan2 ceil cos cosh erf exp exp2 fabs floor fma fmax fmin fmod "
        "isfinite isinf isnan log log10 log1p log2 pow round sin sinh sqrt tan tanh trunc"
    ),
    "algorithm": frozenset({"min", "max", "swap", "move", "forward"}),
}
_STDIO = frozenset({"fprintf", "stderr", "stdout", "FILE", "snprintf", "sprintf", "fflush"})


@dataclass(frozen=True)
class Dialect:
    """What one platform's text needs.

    `headers`: header -> words; it is included where the text has one of them.
    `words`: reserved words that are replaced wherever they stand as a token of their own.
    `launch_calls`: API functions that launch -> whether cooperatively.
    `passes`: further rewrites, run first.
    """

    entry_header: str
    headers: Mapping[str, frozenset[str]]
    words: Mapping[str, str]
    launch_calls: Mapping[str, bool]
    asm_entry: str
    passes: tuple[Callable[[str], str], ...] = field(default=())


def rewrite(text: str, dialect: Dialect, filename: str = "unit") -> str:
    """C++ for the emulator: one line of prelude, then the text with its own line numbers."""
    text = text.replace("\r\n", "\n")
    original = text
    for step in dialect.passes:
        text = step(text)
    text = replace_words(text, dialect.words)
    text = rewrite_launch_calls(text, dict(dialect.launch_calls))
    text = rewrite_launches(text)
    text = register_globals(text)
    text = rewrite_storage(text)
    text = rewrite_asm(text, dialect.asm_entry)
    name = filename.replace("\\", "\\\\").replace('"', '\\"')
    return f'{prelude(original, dialect)}\n#line 1 "{name}"\n{text}'


def prelude(text: str, dialect: Dialect) -> str:
    """Include directives, several lines, for what the text uses."""
    words = set(_WORD.findall(text))
    wanted = [header for header, names in dialect.headers.items() if words & names]
    lines = [f'#include "{name}"' for name in (dialect.entry_header, *wanted)]
    lines += [f"#include <{name}>" for name in standard_headers(text)]
    if "wmma" in words and not words & {"nvcuda", "rocwmma"}:
        lines.append("using namespace nvcuda;")
    return "\n".join(lines)


def standard_headers(text: str) -> list[str]:
    """Headers of the C++ library that the text leans on without including anything like them."""
    words = set(_WORD.findall(text))
    included, names = set(_INCLUDED.findall(text)), set(_STD_NAME.findall(text))
    wanted = [header for header, offered in _STANDARD.items() if names & offered]
    if words & _STDIO and not included & {"stdio.h", "cstdio"}:
        wanted.append("stdio.h")
    return [header for header in wanted if header not in included]


def _behind(tokens: list[Token], at: int, wanted: tuple[str, ...]) -> bool:
    """Whether the token at `at` stands behind these, white space and comments aside."""
    for text in reversed(wanted):
        at = next_solid(tokens, at - 1, -1)
        if at < 0 or tokens[at].text != text:
            return False
    return True


def replace_words(text: str, words: Mapping[str, str]) -> str:
    """Replace reserved words, but not in `__attribute__((...))`, which may spell one of them."""
    if not any(word in text for word in words):
        return text
    tokens = lex(text)
    edits = []
    for i, token in enumerate(tokens):
        if token.kind == "name" and token.text in words:
            before = next_solid(tokens, i - 1, -1)
            inside = _behind(tokens, i, ("__attribute__", "(", "("))
            macro = before >= 0 and tokens[before].text in {"define", "ifdef", "ifndef", "undef"}
            if not inside and not (macro and token.directive):
                edits.append(Edit(i, i + 1, words[token.text]))
    return apply(tokens, edits)
