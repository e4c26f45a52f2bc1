"""The instructions that a platform has, with their signatures, read off the headers of ours that
say what they mean."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from xpiler.frontend.words import Words
from xpiler.host.cache import cache_dir, content_key, store

_UNIT = "/xpiler/unit"
_OWN = re.compile(r"^(?:xp_|XP_|__xp_|operator|std)")
_REACH = 10  # lines over which a comment holds
_KINDS = ("FUNCTION_DECL", "FUNCTION_TEMPLATE")


@dataclass(frozen=True, slots=True)
class Instruction:
    """A function of the platform's: its first form, how many more there are, what is said of it."""

    name: str
    signature: str
    forms: int
    about: str


def instructions(words: Words) -> tuple[Instruction, ...]:
    """Every instruction that the platform's headers declare, by name; cached on disk."""
    key = content_key([words.platform, *words.clang, *_contents(words)])
    path = cache_dir("instructions") / f"{key}.json"
    try:
        return tuple(Instruction(**raw) for raw in json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        found = _read(words)
        store(path, json.dumps([asdict(i) for i in found]).encode())
        return found


def _contents(words: Words) -> Iterator[str]:
    for folder in words.stubs:
        for path in sorted(Path(folder).rglob("*")):
            if path.is_file() and path.suffix in (".h", ".cpp"):
                yield path.read_text(encoding="utf-8")


def _read(words: Words) -> tuple[Instruction, ...]:
    from clang import cindex

    text = "".join(f'#include "{h}"\n' for h in sorted(set(words.headers.values())) if h)
    name = f"{_UNIT}.{'cpp' if 'c++' in words.clang else 'cu'}"
    arguments = [*words.clang, "-nostdinc", "-Wno-everything", "-DXP_WAVE=32"]
    arguments += [a for folder in words.stubs for a in ("-isystem", folder)]
    arguments += ["-include", words.prelude] if words.prelude else []
    unit = cindex.Index.create().parse(name, arguments, [(name, text)])
    first: dict[str, Instruction] = {}
    for cursor in _functions(unit.cursor):
        if cursor.spelling in words.math:
            continue  # C's own functions
        old = first.get(cursor.spelling)
        forms = old.forms + 1 if old else 1
        made = old or _instruction(cursor)
        first[cursor.spelling] = Instruction(made.name, made.signature, forms, made.about)
    return tuple(first[n] for n in sorted(first))


def _functions(cursor: Any) -> Iterator[Any]:
    for c in cursor.get_children():
        kind = c.kind.name
        if kind == "NAMESPACE" and c.spelling == "std":
            continue
        if kind in ("NAMESPACE", "LINKAGE_SPEC", "UNEXPOSED_DECL"):
            yield from _functions(c)
        elif kind in _KINDS and not _OWN.match(c.spelling):
            yield c


def _instruction(c: Any) -> Instruction:
    params = [k for k in c.get_children() if k.kind.name == "PARM_DECL"]
    listed = ", ".join(f"{p.type.spelling} {p.spelling}".strip() for p in params)
    signature = f"{c.result_type.spelling} {c.spelling}({listed})"
    where = c.location
    return Instruction(c.spelling, signature, 1, _comment(str(where.file), int(where.line)))


def _comment(file: str, line: int) -> str:
    """The comment of the group in which a definition stands: the nearest one above it."""
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    out: list[str] = []
    for text in reversed(lines[max(0, line - _REACH) : line - 1]):
        said = text.strip()
        if said.startswith("//"):
            out.append(said.lstrip("/ ").strip("- "))
        elif out:
            break
    return " ".join(reversed(out))[:300]
