"""A platform's words: type names, function templates, helper texts, headers, reserved names."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from xpiler.backend.dialect import PLAIN, Dialect, load_dialect
from xpiler.ir.types import Scalar, Vector

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
    "argument", "exact" (an argument of exactly its type: overloads), "unary" or "primary".
    """

    text: str
    op: str = "call"
    operand: str = "argument"


@dataclass(frozen=True, slots=True)
class Syntax:
    """Where platforms' languages differ in grammar and habit; the defaults are those of C.

    `cpp`: the rules of C++ (no conversion from `void *`, no narrowing in braces, ...). `align` and
    `bounds` hold `{0}`. `sign_compare`, `unused`, `aliasing`: whether the compilers people use
    there object to mixed signs, unused parameters, memory read as another type. `sequential`: one
    thread runs everything, hence atomic operations are plain ones. `heap`: large arrays of device
    code go there too. `helper` and `helper_both` stand before helper functions (`static inline`):
    those called by device code only, and those that host code calls too.
    """

    cpp: bool = False
    restrict: str = "restrict"
    null: str = "NULL"
    align: str = "_Alignas({0})"
    bounds: str = ""
    sign_compare: bool = True
    unused: bool = True
    aliasing: bool = True
    sequential: bool = True
    helper: str = "static inline"
    helper_both: str = "static inline"
    helper_host: str = "static inline"
    unroll: str = ""
    unroll_by: str = ""
    size_x: str = "{x}"
    size_xy: str = "{x}, {y}"
    size_xyz: str = "{x}, {y}, {z}"
    shared_bytes: str = ""


@dataclass(frozen=True)
class Spelling:
    """The tables of one platform's `spelling.toml`, with its prelude.

    `roles` and `spaces` are words before functions and variables, `axes` templates of parallel
    coordinates, `launches` of kernel launches. `vectors` says which short vectors the platform
    has (`f32x4` -> its name and how one is made), `extended` how it declares any other one;
    `lanewise` spells operations on them. `fragments` spells matrix tiles.
    """

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
    syntax: Syntax = Syntax()
    classes: frozenset[str] = frozenset()
    roles: Mapping[str, str] = field(default_factory=dict)
    spaces: Mapping[str, str] = field(default_factory=dict)
    axes: Mapping[str, str] = field(default_factory=dict)
    launches: Mapping[str, str] = field(default_factory=dict)
    vectors: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    extended: Mapping[str, Any] = field(default_factory=dict)
    lanewise: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    fragments: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    bits: Mapping[str, str] = field(default_factory=dict)
    fast: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    conversions: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    host_types: Mapping[str, str] = field(default_factory=dict)
    opaque: Mapping[str, str] = field(default_factory=dict)
    using: Mapping[str, str] = field(default_factory=dict)
    always: tuple[str, ...] = ()
    dialect: Dialect = PLAIN
    native: frozenset[Vector] = frozenset()
    line_width: int = 100
    indent: int = 4

    def type_name(self, t: Scalar) -> str:
        return self.types[t.name]

    def template(self, func: str, compute: str, fast: bool = False) -> tuple[Template, str] | None:
        """The template of `func` at the type `compute`, and the type that it really computes in.

        `fast` asks for the approximate form, where the platform has one.
        """
        table = self.functions.get(compute, {})
        entry = table.get(func, table.get("default"))
        entry = self.fast.get(compute, {}).get(func, entry) if fast else entry
        if entry is None:
            return None
        if entry in self.functions:
            return self.template(func, entry, fast)
        return _template(entry, func), compute

    def headers_for(self, words: set[str]) -> list[str]:
        """The headers that declare `words`, in order."""
        return sorted({self.headers[w] for w in words if w in self.headers})


def _template(entry: str, func: str) -> Template:
    parts = [p.strip() for p in entry.split(" | ")]
    return Template(parts[0].replace("{name}", func), *parts[1:])


_DEFINED = re.compile(
    r"^(?:template <.*>\n)?static inline (?:__attribute__\(\(\w+\)\) )?[^(]*?\b(\w+)\("
    r"|^typedef .*\b(\w+);",
    re.M,
)


