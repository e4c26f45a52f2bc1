"""The part of a CUDA or HIP text that device compilers read: functions of the host blanked out."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xpiler.platforms._simt.lexer import Token, lex, next_solid
from xpiler.platforms._simt.scopes import CLASS, scopes, statement_start

_DEVICE = frozenset(("__global__", "__device__", "constexpr", "__managed__"))


def device_text(text: str) -> str:
    """`text` without the functions that only the host runs; each line keeps its number.

    A function counts as the host's where its head names no place to run. Members of classes stay;
    instantiations of templates go with them.
    """
    tokens = lex(text)
    kinds, bodies = scopes(tokens)
    marked = _device_macros(text)
    gone: set[int] = set()
    names: dict[bool, set[str]] = {True: set(), False: set()}
    for body in bodies:
        start = next_solid(tokens, statement_start(tokens, body.open))
        words = {t.text for t in tokens[start : body.open]}
        host = kinds[start] != CLASS and not words & (_DEVICE | marked)
        names[host].add(tokens[next_solid(tokens, body.parameters - 1, -1)].text)
        if host:
            gone.update(range(start, body.close + 1))
    gone |= _instances(tokens, names[True] - names[False])
    return "".join("\n" * t.text.count("\n") if k in gone else t.text for k, t in enumerate(tokens))


def _instances(tokens: Sequence[Token], names: set[str]) -> set[int]:
    """`template void f<float>(...);` of functions that are gone."""
    found: set[int] = set()
    for i, token in enumerate(tokens):
        if token.text != "template" or token.directive:
            continue
        if tokens[next_solid(tokens, i + 1)].text == "<":
            continue
        end = next((k for k in range(i, len(tokens)) if tokens[k].text in (";", "{")), i)
        opened = next((k for k in range(i, end) if tokens[k].text in ("<", "(")), i)
        if tokens[end].text == ";" and tokens[next_solid(tokens, opened - 1, -1)].text in names:
            found.update(range(i, end + 1))
    return found


def _device_macros(text: str) -> frozenset[str]:
    """Macros of the text that stand for one of those words."""
    found = re.findall(r"^[ \t]*#[ \t]*define[ \t]+(\w+)[^\n]*__(?:global|device)__", text, re.M)
    return frozenset(found)
