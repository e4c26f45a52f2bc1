"""Macros that stand for whole functions, written out where a file invokes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xpiler.platforms._simt.lexer import Token, code, join, lex, match_close, next_solid
from xpiler.platforms._simt.scopes import statement_start

_DEEP = 4  # macros that invoke macros


@dataclass(frozen=True, slots=True)
class Macro:
    """A macro with parameters; the last takes all that is left."""

    params: tuple[str, ...]
    body: tuple[Token, ...]


def written_out(text: str) -> str:
    """`text` with the macros that define functions in their places; each line keeps its number.

    Only invocations outside of functions count. A macro that is defined twice, with nothing to
    end the first, stays: which one is meant depends on conditions.
    """
    if "#" not in text or "define" not in text:
        return text
    for _ in range(_DEEP):
        tokens = lex(text)
        found = _once(tokens)
        if found is None:
            break
        text = found
    return text


def _once(tokens: Sequence[Token]) -> str | None:
    """The text with each invocation replaced once; None where there is none."""
    macros: dict[str, Macro | None] = {}
    out: list[str] = []
    inside: list[bool] = []  # open braces: of a body, or of a namespace
    i, changed = 0, False
    while i < len(tokens):
        token = tokens[i]
        if token.directive:
            end = i
            while end < len(tokens) and tokens[end].directive == token.directive:
                end += 1
            _learn(tokens[i:end], macros)
            out.append(join(tokens[i:end]))
            i = end
            continue
        if token.text == "{":
            inside.append(not _of_namespace(tokens, i))
        elif token.text == "}" and inside:
            inside.pop()
        macro = macros.get(token.text) if token.kind == "name" and not any(inside) else None
        close = _invoked(tokens, i) if macro is not None else None
        if macro is None or close is None:
            out.append(token.text)
            i += 1
            continue
        lines = "\n" * join(tokens[i : close + 1]).count("\n")
        out.append(_replaced(macro, _arguments(tokens[i : close + 1], len(macro.params))) + lines)
        changed = True
        i = close + 1
    return "".join(out) if changed else None


def _of_namespace(tokens: Sequence[Token], i: int) -> bool:
    """Whether the brace opens a namespace or `extern "C"`."""
    start = statement_start(tokens, i)
    head = [t.text for t in tokens[start:i] if not t.blank]
    return "namespace" in head or head[-1:] == ['"C"']


def _invoked(tokens: Sequence[Token], i: int) -> int | None:
    opened = next_solid(tokens, i + 1)
    if opened >= len(tokens) or tokens[opened].text != "(":
        return None
    return match_close(tokens, opened)


def _learn(line: Sequence[Token], macros: dict[str, Macro | None]) -> None:
    """What a line of the preprocessor says about macros with parameters."""
    solid = [t for t in line if not t.blank]
    if len(solid) < 3 or solid[1].text not in ("define", "undef"):
        return
    name = solid[2].text
    if solid[1].text == "undef":
        macros.pop(name, None)
        return
    at = next(k for k, t in enumerate(line) if t is solid[2])
    if name in macros or at + 1 >= len(line) or line[at + 1].text != "(":
        macros[name] = None
        return
    close = next((k for k in range(at, len(line)) if line[k].text == ")"), len(line))
    params = [t.text for t in line[at + 2 : close] if not t.blank and t.text != ","]
    if params[-1:] == ["..."]:
        params[-1] = "__VA_ARGS__"
    macros[name] = Macro(tuple(params), tuple(line[close + 1 :]))


def _arguments(invocation: Sequence[Token], count: int) -> list[str]:
    """Texts between the commas; the last takes what is left over."""
    opened = next(k for k, t in enumerate(invocation) if t.text == "(")
    found, depth = [""], 0
    for t in invocation[opened + 1 : -1]:
        depth += 1 if t.text in ("(", "[", "{") else -1 if t.text in (")", "]", "}") else 0
        if t.text == "," and depth == 0 and len(found) < count:
            found.append("")
        else:
            found[-1] += code([t]).replace("\n", " ")
    return [f.strip() for f in found] + [""] * (count - len(found))


def _replaced(macro: Macro, given: Sequence[str]) -> str:
    """The macro's text on one line, its parameters replaced, `##` and `#` obeyed."""
    values: Mapping[str, str] = dict(zip(macro.params, given, strict=False))
    body = [t for t in macro.body if t.kind != "newline"]
    out = ""
    pasting = quoting = False
    for t in body:
        if t.text == "##":
            out, pasting = out.rstrip(), True
        elif t.text == "#":
            quoting = True
        elif t.blank:
            out += "" if pasting else " "
        else:
            value = values.get(t.text, t.text)
            out += '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' if quoting else value
            pasting = quoting = False
    return out
