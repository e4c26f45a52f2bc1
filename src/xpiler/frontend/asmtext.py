"""The text of inline assembly: template, constraints, and the PTX instructions in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from xpiler.frontend.cursor import Node

_STRING = re.compile(r'"((?:\\.|[^"\\])*)"')
_ASM = re.compile(r"\basm(?: volatile)? \(")
_CONSTRAINT = re.compile(r'(?:\[\w+\] )?"([=+&]*)([a-zA-Z0-9]+)" \(')
_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}


@dataclass(frozen=True)
class PtxInstruction:
    """One instruction: its dotted name, its operands' text, and the predicate before it."""

    name: str
    operands: tuple[str, ...]
    predicate: str = ""

    @property
    def parts(self) -> list[str]:
        return self.name.split(".")


@dataclass(frozen=True)
class AsmText:
    """An assembly statement: its template and, for each operand, whether it is written / read."""

    template: str
    written: tuple[bool, ...]
    read: tuple[bool, ...]


def asm_statements(pretty: str) -> list[AsmText]:
    """The assembly statements in a function's text as clang prints it."""
    return [_one(pretty, m.end()) for m in _ASM.finditer(_blanked(pretty))]


def _blanked(text: str) -> str:
    """`text` with the insides of strings replaced, so that they hold no keyword."""
    return _STRING.sub(lambda m: '"' + "_" * len(m[1]) + '"', text)


def _one(pretty: str, at: int) -> AsmText:
    end = _close(_blanked(pretty), at)
    inside = pretty[at:end]
    template = _STRING.match(inside)
    assert template is not None
    flags = [m[1] for m in _CONSTRAINT.finditer(inside[template.end() :])]
    return AsmText(
        re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), template[1]),
        tuple("=" in f or "+" in f for f in flags),
        tuple("=" not in f for f in flags),
    )


def _close(text: str, at: int) -> int:
    depth = 1
    for i in range(at, len(text)):
        depth += (text[i] == "(") - (text[i] == ")")
        if depth == 0:
            return i
    return len(text)


def pretty(function: Node) -> str:
    """A function's text, macros expanded and templates instantiated."""
    from clang import cindex

    policy = cindex.PrintingPolicy.create(function.c)
    return str(function.c.pretty_printed(policy))


def ptx_instructions(template: str) -> tuple[list[tuple[str, str]], list[PtxInstruction]]:
    """The registers that a template declares (name, type), and its instructions."""
    registers: list[tuple[str, str]] = []
    found: list[PtxInstruction] = []
    text = re.sub(r"//[^\n]*|/\*.*?\*/", " ", template, flags=re.S)
    for line in text.split(";"):
        words = " ".join(line.split())
        words = _outer_braces(words)
        if not words:
            continue
        if words.startswith(".reg"):
            _, kind, names = words.split(None, 2)
            registers += [(n.strip(), kind.lstrip(".")) for n in names.split(",")]
        else:
            found.append(_instruction(words))
    return registers, found


def _outer_braces(words: str) -> str:
    """Without the braces of a PTX block (those of an operand list are balanced)."""
    words = words.strip()
    while words.startswith("{") and words.count("{") != words.count("}"):
        words = words[1:].strip()
    while words.endswith("}") and words.count("}") > words.count("{"):
        words = words[:-1].strip()
    return words


def _instruction(words: str) -> PtxInstruction:
    predicate = ""
    if words.startswith("@"):
        predicate, words = words[1:].split(None, 1)
    name, _, rest = words.partition(" ")
    return PtxInstruction(name, tuple(_operands(rest)), predicate)


def _operands(text: str) -> list[str]:
    out, depth, current = [], 0, ""
    for c in text:
        depth += (c in "{[(") - (c in "}])")
        if c == "," and depth == 0:
            out.append(current.strip())
            current = ""
        else:
            current += c
    return [*out, current.strip()] if current.strip() else out