def defined(text: str) -> str:
    """The name that a helper's text defines ("" for none)."""
    m = _DEFINED.search(text)
    return (m.group(1) or m.group(2)) if m else ""


def read_helpers(text: str) -> dict[str, Helper]:
    """The definitions of a prelude file, which are separated by blank lines."""
    found: dict[str, Helper] = {}
    for block in re.split(r"\n\n", text):
        if name := defined(block):
            found[name] = Helper(name, block.strip("\n"))
    return found


def from_tables(table: Mapping[str, Any], prelude: str, dialect: Dialect | None = None) -> Spelling:
    """A spelling from the parsed TOML and the concatenated prelude files."""
    names = table["names"]
    headers = {word: header for header, words in table["headers"].items() for word in words}
    optional = {key: table[key] for key in _OPTIONAL if key in table}
    vectors = [v for v in table.get("vectors", {}).values() if isinstance(v, dict)]
    built_in = {v["name"] for v in vectors if "name" in v}
    makers = {v["make"] for v in vectors if "make" in v}
    return Spelling(
        types=table["types"],
        stems=table["stems"],
        computes_in=table.get("computes_in", {}),
        excess=table.get("excess", {}),
        convert=table.get("convert", {}),
        functions=table["functions"],
        rounding=table.get("rounding", {}),
        saturating=table.get("saturating", {}),
        instructions=table["instructions"],
        parallel=table.get("parallel", {}),
        headers=headers,
        keywords=frozenset(names["keywords"]) | frozenset(names["macros"]) | built_in,
        library=frozenset(names["library"]) | makers,
        helpers=read_helpers(prelude),
        syntax=Syntax(**table.get("syntax", {})),
        classes=frozenset(table.get("classes", ())) | frozenset(table.get("computes_in", ())),
        always=tuple(table.get("always", ())),
        dialect=dialect or PLAIN,
        line_width=table.get("line_width", 100),
        indent=table.get("indent", 4),
        **optional,
    )


_OPTIONAL = (
    "roles", "spaces", "axes", "launches", "vectors", "extended", "lanewise", "fragments",
    "bits", "fast", "conversions", "attributes", "host_types", "opaque", "using",
)  # fmt: skip


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Two tables as one; what stands above counts, lists of words are joined."""
    out = dict(below)
    for key, value in above.items():
        old = out.get(key)
        if isinstance(value, dict) and isinstance(old, dict):
            out[key] = _merged(old, value)
        elif isinstance(value, list) and isinstance(old, list):
            out[key] = [*old, *value]
        else:
            out[key] = value
    return out


def _prelude(folder: Path) -> str:
    return "\n\n".join(p.read_text(encoding="utf-8") for p in sorted(folder.glob("prelude/*.h")))


def _shared(folder: Path, name: str) -> Path:
    """A folder beside `folder`, or one of ours of that name."""
    beside = folder.parent / name
    ours = Path(str(files("xpiler.platforms").joinpath(name)))
    return beside if (beside / "spelling.toml").is_file() else ours


def load_from(folder: Path) -> Spelling:
    """The spelling in a platform's folder: `spelling.toml` and `prelude/*.h`.

    `inherits` names folders beside it whose tables and preludes come first; `@name@` in them
    stands for what `[words]` of the platform's own table says.
    """
    own = (folder / "spelling.toml").read_text(encoding="utf-8")
    table = tomllib.loads(own)
    whole: dict[str, Any] = {}
    preludes = []
    for name in (*table.get("inherits", ()), folder.name):
        part = folder if name == folder.name else _shared(folder, name)
        text = (part / "spelling.toml").read_text(encoding="utf-8")
        preludes.append(_prelude(part))
        for word, value in table.get("words", {}).items():
            text, preludes[-1] = (t.replace(f"@{word}@", value) for t in (text, preludes[-1]))
        whole = _merged(whole, tomllib.loads(text))
    return from_tables(whole, "\n\n".join(preludes), load_dialect(folder))


@cache
def load(platform: str) -> Spelling:
    """The spelling of a platform of ours; raises FileNotFoundError where it has none."""
    return load_from(Path(str(files("xpiler.platforms").joinpath(platform))))
