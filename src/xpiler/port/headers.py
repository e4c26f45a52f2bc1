"""Include directives: the platform's headers are exchanged, the user's own are followed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from xpiler.platforms._simt.lexer import Token, lex
from xpiler.port.tables import Row, Tables

if TYPE_CHECKING:
    from xpiler.port.port import Job

ADDED = "  // hipcc includes less by itself than nvcc does"


def includes(tokens: Sequence[Token]) -> Iterator[tuple[int, int, str, str]]:
    """Every `#include`: index of its `#`, index after its last token, the name, its quotes."""
    i = 0
    while i < len(tokens):
        if tokens[i].text == "#" and tokens[i].directive:
            end = i
            while end < len(tokens) and tokens[end].directive == tokens[i].directive:
                end += 1
            line = "".join(t.text for t in tokens[i:end])
            found = re.match(r'#\s*include\s*([<"])([^>"]+)[>"]', line)
            if found:
                yield i, end, found.group(2), found.group(1)
            i = end
        i += 1


def of_platform(tokens: Sequence[Token], tables: Tables) -> bool:
    """Whether one of the platform's own headers is included (one that changes on the way)."""
    return any(
        name in tables.headers and tables.headers[name].new != name
        for _, _, name, _ in includes(tokens)
    )


def rewrite(job: Job) -> None:
    """Exchange each header of the source's for the target's."""
    for start, end, name, quote in includes(job.editor.tokens):
        row = job.tables.headers.get(name)
        if row is not None and not job.editor.touched(start):
            _exchange(job, row, start, end, name)
        elif quote == '"' and row is None:
            job.editor.say(
                "XP1008",
                start,
                f'"{name}" is a header of your own: it must be ported too',
                "note",
                help="port the folder: xpiler translate FOLDER --to ... -o OUT",
            )
        for i in range(start, end):
            job.editor.settle(i)


def implicit(job: Job) -> None:
    """Helpers for what the text uses without including its header (some build adds it)."""
    made = job.editor
    scoped = {
        token.text
        for i, token in enumerate(made.tokens)
        if made.word(made.next(i)) == "::" or made.word(made.previous(i)) == "namespace"
    }
    known = job.tables.words.get("implicit_helpers", {})
    helper, *more = next((names for word, names in known.items() if word in scoped), [""])
    if helper and helper not in made.helpers and not _brings(job, helper):
        for wanted in (*_helpers(job, helper), *more):
            made.helpers.setdefault(wanted)


def _brings(job: Job, helper: str) -> bool:
    """Whether a header of the user's own has the include that the helper stands for."""
    from xpiler.port.names import own_texts

    named = {h for h, n in job.tables.words.get("header_helpers", {}).items() if n == helper}
    texts = list(own_texts(job))[1:]
    return any(name in named for text in texts for _, _, name, _ in includes(lex(text)))


def _exchange(job: Job, row: Row, start: int, end: int, name: str) -> None:
    made = job.editor
    helper = job.tables.words.get("header_helpers", {}).get(name)
    if row.new:
        _spell(job, start, end, name, row)
    elif row.erase or helper is not None:
        _remove_line(job, start, end, row.group)
        for wanted in _helpers(job, helper or ""):
            made.helpers.setdefault(wanted)
    else:
        made.say("XP1001", start, f"<{name}> has no counterpart", "error", reason=row.note)


def _helpers(job: Job, helper: str) -> list[str]:
    """The helper, with what it needs for types that the text has."""
    if not helper:
        return []
    also = job.tables.words.get("helper_types", {}).get(helper, {})
    return [name for word, name in also.items() if word in job.editor.text] + [helper]


def _spell(job: Job, start: int, end: int, name: str, row: Row) -> None:
    made = job.editor
    at = next(i for i in range(start, end) if made.word(i) == "include")
    first = made.next(at)
    if made.tokens[first].kind == "string":
        made.replace(first, f'"{row.new}"', row.group)
        return
    last = next(i for i in range(first, end) if made.word(i) == ">")
    if row.new != name:
        made.drop(first, last + 1)
        made.insert(first, f"<{row.new}>")
        made.log(first, f"<{name}>", f"<{row.new}>", row.group)


def _remove_line(job: Job, start: int, end: int, group: str) -> None:
    """Take a directive away with its line end; a comment behind it stays."""
    made = job.editor
    made.log(start, made.source((start, end)).strip(), "", group)
    made.drop(start, end)
    has_comment = any(t.kind == "comment" for t in made.tokens[start:end])
    if not has_comment and end < len(made.tokens) and made.word(end) == "\n":
        made.drop(end, end + 1)
