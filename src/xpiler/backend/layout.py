"""Lines no longer than the page: breaks after commas and before operators, outermost first."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|\s+|\w+|[-+*/%&|<>=!^]+|.')
_BREAK_BEFORE = frozenset(
    (
        "&&",
        "||",
        "+",
        "-",
        "*",
        "/",
        "%",
        "&",
        "|",
        "^",
        "?",
        ":",
        "==",
        "!=",
        "<",
        ">",
        "<=",
        ">=",
        "<<",
        ">>",
    )
)
_WEIGHT = {
    "?": 1,
    ":": 1,
    "||": 2,
    "&&": 3,
    "==": 5,
    "!=": 5,
    "<": 5,
    ">": 5,
    "<=": 5,
    ">=": 5,
    "|": 4,
    "^": 4,
    "&": 4,
    "<<": 6,
    ">>": 6,
    "+": 7,
    "-": 7,
}


def _breaks(line: str) -> Iterator[tuple[int, int, int]]:
    """(depth, weight, position) of the places where `line` may be broken."""
    depth, at, spaced = 0, 0, False
    for m in _TOKEN.finditer(line):
        token = m.group()
        if token in ("(", "[", "{", "<<<"):
            depth += 1
        elif token in (")", "]", "}", ">>>"):
            depth -= 1
        elif token in (",", ";"):
            yield depth, 0, m.end()
        elif token == "=" and spaced:
            yield depth + 1, 9, m.end()
        elif token in _BREAK_BEFORE and spaced and line[m.end() : m.end() + 1] == " ":
            yield depth, _WEIGHT.get(token, 8), m.start()
        spaced = token.isspace()
        at = m.end()
    assert at == len(line)


def _best(line: str, width: int, start: int) -> int | None:
    """Where to break: the outermost kind of break that fits, as far right as it goes."""
    found = [b for b in _breaks(line) if start < b[2] <= width and line[b[2] :].strip()]
    if not found:
        return None
    return min(found, key=lambda b: (b[0], b[1], -b[2]))[2]


def wrap(line: str, width: int) -> list[str]:
    """`line` in pieces of at most `width` characters; continuation lines stand eight further in."""
    if len(line) <= width or line.lstrip().startswith(("//", "/*", "#")):
        return [line]
    pad = line[: len(line) - len(line.lstrip())]
    return list(_wrapped(line, width, pad, _hang(line, pad)))


def _hang(line: str, pad: str) -> str:
    """The indentation of continuation lines: under the first parameter of a declaration."""
    head = re.match(r"(?:\w[\w *]*\(\w+\) )?(?:[\w\"][\w\" *]*)\(", line)
    return " " * head.end() if head and not pad else pad + "        "


def _wrapped(line: str, width: int, pad: str, hang: str) -> Iterator[str]:
    while len(line) > width:
        at = _best(line, width, len(line) - len(line.lstrip()))
        if at is None:
            break
        yield line[:at].rstrip()
        line = hang + line[at:].lstrip()
    yield line


def comment_lines(comments: tuple[str, ...]) -> list[str]:
    """The user's comments as C comments, one element a line; bare text gets `//`."""
    out: list[str] = []
    for comment in comments:
        text = comment.strip()
        if text.startswith(("//", "/*")):
            first, *rest = (line.strip() for line in text.splitlines())
            out += [first, *(x if x.startswith(("*", "//")) or not x else f"   {x}" for x in rest)]
        else:
            out += [f"// {line.strip()}".rstrip() for line in text.splitlines()]
    return [f" {line}" if line.startswith("*") else line for line in out]
