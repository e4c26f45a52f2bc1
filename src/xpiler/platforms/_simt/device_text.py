"""The part of a CUDA or HIP text that device compilers read: functions of the host blanked out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from xpiler.platforms._simt.file_macros import written_out
from xpiler.platforms._simt.lexer import Token, lex, next_solid
from xpiler.platforms._simt.scopes import CLASS, scopes, statement_start

_DEVICE = frozenset(("__global__", "__device__", "__managed__"))


def device_text(text: str) -> str:
    """`text` without the functions that only the host runs; each line keeps its number.

    A function counts as the host's where its head names no place to run; a constant one (constexpr)
    where nothing that stays uses it. Members of classes stay; instantiations of templates go with
    them.
    """
    text = written_out(text)
    tokens = lex(text)
    kinds, bodies = scopes(tokens)
    marked = _device_macros(text)
    gone: set[int] = set()
    names: dict[bool, set[str]] = {True: set(), False: set()}
    constant: dict[str, list[range]] = {}
    for body in bodies:
        start = next_solid(tokens, statement_start(tokens, body.open))
        words = {t.text for t in tokens[start : body.open]}
        host = kinds[start] != CLASS and not words & (_DEVICE | marked)
        name = tokens[next_solid(tokens, body.parameters - 1, -1)].text
        if host and "constexpr" in words:
            constant.setdefault(name, []).append(range(start, body.close + 1))
            continue
        names[host].add(name)
        if host:
            gone.update(range(start, body.close + 1))
    names[True] |= _unused(tokens, constant, gone)
    gone |= _instances(tokens, names[True] - names[False])
    return "".join("\n" * t.text.count("\n") if k in gone else t.text for k, t in enumerate(tokens))


def _unused(
    tokens: Sequence[Token], functions: Mapping[str, Sequence[range]], gone: set[int]
) -> set[str]:
    """Those of `functions` that nothing else uses, one after the other; they join `gone`."""
    found: set[str] = set()
    while True:
        alive = {n: spans for n, spans in functions.items() if n not in found}
        own = {n: {k for span in spans for k in span} for n, spans in alive.items()}
        used = {
            t.text
            for k, t in enumerate(tokens)
            if t.text in alive and k not in gone and k not in own[t.text]
        }
        more = set(alive) - used
        if not more:
            return found
        found |= more
        gone.update(k for n in more for k in own[n])


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
