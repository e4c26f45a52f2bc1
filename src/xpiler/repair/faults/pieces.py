"""Questions that fault operators ask of a syntax tree."""

from __future__ import annotations

import re
from collections.abc import Iterator

from xpiler.frontend.syntax import Piece, Tree
from xpiler.repair.faults.model import table

_INTEGERS = re.compile(
    r"(?:const )?(?:volatile )?(?:(?:un)?signed |long )*(?:int|long|short|char|unsigned|_Bool|bool)"
    r"(?: (?:int|long))?"
)
_STATEMENTS = ("COMPOUND_STMT", "FOR_STMT", "IF_STMT", "WHILE_STMT", "DO_STMT", "CASE_STMT")


def closing(text: str, at: int, pair: str = "()") -> int:
    """The place of the bracket that closes the one at `at`, or -1."""
    depth = 0
    for i in range(at, len(text)):
        depth += (text[i] == pair[0]) - (text[i] == pair[1])
        if depth == 0:
            return i
    return -1


def split(text: str, start: int, end: int, by: str = ",") -> list[tuple[int, int]]:
    """Spans of the parts of `text[start:end]` between `by`, outside brackets, without blanks."""
    cuts, depth = [start - 1], 0
    for i in range(start, end):
        depth += (text[i] in "([{") - (text[i] in ")]}")
        if text[i] == by and depth == 0:
            cuts.append(i)
    spans = []
    for a, b in zip(cuts, [*cuts[1:], end], strict=True):
        part = text[a + 1 : b]
        lead = len(part) - len(part.lstrip())
        spans.append((a + 1 + lead, max(a + 1 + lead, b - len(part) + len(part.rstrip()))))
    return spans


def header(tree: Tree, loop: Piece) -> list[tuple[int, int]]:
    """Spans of initialisation, condition and step of a `for`; [] where it is another loop."""
    at = tree.text.find("(", loop.start)
    end = closing(tree.text, at)
    parts = split(tree.text, at + 1, end, ";") if end > 0 else []
    return parts if len(parts) == 3 else []


def arguments(tree: Tree, call: Piece) -> list[tuple[int, int]]:
    """Spans of a call's arguments as they are written; a launch's come after `>>>`."""
    text = tree.text
    head = text.find(">>>", call.start, call.end)
    at = text.find("(", head if head >= 0 else call.start, call.end)
    if head < 0 and at >= 0:  # the last bracket is the call's own
        opened = [i for i in range(call.start, call.end) if text[i] == "("]
        ends = (i for i in opened if closing(text, i) == call.end - 1)
        at = next(ends, -1)
    end = closing(text, at) if at >= 0 else -1
    return [s for s in split(text, at + 1, end) if s[0] < s[1]] if end > 0 else []


def bodies(tree: Tree, helpers: bool = False) -> Iterator[Piece]:
    """Functions of the text that do work; with `helpers` those declared `inline`, too."""
    for p in tree.pieces:
        if p.kind in ("FUNCTION_DECL", "FUNCTION_TEMPLATE", "CXX_METHOD"):
            head = tree.text[
                max(0, tree.text.rfind("\n", 0, p.start)) : tree.text.find("{", p.start)
            ]
            if helpers or "inline" not in head:
                yield from (k for k in tree.kids(p) if k.kind == "COMPOUND_STMT")


def is_integer(p: Piece) -> bool:
    """Whether a piece's type is one of C's integers."""
    return _INTEGERS.fullmatch(p.type) is not None


def is_real(p: Piece) -> bool:
    """Whether a piece's type is a floating one."""
    return any(w in p.type.split() for w in ("float", "double", "_Float16", "__bf16", "half"))


def is_pointer(p: Piece) -> bool:
    """Whether a piece is a pointer or an array."""
    return re.search(r"[*\]](?: *(?:__)?restrict)?$", p.type) is not None


def pointee(p: Piece) -> str:
    """The unqualified type behind a pointer or of an array's elements."""
    name = re.sub(r"\[[^\]]*\]|\*|\bconst\b|\b__restrict\b|\brestrict\b", "", p.type)
    return name.strip()


def whole_statement(tree: Tree, p: Piece) -> tuple[int, int] | None:
    """The span of an expression that is a statement of its own, its line with it if it has one."""
    up = next(tree.above(p), None)
    text = tree.text
    if up is None or up.kind not in _STATEMENTS:
        return None
    semicolon = re.compile(r"\s*;").match(text, p.end)
    before = text[: p.start].rstrip()
    if semicolon is None or not before.endswith((";", "{", "}", ":", "/")):
        return None
    start, end = p.start, semicolon.end()
    line = text.rfind("\n", 0, start) + 1
    if not text[line:start].strip() and text[end : end + 1] == "\n":
        return line, end + 1
    return start, end


def does(name: str, what: str) -> bool:
    """Whether a function of that name does `what` (a key of `[calls]`)."""
    return re.fullmatch(table()["calls"][what], name) is not None


def subscripts(tree: Tree, body: Piece) -> Iterator[tuple[Piece, Piece]]:
    """Subscript expressions with their index."""
    for p in tree.under(body):
        if p.kind == "ARRAY_SUBSCRIPT_EXPR":
            kids = tree.kids(p)
            if len(kids) == 2 and kids[1].start > kids[0].start:
                yield p, kids[1]


def others(tree: Tree, p: Piece) -> list[str]:
    """Names of the same type that could stand where a variable is named, nearest first."""
    bare = p.type.removeprefix("const ")
    found = [
        v.name
        for v in tree.visible(p)
        if v.name != p.name and v.type.removeprefix("const ") == bare
    ]
    return list(dict.fromkeys(reversed(found)))
