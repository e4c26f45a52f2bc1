"""A text as tokens under edit: each edit replaces or drops single tokens, so that edits nest."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from xpiler.diagnostics import Diagnostic, SourceLoc
from xpiler.platforms._simt.lexer import Token, lex, match_close, next_solid, split_commas
from xpiler.port.model import Change


class Editor:
    """Tokens of `text` with replacements beside them; nothing is moved.

    `touched` tokens have been decided on: later rules leave them alone.
    """

    def __init__(self, text: str, file: str) -> None:
        self.text, self.file = text, file
        self.tokens: list[Token] = lex(text)
        self.lines = text.split("\n")
        self._new: dict[int, str] = {}
        self._before: dict[int, str] = {}
        self._after: dict[int, str] = {}
        self.changes: list[Change] = []
        self.diagnostics: list[Diagnostic] = []
        self.helpers: dict[str, None] = {}
        self._starts = _offsets([len(t.text) for t in self.tokens])
        self._line_starts = _offsets([len(line) + 1 for line in self.lines])

    def touched(self, index: int) -> bool:
        return index in self._new

    def place(self, index: int) -> tuple[int, int]:
        """Line and column (from 1) of a token; of the start where the text has none."""
        if not self._starts:
            return 1, 1
        offset = self._starts[min(index, len(self._starts) - 1)]
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def replace(self, index: int, new: str, group: str) -> None:
        """Put `new` in place of one token."""
        old = self.tokens[index].text
        self._new[index] = new
        if old != new:
            self.changes.append(Change(*self.place(index), old, new, group))

    def settle(self, index: int) -> None:
        """Keep a token as it is, whatever later rules say."""
        self._new.setdefault(index, self.tokens[index].text)

    def drop(self, start: int, end: int) -> None:
        """Remove tokens [start, end), but keep comments."""
        for i in range(start, end):
            self._new[i] = self.tokens[i].text if self.tokens[i].kind == "comment" else ""

    def erase(self, start: int, end: int) -> None:
        """Remove tokens [start, end), comments and all."""
        for i in range(start, min(end, len(self.tokens))):
            self._new[i] = ""

    def insert(self, index: int, text: str, after: bool = False, first: bool = False) -> None:
        """Put text before (or after) a token; `first`: ahead of what was put there already."""
        where = self._after if after else self._before
        old = where.get(index, "")
        where[index] = text + old if first else old + text

    def log(self, index: int, old: str, new: str, group: str) -> None:
        """Record a change that consists of several edits."""
        self.changes.append(Change(*self.place(index), old, new, group))

    def say(self, code: str, index: int, message: str, severity: str, **more: str) -> None:
        """A diagnostic at a token."""
        line, column = self.place(index)
        self.diagnostics.append(
            Diagnostic(
                code,
                message,
                severity,  # type: ignore[arg-type]
                loc=SourceLoc(self.file, line, column),
                source_line=self.lines[line - 1],
                **more,
            )
        )

    def result(self) -> str:
        """The text with all edits made."""
        out: list[str] = []
        for i, token in enumerate(self.tokens):
            out += [self._before.get(i, ""), self._new.get(i, token.text), self._after.get(i, "")]
        return "".join(out)

    # ---- reading ------------------------------------------------------------------------------

    def next(self, index: int) -> int:
        """Index of the next token that is not blank after `index` (len(tokens) where none)."""
        return (
            next_solid(self.tokens, index + 1) if index + 1 < len(self.tokens) else len(self.tokens)
        )

    def previous(self, index: int) -> int:
        """Index of the token before `index` that is not blank, -1 where none."""
        return next_solid(self.tokens, index - 1, -1) if index > 0 else -1

    def word(self, index: int) -> str:
        return self.tokens[index].text if 0 <= index < len(self.tokens) else ""

    def is_member(self, index: int) -> bool:
        """Whether the name at `index` is a member (after `.` or `->`)."""
        return self.word(self.previous(index)) in {".", "->"}

    def call(self, index: int) -> tuple[int, int] | None:
        """Brackets of the call whose name stands at `index`."""
        opened = self.next(index)
        if self.word(opened) != "(":
            return None
        closed = match_close(self.tokens, opened)
        return None if closed is None else (opened, closed)

    def arguments(self, opened: int, closed: int) -> list[tuple[int, int]]:
        """Token ranges [start, end) of the arguments between two brackets, blanks at ends off.

        Commas of template argument lists are told from others by what follows the list.
        """
        inner = self.tokens[opened + 1 : closed]
        if all(t.blank for t in inner):
            return []
        out, at = [], opened + 1
        for part in _joined_templates(split_commas(inner)):
            out.append(self.trim(at, at + len(part)))
            at += len(part) + 1
        return out

    def trim(self, start: int, end: int) -> tuple[int, int]:
        """The range without blanks at its ends."""
        while start < end and self.tokens[start].blank:
            start += 1
        while end > start and self.tokens[end - 1].blank:
            end -= 1
        return start, end

    def source(self, span: tuple[int, int]) -> str:
        """The original text of a token range."""
        return "".join(t.text for t in self.tokens[span[0] : span[1]])


def _offsets(lengths: Sequence[int]) -> list[int]:
    out, at = [], 0
    for n in lengths:
        out.append(at)
        at += n
    return out


def _joined_templates(parts: list[list[Token]]) -> list[list[Token]]:
    """Parts that a comma inside `f<A, B>(...)` tore apart, together again (comma included)."""
    out: list[list[Token]] = []
    for part in parts:
        if out and _open_angle(out[-1]) and _closes_angle(part):
            out[-1] = [*out[-1], Token("punct", ","), *part]
        else:
            out.append(part)
    return out


def _open_angle(part: Sequence[Token]) -> bool:
    """Whether a `<` right after a name stays open to the end of `part`."""
    depth = 0
    for i, token in enumerate(part):
        if token.text == "<" and i and part[i - 1].kind == "name":
            depth += 1
        elif token.text == ">" and depth:
            depth -= 1
    return depth > 0


def _closes_angle(part: Sequence[Token]) -> bool:
    depth = 0
    for token in part:
        if token.text == "<":
            depth += 1
        elif token.text == ">":
            depth -= 1
            if depth < 0:
                return True
        elif token.text == "(" and depth == 0:
            return False
    return False
