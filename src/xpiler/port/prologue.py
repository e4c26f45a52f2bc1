"""Helper functions that a ported text needs: put in once, between marks, and taken out again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from xpiler.platforms._simt.lexer import lex
from xpiler.port.headers import ADDED, includes

if TYPE_CHECKING:
    from xpiler.port.port import Job

BEGIN = "// ---- helpers put in by Xpiler: begin ----"
END = "// ---- helpers put in by Xpiler: end ----"
_MARKED = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
_NEEDS = re.compile(r"^// needs: (.*)\n")


@cache
def helper(target: str, name: str) -> tuple[tuple[str, ...], str]:
    """What a helper needs and its text. LookupError where there is none of this name."""
    path = files("xpiler.port").joinpath("prologues", target, f"{name}.h")
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as why:
        raise LookupError(f"no helper {name} for {target}") from why
    needs = _NEEDS.match(text)
    return (tuple(needs.group(1).split()) if needs else ()), _NEEDS.sub("", text, count=1)


def closure(target: str, names: Iterable[str]) -> list[str]:
    """The helpers with all that they need, each after what it needs."""
    out: dict[str, None] = {}

    def visit(name: str) -> None:
        if name not in out:
            for needed in helper(target, name)[0]:
                visit(needed)
            out.setdefault(name)

    for name in names:
        visit(name)
    return list(out)


def text_of(target: str, names: Iterable[str]) -> str:
    """The helpers as one marked piece of text, ending in a line end."""
    parts = [helper(target, name)[1].strip("\n") for name in closure(target, names)]
    return "\n".join([BEGIN, *parts, END]) + "\n"


def strip(text: str) -> str:
    """The text without what an earlier port put into it; lines keep their numbers."""

    def blank(found: re.Match[str]) -> str:
        return "\n" * found.group().count("\n")

    return _MARKED.sub(blank, text)


def remove(job: Job) -> None:
    """Take away what an earlier port put into the text."""
    made = job.editor
    begin = [i for i, t in enumerate(made.tokens) if t.text == BEGIN]
    for start in begin:
        end = next((i for i in range(start, len(made.tokens)) if made.word(i) == END), None)
        if end is not None:
            inner = made.source((start, end))
            stop = end + 2 if made.word(end + 1) == "\n" else end + 1
            made.erase(start, stop)
            _restore_headers(job, start, inner)
    for i, token in enumerate(made.tokens):
        if token.text == ADDED.strip():
            start = i
            while start > 0 and made.word(start - 1) != "\n":
                start -= 1
            made.erase(start, i + 2)


def _restore_headers(job: Job, index: int, inner: str) -> None:
    """Headers of the target's for which the helpers stood."""
    for mark, header in job.tables.words.get("helper_marks", {}).items():
        if mark in inner:
            job.editor.insert(index, f"#include <{header}>\n")


def add(job: Job) -> None:
    """Put the helpers in after the last of the platform's includes, and its header if it lacks."""
    made = job.editor
    places = [end for _, end, _, _ in includes(made.tokens)]
    anchor = _anchor(job, places)
    if made.helpers:
        made.insert(anchor, text_of(job.target.name, made.helpers), first=True)
        made.log(min(anchor, len(made.tokens) - 1), "", ", ".join(made.helpers), "helpers")
        for name in made.helpers:
            _remark(job, name)
    own = job.tables.words.get("needs_header")
    if own and _uses_platform(job) and not _includes_any(job, own["has"]):
        line = f"#include <{own['header']}>{ADDED}\n"
        made.insert(_first_place(job), line, first=True)
        made.log(0, "", f"#include <{own['header']}>", "headers")


def _remark(job: Job, name: str) -> None:
    remark = job.tables.words.get("helper_remarks", {}).get(name)
    if remark:
        job.editor.say("XP1006", 0, remark, "note")


def _uses_platform(job: Job) -> bool:
    """Whether the compiler includes the platform's header by itself: by the file's suffix."""
    return job.editor.file.lower().endswith(job.source.suffixes)


def _includes_any(job: Job, names: Iterable[str]) -> bool:
    """Whether the text, or a header of the user's own that it includes, includes one of these."""
    from xpiler.port.names import own_texts

    wanted = set(names)
    return any(name in wanted for text in own_texts(job) for _, _, name, _ in includes(lex(text)))


def _first_place(job: Job) -> int:
    """Where a first include can stand: before the first directive or word, after the licence."""
    made = job.editor
    for start, _, _, _ in includes(made.tokens):
        return start
    return next((i for i, t in enumerate(made.tokens) if not t.blank), 0)


def _anchor(job: Job, places: list[int]) -> int:
    """Index of the token before which helpers go: the line after the last include outside code."""
    made = job.editor
    depth, last = 0, None
    ends = set(places)
    conditional = 0
    for i, token in enumerate(made.tokens):
        if token.directive == 0 and token.text in {"{", "}"}:
            depth += 1 if token.text == "{" else -1
        if token.directive and made.word(made.previous(i)) == "#":
            conditional += token.text in {"if", "ifdef", "ifndef"}
            conditional -= token.text == "endif"
        if i in ends and depth == 0:
            last = (i, conditional)
        if last and last[1] and conditional == 0 and token.text == "endif":
            last = (i + 1, 0)
    if last is None:
        return _first_place(job)
    index = last[0]
    while index < len(made.tokens) and made.word(index) != "\n":
        index += 1
    return min(index + 1, len(made.tokens) - 1)
