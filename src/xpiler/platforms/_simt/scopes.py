"""Which tokens of a C++ text stand at namespace scope, in a class or in a function body."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from xpiler.platforms._simt.lexer import (
    Token,
    match_angle_close,
    match_close,
    match_open,
    next_solid,
)

NAMESPACE, CLASS, FUNCTION, INITIALISER = "namespace", "class", "function", "initialiser"
_CLASS_KEYS = {"struct", "class", "union", "enum"}
_LABEL_WORDS = {"public", "private", "protected"}


@dataclass(frozen=True, slots=True)
class Body:
    """A function body: token indices of its braces and of the bracket that opens its parameters."""

    open: int
    close: int
    parameters: int


def statement_start(tokens: Sequence[Token], index: int) -> int:
    """Index of the first solid token of the declaration or statement that holds `index`."""
    home = tokens[index].directive
    first, i = index, index - 1
    while i >= 0:
        token = tokens[i]
        if token.directive != home:
            if home:
                break
            i -= 1
            continue
        if token.text in {";", "{", "}", "("} or _is_label_end(tokens, i):
            break
        if token.text == ")":
            opened = match_open(tokens, i)
            i = opened if opened is not None else i
            first = i
        elif not token.blank:
            first = i
        i -= 1
    return _after_define(tokens, first) if home else first


def _is_label_end(tokens: Sequence[Token], index: int) -> bool:
    if tokens[index].text != ":":
        return False
    before = next_solid(tokens, index - 1, -1)
    if before >= 0 and tokens[before].text in _LABEL_WORDS | {"default"}:
        return True
    while before >= 0 and tokens[before].text not in {";", "{", "}", "?", ":"}:
        if tokens[before].text == "case":
            return True
        before = next_solid(tokens, before - 1, -1)
    return False


def _after_define(tokens: Sequence[Token], index: int) -> int:
    """In `#define NAME(args) body`, the start of the body."""
    if tokens[index].text != "#":
        return index
    word = next_solid(tokens, index + 1)
    name = next_solid(tokens, word + 1)
    if word >= len(tokens) or tokens[word].text != "define" or name >= len(tokens):
        return index
    at = name + 1
    if at < len(tokens) and tokens[at].text == "(":
        at = (match_close(tokens, at) or at) + 1
    return next_solid(tokens, at)


def without_template_heads(tokens: Sequence[Token]) -> list[Token]:
    """Solid tokens with every `template <...>` taken out."""
    out: list[Token] = []
    i = 0
    while i < len(tokens):
        if tokens[i].text == "template":
            after = next_solid(tokens, i + 1)
            if after < len(tokens) and tokens[after].text == "<":
                i = (match_angle_close(tokens, after) or after) + 1
                continue
        if not tokens[i].blank:
            out.append(tokens[i])
        i += 1
    return out


def _brace_kind(tokens: Sequence[Token], start: int, brace: int) -> str:
    head = [t for t in without_template_heads(tokens[start:brace]) if not t.directive]
    words = {t.text for t in head}
    if "namespace" in words:
        return NAMESPACE
    if head and head[-1].kind == "string" and "extern" in words:
        return NAMESPACE
    if words & _CLASS_KEYS and head[-1].text != ")":
        return CLASS
    return FUNCTION if "(" in words and not _assigns(head) else INITIALISER


def _assigns(head: Sequence[Token]) -> bool:
    """Whether a declaration gives a value; values of parameters and `operator=` do not count."""
    depth = 0
    for before, token in pairwise(head):
        depth += (before.text in ("(", "[")) - (token.text in (")", "]"))
        if token.text == "=" and depth == 0 and before.text != "operator":
            return True
    return False


def scopes(tokens: Sequence[Token]) -> tuple[list[str], list[Body]]:
    """For each token the kind of scope it stands in; and every function body outside others."""
    kinds: list[str] = []
    stack: list[tuple[str, int]] = []
    bodies: list[Body] = []
    start = 0
    for i, token in enumerate(tokens):
        here = stack[-1][0] if stack else NAMESPACE
        kinds.append(here)
        if token.directive or token.kind != "punct":
            continue
        if token.text == "{":
            kind = here if here in {FUNCTION, INITIALISER} else _brace_kind(tokens, start, i)
            stack.append((kind, i))
            start = i + 1
        elif token.text == "}":
            if stack:
                kind, opened = stack.pop()
                if kind == FUNCTION and (not stack or stack[-1][0] != FUNCTION):
                    bodies.append(Body(opened, i, _parameters(tokens, opened)))
            start = i + 1
        elif token.text == ";":
            start = i + 1
    return kinds, bodies


def _parameters(tokens: Sequence[Token], brace: int) -> int:
    """The first bracket of the declaration that ends at `brace` and follows a name."""
    start = statement_start(tokens, brace - 1) if brace else 0
    for i in range(start, brace):
        if tokens[i].text == "(":
            before = next_solid(tokens, i - 1, -1)
            name = tokens[before].text if before >= 0 else ""
            if tokens[before].kind == "name" and not name.startswith("__"):
                return i
    return brace
