"""The part of a CUDA or HIP text that device compilers read: functions of the host blanked out."""

from __future__ import annotations

import re

from xpiler.platforms._simt.lexer import lex, next_solid
from xpiler.platforms._simt.scopes import CLASS, scopes, statement_start

_DEVICE = frozenset(("__global__", "__device__", "constexpr", "__managed__"))


def device_text(text: str) -> str:
    """`text` without the functions that only the host runs; each line keeps its number.

    A function counts as the host's where its head names no place to run. Members of classes stay.
    """
    tokens = lex(text)
    kinds, bodies = scopes(tokens)
    marked = _device_macros(text)
    gone: set[int] = set()
    for body in bodies:
        start = next_solid(tokens, statement_start(tokens, body.open))
        words = {t.text for t in tokens[start : body.open]}
        if kinds[start] != CLASS and not words & (_DEVICE | marked):
            gone.update(range(start, body.close + 1))
    return "".join("\n" * t.text.count("\n") if k in gone else t.text for k, t in enumerate(tokens))


def _device_macros(text: str) -> frozenset[str]:
    """Macros of the text that stand for one of those words."""
    found = re.findall(r"^[ \t]*#[ \t]*define[ \t]+(\w+)[^\n]*__(?:global|device)__", text, re.M)
    return frozenset(found)
