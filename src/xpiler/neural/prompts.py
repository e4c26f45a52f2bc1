"""Meta-prompts: a template a pass, filled with what is known of the platform and the program."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Template

from xpiler.diagnostics import Diagnostic, XpilerError
from xpiler.neural.annotate import Nest
from xpiler.neural.provider import Message
from xpiler.neural.retrieve import distinct, instructions_for, passages_for
from xpiler.platforms.registry import Platform

PASSES = (
    "loop_recovery", "loop_bind", "loop_split", "loop_fuse", "loop_reorder", "loop_expansion",
    "loop_contraction", "cache", "pipeline", "tensorize", "detensorize",
)  # fmt: skip
_SECTION = re.compile(r"^## (\w+)\n", re.M)
_PASSAGE_CHARACTERS = 8000
_FOUND_CHARACTERS = 4000


@dataclass(frozen=True, slots=True)
class PassPrompt:
    """The part of a prompt that is the same for all platforms.

    `takes` and `gives` say in which form the program is before and after: as the source has it, as
    sequential C, or in the target's language. `query` are words to look up in a manual.
    """

    name: str
    version: int
    title: str
    takes: str
    gives: str
    query: str
    sections: dict[str, str]


@dataclass(frozen=True, slots=True)
class Material:
    """What a prompt is filled with: the program before the pass, in `language`; the platform of the
    text that is asked for; what is known of the program; how the result is called."""

    program: str
    language: Platform
    target: Platform
    nests: tuple[Nest, ...] = ()
    knobs: tuple[str, ...] = ()
    contract: str = ""


def pass_name(text: str) -> str:
    """The name of a pass in any spelling; raises XpilerError (XP1513)."""
    name = re.sub(r"[\s-]+", "_", text.strip().lower())
    if name in PASSES:
        return name
    known = ", ".join(PASSES)
    raise XpilerError(Diagnostic("XP1513", f"no pass is called {text!r}", help=f"one of: {known}"))


def _file(name: str) -> str:
    return files("xpiler.neural").joinpath("prompts", name).read_text(encoding="utf-8")


@cache
def pass_prompt(name: str) -> PassPrompt:
    """The template of a pass."""
    head, *rest = _SECTION.split(_file(f"{name}.md"))
    said = dict(line.split(": ", 1) for line in head.strip().splitlines())
    sections = dict(zip(rest[::2], (body.strip() for body in rest[1::2]), strict=True))
    return PassPrompt(
        name, int(said["version"]), said["title"], said["takes"], said["gives"], said["query"],
        sections,
    )  # fmt: skip


def messages(name: str, material: Material) -> tuple[Message, ...]:
    """The prompt of a pass: the system's turn and the user's."""
    part = pass_prompt(name)
    query = " ".join([part.query, *distinct(p.query for n in material.nests for p in n.pieces)])
    nests = "\n".join(n.render() for n in material.nests)
    text = Template(_file("skeleton.md")).substitute(
        part.sections,
        title=part.title,
        platform=material.target.title,
        facts=_facts(material.target),
        passages=_passages(material.target, name, query),
        annotation=nests or "Nothing is known beforehand.",
        instructions=_instructions(material),
        knobs="\n".join(f"- {k}" for k in material.knobs) or "None are listed; choose sensibly.",
        contract=material.contract or "As the original is.",
        language=material.language.title,
        answer_language=material.target.title,
        mark=mark_for(material.program),
        program=material.program.rstrip("\n"),
    )
    return Message("system", _file("system.md")), Message("user", text)


def again(found: str) -> Message:
    """What goes back with an answer that was not taken."""
    said = found.strip()[:_FOUND_CHARACTERS] or "nothing more is known"
    text = Template(_file("again.md")).substitute(mark=mark_for(said), found=said)
    return Message("user", text)


def mark_for(text: str) -> str:
    """A line that does not occur in `text`, the same for the same text."""
    count = 0
    while True:
        digest = hashlib.sha256(f"{count}|{text}".encode()).hexdigest()[:16]
        if digest not in text:
            return f"<<<<<< data {digest} >>>>>>"
        count += 1


def _facts(platform: Platform) -> str:
    """Limits and headers from the platform's table."""
    plain = {k: v for k, v in platform.limits.items() if isinstance(v, (int, float, str))}
    lines = [f"- {key.replace('_', ' ')}: {value}" for key, value in plain.items()]
    headers = ", ".join(sorted(platform.words.headers))
    return "\n".join([*lines, f"- headers that may be included: {headers}"])


def _passages(platform: Platform, name: str, query: str) -> str:
    """Passages of the manual, as many as there is room for."""
    out: list[str] = []
    room = _PASSAGE_CHARACTERS
    for passage in passages_for(platform, name, query):
        text = f"## {passage.title}\n\n{passage.text}"
        if len(text) <= room:
            out.append(text)
            room -= len(text)
    return "\n\n".join(out)


def _instructions(material: Material) -> str:
    """Instructions of the target for each thing that is computed."""
    queries = distinct(p.query for n in material.nests for p in n.pieces)
    found = [i for q in queries[:12] for i in instructions_for(material.target, q, 4)]
    lines = [f"- {i.signature}" + (f"  // {i.about}" if i.about else "") for i in found[:24]]
    return "\n".join(distinct(lines)) or "None were found."


def size(turns: Sequence[Message]) -> int:
    """Characters of a conversation."""
    return sum(len(m.text) for m in turns)
