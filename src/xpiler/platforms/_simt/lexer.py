"""Split C++ text into tokens that join back to exactly the same text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
      (?P<space>(?:[ \t\r\f\v]|\\\r?\n)+)
    | (?P<newline>\n)
    | (?P<comment>//(?:\\\r?\n|[^\n])*|/\*.*?(?:\*/|\Z))
    | (?P<string>(?:u8|[uUL])?R"(?P<delimiter>[^ ()\\\t\n]{0,16})\(.*?\)(?P=delimiter)"
                |(?:u8|[uUL])?"(?:\\.|[^"\\\n])*")
    | (?P<char>(?:u8|[uUL])?'(?:\\.|[^'\\\n])*')
    | (?P<number>\.?[0-9](?:[eEpP][+-]|'[0-9a-zA-Z]|[0-9a-zA-Z_.])*)
    | (?P<name>[A-Za-z_$][A-Za-z0-9_$]*)
    | (?P<punct><<<|<<=|<=>|\.\.\.|->\*|::|->|<<|<=|>=|==|!=|&&|\|\||\+\+|--|\#\#|[-+*/%&|^]=|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_OPEN = {"(": ")", "[": "]", "{": "}"}
_CLOSE = {close: open_ for open_, close in _OPEN.items()}
_BLANK = {"space", "newline", "comment"}


@dataclass(frozen=True, slots=True)
class Token:
    """One token; `directive` numbers the preprocessor line that holds it (0: ordinary text)."""

    kind: str
    text: str
    directive: int = 0

    @property
    def blank(self) -> bool:
        """White space, a line end or a comment."""
        return self.kind in _BLANK


def lex(text: str) -> list[Token]:
    """Tokens of `text`; joining their texts gives `text` again. `>` is always a single token."""
    tokens: list[Token] = []
    directive, count, line_is_empty = 0, 0, True
    for match in _TOKEN.finditer(text):
        kind, word = match.lastgroup or "punct", match.group()
        if kind == "delimiter":
            kind = "string"
        if kind == "newline":
            directive, line_is_empty = 0, True
        elif word == "#" and line_is_empty:
            count += 1
            directive = count
        if kind not in _BLANK:
            line_is_empty = False
        tokens.append(Token(kind, word, directive))
    return tokens


def words(text: str) -> frozenset[str]:
    """The words of a text as a set: for tables."""
    return frozenset(text.split())


def join(tokens: Iterable[Token]) -> str:
    """The text of the tokens as it was."""
    return "".join(token.text for token in tokens)


def code(tokens: Iterable[Token]) -> str:
    """The text of the tokens without comments; the count of lines stays."""
    return "".join(
        ("\n" * t.text.count("\n") or " ") if t.kind == "comment" else t.text for t in tokens
    )


def spaced(solid: Iterable[Token]) -> str:
    """The text of tokens without blanks, with a space where two words would run together."""
    out = ""
    for token in solid:
        word = token.text[:1].isalnum() or token.text[:1] == "_"
        out += (" " if word and (out[-1:].isalnum() or out[-1:] == "_") else "") + token.text
    return out


def next_solid(tokens: Sequence[Token], index: int, step: int = 1) -> int:
    """Index of the nearest token at or after (before, for step -1) `index` that is not blank.

    `len(tokens)` or -1 where there is none; never leaves the preprocessor line it started in.
    """
    home = tokens[index].directive if 0 <= index < len(tokens) else 0
    while 0 <= index < len(tokens):
        if tokens[index].directive != home:
            return len(tokens) if step > 0 else -1
        if not tokens[index].blank:
            return index
        index += step
    return len(tokens) if step > 0 else -1


def match_close(tokens: Sequence[Token], index: int) -> int | None:
    """Index of the bracket that closes the one at `index`, or None."""
    depth, home = 0, tokens[index].directive
    for i in range(index, len(tokens)):
        token = tokens[i]
        if token.directive != home:
            if home:
                return None
            continue
        if token.kind == "punct":
            if token.text in _OPEN:
                depth += 1
            elif token.text in _CLOSE:
                depth -= 1
                if depth == 0:
                    return i
    return None


def match_open(tokens: Sequence[Token], index: int) -> int | None:
    """Index of the bracket that opens the one at `index`, or None."""
    depth, home = 0, tokens[index].directive
    for i in range(index, -1, -1):
        token = tokens[i]
        if token.directive != home:
            if home:
                return None
            continue
        if token.kind == "punct":
            if token.text in _CLOSE:
                depth += 1
            elif token.text in _OPEN:
                depth -= 1
                if depth == 0:
                    return i
    return None


def match_angle_open(tokens: Sequence[Token], index: int) -> int | None:
    """Index of the `<` that opens the template argument list closed by the `>` at `index`."""
    depth, i = 0, index
    while i >= 0:
        text = tokens[i].text
        if text == ">":
            depth += 1
        elif text == "<":
            depth -= 1
            if depth == 0:
                return i
        elif text in _CLOSE:
            opened = match_open(tokens, i)
            if opened is None:
                return None
            i = opened
        elif text in {";", "{", "}", "(", "<<<"}:
            return None
        i -= 1
    return None


def match_angle_close(tokens: Sequence[Token], index: int) -> int | None:
    """Index of the `>` that closes the template argument list opened by the `<` at `index`."""
    depth, i = 0, index
    while i < len(tokens):
        text = tokens[i].text
        if text == "<":
            depth += 1
        elif text == ">":
            depth -= 1
            if depth == 0:
                return i
        elif text in _OPEN:
            closed = match_close(tokens, i)
            if closed is None:
                return None
            i = closed
        elif text in {";", "}", ")"}:
            return None
        i += 1
    return None


def split_commas(tokens: Sequence[Token]) -> list[list[Token]]:
    """The tokens between commas outside brackets; template argument lists are not known."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        if token.kind == "punct":
            depth += (token.text in _OPEN) - (token.text in _CLOSE)
            if token.text == "," and depth == 0:
                parts.append([])
                continue
        parts[-1].append(token)
    return parts


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace tokens [start, end) by `text`."""

    start: int
    end: int
    text: str


def apply(tokens: Sequence[Token], edits: Sequence[Edit]) -> str:
    """The text after the edits (one inside another is left out); lines keep their numbers."""
    out: list[str] = []
    at = 0
    for edit in sorted(edits, key=lambda e: e.start):
        if edit.start < at:
            continue
        out.append(join(tokens[at : edit.start]))
        old = tokens[edit.start : edit.end]
        missing = join(old).count("\n") - edit.text.count("\n")
        filler = "\\\n" if old and old[0].directive else "\n"
        out.append(edit.text + filler * max(missing, 0))
        at = edit.end
    out.append(join(tokens[at:]))
    return "".join(out)
