"""Rewrite inline assembly into calls of the emulator's interpreter of PTX.

`asm volatile("add.u32 %0, %1, %2;" : "=r"(d) : "r"(a), "r"(b));` becomes a call
`::xp_simt::ptx(__LINE__, [] { return "add.u32 ..."; }, true, ::xp_simt::out("=r", d), ...);`.
"""

from __future__ import annotations

from collections.abc import Sequence

from xpiler.platforms._simt.lexer import (
    Edit,
    Token,
    apply,
    code,
    lex,
    match_close,
    next_solid,
    split_commas,
)

_ASM = {"asm", "__asm__", "__asm"}
_QUALIFIERS = {"volatile", "__volatile__", "inline", "goto"}


def rewrite_asm(text: str, entry: str) -> str:
    """The text with each `asm` statement replaced by a call of `::xp_simt::<entry>`."""
    if "asm" not in text:
        return text
    tokens = lex(text)
    edits: list[Edit] = []
    for i, token in enumerate(tokens):
        if token.kind == "name" and token.text in _ASM:
            edit = _one(tokens, i, entry)
            if edit is not None:
                edits.append(edit)
    return apply(tokens, edits)


def _one(tokens: Sequence[Token], index: int, entry: str) -> Edit | None:
    opened = next_solid(tokens, index + 1)
    while opened < len(tokens) and tokens[opened].text in _QUALIFIERS:
        opened = next_solid(tokens, opened + 1)
    if opened >= len(tokens) or tokens[opened].text != "(":
        return None
    closed = match_close(tokens, opened)
    if closed is None:
        return None
    sections = _sections(tokens[opened + 1 : closed])
    template = code(sections[0]).strip()
    if len(sections) == 1 and not template:
        return None
    operands = [_operand(o, "out") for o in _operands(sections, 1)]
    operands += [_operand(o, "in") for o in _operands(sections, 2)]
    extended = "true" if len(sections) > 1 else "false"
    head = f"::xp_simt::{entry}(__LINE__, [] {{ return {template}; }}, {extended}"
    return Edit(index, closed + 1, ", ".join([head, *operands]) + ")")


def _sections(tokens: Sequence[Token]) -> list[list[Token]]:
    """Template, outputs, inputs, clobbers: what stands between colons outside brackets."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        if token.kind == "punct":
            depth += (token.text in {"(", "[", "{"}) - (token.text in {")", "]", "}"})
            if depth == 0 and token.text in {":", "::"}:
                parts.extend([] for _ in token.text)
                continue
        parts[-1].append(token)
    return parts


def _operands(sections: Sequence[Sequence[Token]], which: int) -> list[list[Token]]:
    if which >= len(sections):
        return []
    return [o for o in split_commas(sections[which]) if any(not t.blank for t in o)]


def _operand(tokens: Sequence[Token], direction: str) -> str:
    """`[name] "=r"(expression)` -> `::xp_simt::out("=r", expression, "name")`."""
    start = next_solid(tokens, 0)
    name = ""
    if tokens[start].text == "[":
        end = match_close(tokens, start) or start
        name = code(tokens[start + 1 : end]).strip()
        start = end + 1
    opened = next((i for i in range(start, len(tokens)) if tokens[i].text == "("), len(tokens))
    closed = match_close(tokens, opened) if opened < len(tokens) else None
    constraint = code(tokens[start:opened]).strip()
    expression = code(tokens[opened + 1 : closed])
    label = f', "{name}"' if name else ""
    return f"::xp_simt::{direction}({constraint}, {expression}{label})"
