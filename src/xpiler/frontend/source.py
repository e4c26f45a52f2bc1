"""The user's text: its lines, comments, and where constant macros stand."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, field

from xpiler.diagnostics import SourceLoc
from xpiler.frontend.macros import Macros, find_macros

_LEXER = re.compile(
    rb"(?P<comment>//[^\n]*|/\*.*?\*/)|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'"
    rb"|(?P<directive>^[ \t]*#[ \t]*define[ \t]+\w+)|(?P<name>[A-Za-z_]\w*)",
    re.S | re.M,
)
_NUMBER = re.compile(
    rb"0[xX][0-9a-fA-F']+[uUlL]*|(?:\d[\d']*\.?[\d']*|\.\d+)(?:[eE][+-]?\d+)?[fFlLuU]*"
)
_SIZEOF = re.compile(rb"sizeof\s*\(\s*([a-z ]+?)\s*\)")
_SIZEOF_ROWS = re.compile(rb"sizeof\s*\(\s*([a-z ]+?)\s*\[")


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment with its byte range and first and last line."""

    start: int
    end: int
    line: int
    last: int
    text: str
    own_line: bool


@dataclass
class Source:
    """One file: `path` is the name that the parser knows, `shown` the one that users see."""

    text: str
    path: str
    shown: str
    defines: dict[str, str] = field(default_factory=dict)
    data: bytes = b""
    comments: list[Comment] = field(default_factory=list)
    macros: Macros = field(default_factory=Macros)
    macro_at: dict[int, str] = field(default_factory=dict)
    _lines: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.data = self.text.encode("utf-8")
        self._lines = [0] + [m.end() for m in re.finditer(rb"\n", self.data)]
        self.macros = find_macros(self.text, self.defines)
        for m in _LEXER.finditer(self.data):
            if m["comment"]:
                self._add_comment(m.start(), m.end())
            elif m["name"] and (name := m.group().decode()) in self.macros.values:
                self.macro_at[m.start()] = name

    def _add_comment(self, start: int, end: int) -> None:
        line, last = self.line_of(start), self.line_of(end)
        before = self.data[self._lines[line - 1] : start]
        text = self.data[start:end].decode("utf-8", "replace")
        self.comments.append(Comment(start, end, line, last, text.rstrip(), not before.strip()))

    def line_of(self, offset: int) -> int:
        """The line (from 1) of a byte offset."""
        return max(1, bisect_left(self._lines, offset + 1))

    def line_text(self, line: int) -> str:
        """The text of a line, "" outside the file."""
        if not 1 <= line <= len(self._lines):
            return ""
        end = self._lines[line] - 1 if line < len(self._lines) else len(self.data)
        return self.data[self._lines[line - 1] : end].decode("utf-8", "replace").rstrip("\r\n")

    def slice(self, start: int, end: int) -> str:
        return self.data[start:end].decode("utf-8", "replace")

    def number_at(self, offset: int) -> str | None:
        """The numeric literal written at a byte offset."""
        m = _NUMBER.match(self.data, offset)
        return m.group().decode().replace("'", "") if m else None

    def sizeof_at(self, offset: int) -> str:
        """The plain type name in the `sizeof(...)` written at a byte offset, or ""."""
        m = _SIZEOF.match(self.data, offset)
        return " ".join(m[1].decode().split()) if m else ""

    def sizeof_rows_at(self, offset: int) -> str:
        """The plain name of the elements in the `sizeof(int[m][n])` at a byte offset, or ""."""
        m = _SIZEOF_ROWS.match(self.data, offset)
        return " ".join(m[1].decode().split()) if m else ""

    def loc(self, line: int, column: int = 0) -> SourceLoc:
        return SourceLoc(self.shown, line, column)
