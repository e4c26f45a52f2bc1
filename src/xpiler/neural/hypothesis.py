"""Instructions that nobody described: a model says what one does, and that is marked as a guess."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

from xpiler.diagnostics import Diagnostic
from xpiler.neural.asker import Asker
from xpiler.neural.prompts import mark_for
from xpiler.neural.provider import Message, ModelFault, Request
from xpiler.neural.retrieve import instructions_for, passages_for
from xpiler.neural.screen import screen
from xpiler.neural.settings import Settings
from xpiler.platforms.registry import Platform

_UNKNOWN = re.compile(r"use of undeclared identifier '(\w+)'")
_LINE_COMMENT = re.compile(r"//[^\n]*")
_LONGEST = 4000  # characters of a description
_MOST = 8  # functions that are asked about
REVIEWED = "// reviewed"


@dataclass(frozen=True, slots=True)
class Entry:
    """What a function does, as a definition in the source's language; `origin` says who says so."""

    name: str
    text: str
    origin: str
    reviewed: bool = False

    @property
    def assumption(self) -> str:
        """For the verdict."""
        kind = "as reviewed" if self.reviewed else "a HYPOTHESIS, not reviewed"
        return f"{self.name} does what {self.origin} says ({kind})"


def unknown(diagnostics: Iterable[Diagnostic], text: str) -> tuple[str, ...]:
    """Functions that a text calls and nobody knows, in the order of their remarks."""
    found = (_UNKNOWN.search(d.message) for d in diagnostics if d.code == "XP0110")
    names = dict.fromkeys(m[1] for m in found if m)
    return tuple(n for n in names if re.search(rf"\b{n}\s*\(", text))[:_MOST]


def describe(
    name: str, text: str, platform: Platform, asker: Asker, settings: Settings
) -> Entry | None:
    """The entry of one function: from the folder of entries, else from the model; None for none."""
    folder = Path(settings.entries) if settings.entries else None
    if folder is not None and (kept := _kept(name, folder)) is not None:
        return kept
    turns = Message("user", _prompt(name, text, platform))
    request = Request((turns,), settings.max_tokens, settings.temperature, settings.seed,
                      topic=f"describe {name}", platform=platform.name)  # fmt: skip
    try:
        answer = asker.ask(request)
    except ModelFault:
        return None
    found = screen(answer.text, ())
    if found.why or not _is_definition(found.text, name):
        return None
    entry = Entry(name, found.text.strip(), asker.name)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        head = (
            f"// hypothesis by {asker.name}; once it is right, make this line: {REVIEWED} by NAME\n"
        )
        (folder / f"{name}.cpp").write_text(head + entry.text + "\n", encoding="utf-8")
    return entry


def _kept(name: str, folder: Path) -> Entry | None:
    path = folder / f"{name}.cpp"
    if not path.is_file():
        return None
    head, _, body = path.read_text(encoding="utf-8").partition("\n")
    if screen(body, ()).why or not _is_definition(body, name):
        return None
    return Entry(name, body.strip(), str(path), head.startswith(REVIEWED))


def _is_definition(text: str, name: str) -> bool:
    """Whether `text` is the definition of `name` and of nothing else, without directives."""
    bare = re.sub(r"/\*.*?\*/", " ", _LINE_COMMENT.sub("", text), flags=re.S).strip()
    if not 0 < len(bare) <= _LONGEST or "#" in bare or "??=" in bare or "%:" in bare:
        return False
    head, brace, _ = bare.partition("{")
    if not brace or not re.search(rf"\b{name}\s*\([^;{{}}]*\)\s*$", head) or ";" in head:
        return False
    depth = 0
    for k, c in enumerate(bare):
        depth += {"{": 1, "}": -1}.get(c, 0)
        if c == "}" and depth == 0:
            return k == len(bare) - 1
    return False


def _prompt(name: str, text: str, platform: Platform) -> str:
    query = name.replace("_", " ")
    passages = passages_for(platform, "", query, 6)
    similar = instructions_for(platform, name, 8)
    return Template(
        files("xpiler.neural").joinpath("prompts", "describe.md").read_text(encoding="utf-8")
    ).substitute(
        name=name,
        platform=platform.title,
        passages="\n\n".join(f"## {p.title}\n\n{p.text}" for p in passages) or "Nothing was found.",
        instructions="\n".join(f"- {i.signature}" for i in similar) or "None.",
        mark=mark_for(text),
        program=text.rstrip("\n"),
    )


def with_entries(text: str, entries: Sequence[Entry]) -> str | None:
    """The text with definitions before its first own line of code, numbers of lines kept.

    None where no such line is found.
    """
    joined = " ".join(_on_one_line(e.text) for e in entries)
    lines = text.split("\n")
    last = max((k for k, x in enumerate(lines) if re.match(r"\s*#\s*include\b", x)), default=-1)
    inside = False
    for k, line in enumerate(lines):
        starts = not inside and re.match(r"[A-Za-z_]", line) and k > last
        if starts and not (k and lines[k - 1].endswith("\\")):
            lines[k] = f"{joined} {line}"
            return "\n".join(lines)
        inside = (inside or "/*" in line) and "*/" not in line.rpartition("/*")[2]
    return None


def _on_one_line(text: str) -> str:
    bare = re.sub(r"/\*.*?\*/", " ", _LINE_COMMENT.sub("", text), flags=re.S)
    return " ".join(bare.split())
