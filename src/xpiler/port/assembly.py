"""Inline assembly: the common instructions have functions, the others are reported one by one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xpiler.port.port import Job

_WORDS = {"asm", "__asm__", "__asm"}
_STRING = re.compile(r'"((?:\\.|[^"\\])*)"')


def rewrite(job: Job) -> None:
    """Exchange each `asm` statement whose instruction the tables know for a call."""
    made = job.editor
    for i, token in enumerate(made.tokens):
        if token.text in _WORDS and not made.touched(i):
            _statement(job, i)


def _statement(job: Job, index: int) -> None:
    made = job.editor
    at = made.next(index)
    while made.word(at) in {"volatile", "__volatile__", "inline", "goto"}:
        at = made.next(at)
    if made.word(at) != "(":
        return
    brackets = made.call(made.previous(at))
    if brackets is None:
        return
    opened, closed = brackets
    inner = made.source((opened + 1, closed))
    code, operands = _split(inner)
    text = " ".join(" ".join(_STRING.findall(code)).replace("\\n", " ").replace("\\t", " ").split())
    for rule in job.tables.words.get("assembly", ()):
        found = re.fullmatch(rule["pattern"], text.rstrip("; "))
        if found and len(operands) > max(map(int, re.findall(r"\$(\d)", rule["new"])), default=-1):
            call = _fill(rule["new"], operands, found.groups())
            made.log(index, text, call, "assembly")
            made.drop(index, closed + 1)
            made.insert(index, call)
            for name in rule.get("needs", "").split():
                made.helpers.setdefault(name)
            return
    if text.strip():
        made.say("XP1004", index, f"inline assembly is not translated: {text[:80]}", "error")
    for k in range(index, closed + 1):
        made.settle(k)


def _split(inner: str) -> tuple[str, list[str]]:
    """The instruction's strings, and the expressions of its operands in their order."""
    parts = re.split(r":(?!:)(?![^()]*\))|::", _no_strings_colons(inner))
    operands: list[str] = []
    for part in parts[1:3]:
        operands += _operands(part)
    if "::" in _no_strings_colons(inner) and len(parts) > 1:
        operands = _operands(parts[1]) + (_operands(parts[2]) if len(parts) > 2 else [])
    return parts[0], operands


def _no_strings_colons(text: str) -> str:
    """Colons inside strings out of the way."""
    return _STRING.sub(lambda m: m.group().replace(":", "\x00"), text)


def _operands(part: str) -> list[str]:
    """Expressions in brackets after each constraint."""
    out: list[str] = []
    i = 0
    while i < len(part):
        if part[i] == "(":
            depth, start = 0, i
            while i < len(part):
                depth += (part[i] == "(") - (part[i] == ")")
                i += 1
                if depth == 0:
                    break
            out.append(part[start + 1 : i - 1].strip())
        i += 1
    return out


def _fill(pattern: str, operands: list[str], groups: tuple[str | None, ...]) -> str:
    """`$0` is the first operand, `%1` the first group of the pattern."""
    out = re.sub(r"\$(\d)", lambda m: operands[int(m.group(1))], pattern)
    return re.sub(r"%(\d)", lambda m: groups[int(m.group(1)) - 1] or "", out)
