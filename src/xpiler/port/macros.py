"""Preprocessor conditions: which regions belong to which platform, and the macros that tell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xpiler.port.port import Job

_CONDITION = {"if", "ifdef", "ifndef", "elif"}


def regions(job: Job) -> None:
    """Leave alone, whole, what the text keeps for the target already (`#ifdef __HIPCC__ ...`)."""
    made = job.editor
    stack: list[tuple[int, bool]] = []
    lines = _directives(job)
    for start, end in lines:
        words = [made.word(i) for i in range(start, end) if not made.tokens[i].blank]
        keyword = words[1] if len(words) > 1 else ""
        ours = bool(job.tables.own_macros & set(words))
        if keyword in {"if", "ifdef", "ifndef"}:
            stack.append((start, ours))
        elif keyword == "elif" and stack:
            stack[-1] = (stack[-1][0], stack[-1][1] or ours)
        elif keyword == "endif" and stack:
            begun, both = stack.pop()
            if both:
                _keep(job, begun, end)


def _keep(job: Job, start: int, end: int) -> None:
    made = job.editor
    made.say("XP1005", start, "this region tells the platforms apart itself: kept as it is", "note")
    exchanged = job.tables.words.get("region_macros", {})
    for i in range(start, end):
        if made.tokens[i].directive and made.word(i) in exchanged:
            made.replace(i, exchanged[made.word(i)], "compiler macros")
        made.settle(i)


def _directives(job: Job) -> list[tuple[int, int]]:
    """Token ranges of all preprocessor lines."""
    out: list[tuple[int, int]] = []
    tokens = job.editor.tokens
    i = 0
    while i < len(tokens):
        end = i + 1
        if tokens[i].directive:
            while end < len(tokens) and tokens[end].directive == tokens[i].directive:
                end += 1
            out.append((i, end))
        i = end
    return out


def rewrite(job: Job) -> None:
    """Macros that say for which pass and chip the compiler runs, in any text.

    `arch_macro` of the tables: its name, and what stands for its being defined and its value.
    """
    spec = job.tables.words.get("arch_macro")
    if not spec:
        return
    made = job.editor
    for i, token in enumerate(made.tokens):
        if token.text == spec["name"] and not made.touched(i):
            if spec.get("scaled") and _unscale(job, i, spec["scaled"]):
                continue
            if _asks_defined(job, i):
                made.replace(i, spec["defined"], "compiler macros")
            elif spec.get("value"):
                _value(job, i, spec["value"])
            else:
                made.replace(i, spec["truth"], "compiler macros")


def _value(job: Job, index: int, pattern: str) -> None:
    made = job.editor
    digits = re.search(r"\d+", job.arch)
    number = str(int(digits.group()) * 10) if digits else "0"
    made.replace(index, pattern.format(number=number), "compiler macros")
    made.say(
        "XP1005",
        index,
        f"{made.word(index)} stands for the value that it has on {job.arch}",
        "warning",
        reason="the target has no such number; the branch that this chip takes is taken",
        help="check that this branch is the one that you want; --arch chooses another",
    )


def _unscale(job: Job, index: int, name: str) -> bool:
    """`(MACRO * 800)`, what an earlier port wrote, is `name` again."""
    made = job.editor
    opened, times = made.previous(index), made.next(index)
    number = made.next(times)
    closed = made.next(number)
    shape = [made.word(k) for k in (opened, times, closed)]
    if shape != ["(", "*", ")"] or not made.word(number).isdigit():
        return False
    made.drop(opened, closed + 1)
    made.insert(opened, name)
    made.log(index, made.word(index), name, "compiler macros")
    return True


def _asks_defined(job: Job, index: int) -> bool:
    made = job.editor
    before = made.previous(index)
    if made.word(before) == "(":
        before = made.previous(before)
    return made.word(before) in {"defined", "ifdef", "ifndef"}
