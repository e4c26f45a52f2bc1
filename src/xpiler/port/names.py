"""Names, one by one; those that nobody knows are reported at their place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from xpiler.platforms._simt.lexer import lex
from xpiler.port.editor import Editor
from xpiler.port.headers import includes
from xpiler.port.prologue import strip
from xpiler.port.tables import Row

if TYPE_CHECKING:
    from xpiler.port.port import Job

_DEFINE = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)", re.MULTILINE)
_FUNCTION = re.compile(r"\b(\w+)\s*\([^;{}()]*(?:\([^()]*\)[^;{}()]*)*\)\s*(?:const\s*)?\{")
_NOT_TYPES = {"return", "else", "case", "throw", "include", "defined", "ifdef", "ifndef", "undef"}
_TYPE = re.compile(
    r"\b(?:struct|class|enum(?:\s+class)?|union)\s+(\w+)(?=\s*(?:final\s*)?[{:](?!:))"
)
_USING = re.compile(r"\busing\s+(\w+)\s*=")


def defined(job: Job) -> frozenset[str]:
    """Names that the text, or a header of the user's own, defines."""
    found: set[str] = set(job.defines)
    for text in map(strip, own_texts(job)):
        for pattern in (_DEFINE, _FUNCTION, _TYPE, _USING):
            found |= set(pattern.findall(text))
        found |= {
            name for name in _declarations(text, job.tables.owned) if not job.tables.row(name)
        }
    return frozenset(found)


@lru_cache(maxsize=64)
def _declarations(text: str, owned: re.Pattern[str]) -> frozenset[str]:
    """Names that look like the platform's but that the text declares."""
    made = Editor(text, "")
    return frozenset(
        t.text
        for i, t in enumerate(made.tokens)
        if t.kind == "name" and owned.fullmatch(t.text) and _declared(made, i)
    )


def own_texts(job: Job) -> Iterator[str]:
    """The text and the headers of the user's own that it includes, transitively."""
    seen: set[Path] = set()
    folders = [Path(job.editor.file).parent, *map(Path, job.include_dirs)]
    waiting = [(job.editor.text, folders)]
    while waiting:
        text, where = waiting.pop()
        yield text
        for _, _, name, _ in includes(lex(text)):
            if name in job.tables.headers:
                continue
            path = next((p for p in (f / name for f in where) if _is_file(p)), None)
            if path is not None and path.resolve() not in seen:
                seen.add(path.resolve())
                waiting.append((_read(path), [path.parent, *folders]))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def rewrite(job: Job) -> None:
    """Exchange every name of the source's API."""
    made = job.editor
    for i, token in enumerate(made.tokens):
        if token.kind != "name" or made.touched(i) or token.text in job.defined:
            continue
        if made.is_member(i) or _qualified(job, i):
            continue
        row = job.tables.row(token.text, _argument_count(job, i))
        if row is not None:
            _exchange(job, i, row)
        elif token.text in job.tables.words.get("remarks", {}):
            made.say("XP1003", i, job.tables.words["remarks"][token.text], "warning")
        elif job.tables.owned.fullmatch(token.text):
            made.say(
                "XP1001",
                i,
                f"{token.text} is not in the tables from {job.source.name} to {job.target.name}",
                "error",
            )


def _qualified(job: Job, index: int) -> bool:
    """Exchange a name that a namespace before it gives another meaning (`thrust::cuda`)."""
    made = job.editor
    scope = made.previous(index)
    if made.word(scope) != "::":
        return False
    whole = f"{made.word(made.previous(scope))}::{made.word(index)}"
    new = job.tables.words.get("qualified", {}).get(whole)
    if new:
        made.replace(index, new, "thrust")
    return bool(new)


def _argument_count(job: Job, index: int) -> int | None:
    brackets = job.editor.call(index)
    return None if brackets is None else len(job.editor.arguments(*brackets))


def _exchange(job: Job, index: int, row: Row) -> None:
    made = job.editor
    old = made.word(index)
    if row.scope and not _is_scope(job, index):
        return
    remark = job.tables.words.get("remarks", {}).get(old)
    if remark:
        made.say("XP1003", index, remark, "warning")
    if row.erase:
        made.log(index, old, "", row.group)
        made.drop(index, made.next(index))
    elif row.new:
        made.replace(index, row.new, row.group)
        if row.needs:
            made.helpers.setdefault(row.needs)
    else:
        made.say("XP1001", index, f"{old} has no counterpart", "error", reason=row.note)


def _is_scope(job: Job, index: int) -> bool:
    made = job.editor
    return made.word(made.next(index)) == "::" or made.word(made.previous(index)) in {
        "namespace",
        "=",
    }


def _declared(made: Editor, index: int) -> bool:
    """Whether the user declares the name here (`float cudaTime = ...`)."""
    before = made.previous(index)
    while made.word(before) in {"*", "&"}:
        before = made.previous(before)
    if before < 0 or made.tokens[before].kind != "name":
        return False
    after = made.word(made.next(index))
    return made.word(before) not in _NOT_TYPES and after in {"=", ";", ",", "[", ")", "{", "("}
