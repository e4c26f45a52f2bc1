"""A platform's words: type names, function templates, helper texts, headers, reserved names."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from xpiler.ir.types import Scalar

WORD = re.compile(r"[A-Za-z_]\w*")
_NOT_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.S)


def words_of(text: str) -> set[str]:
    """The identifiers in C text, comments and string literals left out."""
    return set(WORD.findall(_NOT_CODE.sub(" ", text)))


@dataclass(frozen=True, slots=True)
class Helper:
    """A small function or type that a file defines for itself when it uses it."""

    name: str
    text: str

    @property
    def needs(self) -> set[str]:
        return words_of(self.text) - {self.name}


@dataclass(frozen=True, slots=True)
class Template:
    """How a function is spelled: text with `{0}`, `{1}`, ..., its operator, its operands'.

    `op` is "call" or a C operator; `operand` is the tightest context that an operand stands in:
    "argument", "unary" or "primary".
    """

    text: str
    op: str = "call"
    operand: str = "argument"


@dataclass(frozen=True)
class Spelling:
    """The tables of one platform's `spelling.toml`, with its prelude."""

    types: Mapping[str, str]
    stems: Mapping[str, str]
    computes_in: Mapping[str, str]
    excess: Mapping[str, str]
    convert: Mapping[str, str]
    functions: Mapping[str, Mapping[str, str]]
    rounding: Mapping[str, str]
    saturating: Mapping[str, str]
    instructions: Mapping[str, str]
    parallel: Mapping[str, str]
    headers: Mapping[str, str]
    keywords: frozenset[str]
    library: frozenset[str]
    helpers: Mapping[str, Helper]
    line_width: int = 100
    indent: int = 4

    def type_name(self, t: Scalar) -> str:
        return self.types[t.name]

    def template(self, func: str, compute: str) -> tuple[Template, str] | None:
        """The template of `func` at the type `compute`, and the type that it really computes in."""
        table = self.functions.get(compute, {})
        entry = table.get(func, table.get("default"))
        if entry is None:
            return None
        if entry in self.functions:
            return self.template(func, entry)
        return _template(entry, func), compute

    def headers_for(self, words: set[str]) -> list[str]:
        """The headers that declare `words`, in order."""
        return sorted({self.headers[w] for w in words if w in self.headers})


def _template(entry: str, func: str) -> Template:
    parts = [p.strip() for p in entry.split(" | ")]
    return Template(parts[0].replace("{name}", func), *parts[1:])


_DEFINED = re.compile(r"^static inline [^(]*?\b(\w+)\(|^typedef .*\b(\w+);", re.M)


def read_helpers(text: str) -> dict[str, Helper]:
    """The definitions of a prelude file, which are separated by blank lines."""
    found: dict[str, Helper] = {}
    for block in re.split(r"\n\n", text):
        if m := _DEFINED.search(block):
            name = m.group(1) or m.group(2)
            found[name] = Helper(name, block.strip("\n"))
    return found


def from_tables(table: Mapping[str, Any], prelude: str) -> Spelling:
    """A spelling from the parsed TOML and the concatenated prelude files."""
    names = table["names"]
    headers = {word: header for header, words in table["headers"].items() for word in words}
    return Spelling(
        types=table["types"],
        stems=table["stems"],
        computes_in=table.get("computes_in", {}),
        excess=table.get("excess", {}),
        convert=table.get("convert", {}),
        functions=table["functions"],
        rounding=table["rounding"],
        saturating=table["saturating"],
        instructions=table["instructions"],
        parallel=table.get("parallel", {}),
        headers=headers,
        keywords=frozenset(names["keywords"]) | frozenset(names["macros"]),
        library=frozenset(names["library"]),
        helpers=read_helpers(prelude),
        line_width=table.get("line_width", 100),
        indent=table.get("indent", 4),
    )


def load_from(folder: Traversable) -> Spelling:
    """The spelling in a platform's folder: `spelling.toml` and `prelude/*.h`."""
    table = tomllib.loads(folder.joinpath("spelling.toml").read_text(encoding="utf-8"))
    preludes = sorted(folder.joinpath("prelude").iterdir(), key=lambda p: p.name)
    text = "\n\n".join(p.read_text(encoding="utf-8") for p in preludes if p.name.endswith(".h"))
    return from_tables(table, text)


@cache
def load(platform: str) -> Spelling:
    """The spelling of a platform of ours; raises FileNotFoundError where it has none."""
    return load_from(files("xpiler.platforms").joinpath(platform))
