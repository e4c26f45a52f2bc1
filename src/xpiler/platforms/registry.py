"""The platforms that this installation has: one folder each, described by its `platform.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from xpiler.backend.spelling import Spelling, load_from
from xpiler.diagnostics import Diagnostic, SourceLoc, XpilerError
from xpiler.frontend.words import Words, words_from
from xpiler.platforms.protocol import emulator_in, register_emulator

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Platform:
    """One platform: its names, its words for the front end, and the raw tables for the rest.

    `suffixes` name the platform by themselves, `weak_suffixes` where no word of the text does.
    `limits` counts threads and bytes. `tables` is the whole of `platform.toml`.
    """

    name: str
    title: str
    aliases: tuple[str, ...]
    suffixes: tuple[str, ...]
    weak_suffixes: tuple[str, ...]
    guess: tuple[str, ...]
    words: Words
    folder: Path
    limits: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, Any] = field(default_factory=dict)

    @property
    def readable(self) -> bool:
        """Whether translations from it are built."""
        return bool(self.tables.get("directions", {}).get("source", False))

    @property
    def writable(self) -> bool:
        """Whether translations to it are built."""
        return bool(self.tables.get("directions", {}).get("target", False))

    @property
    def spelling(self) -> Spelling:
        """How the back end writes it."""
        return load_from(self.folder)

    @property
    def default_arch(self) -> str:
        return self.words.default_arch

    def wave(self, arch: str | None = None) -> int:
        """Lanes in a warp on `arch` (default: the platform's default architecture)."""
        return self.words.wave(arch)


def _load(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def load_platform(folder: Path, root: Path = HERE) -> Platform:
    """The platform described in `folder`.

    Files that its table names lie beside the folder, or else below `root`, where ours are.
    """

    def place(name: str) -> Path:
        beside = folder.parent / name
        return beside if beside.exists() else root / name

    table = _load(folder / "platform.toml")
    tables = [*(_load(place(name)) for name in table.get("inherits", ())), table]
    stubs = tuple(str(place(s)) for s in table.get("frontend", {}).get("stubs", ()))
    return Platform(
        name=table["name"],
        title=table.get("title", table["name"]),
        aliases=tuple(table.get("aliases", ())),
        suffixes=tuple(table.get("suffixes", ())),
        weak_suffixes=tuple(table.get("weak_suffixes", ())),
        guess=tuple(table.get("guess", ())),
        words=words_from(table["name"], tables, stubs),
        folder=folder,
        limits=table.get("limits", {}),
        tables=table,
    )


_added: dict[str, Platform] = {}


@cache
def _own() -> Mapping[str, Platform]:
    folders = sorted(p.parent for p in HERE.glob("*/platform.toml"))
    return {p.name: p for p in map(load_platform, folders)}


def platforms() -> Mapping[str, Platform]:
    """Every platform by its name: ours, and those that were registered."""
    return {**_own(), **_added}


def register_platform(folder: Path) -> Platform:
    """Add the platform described in a folder outside this package, its emulator included.

    `EMULATOR` of the folder's `emulation.py` runs its text. Raises OSError, KeyError or
    tomllib.TOMLDecodeError for a folder that is no platform.
    """
    found = load_platform(folder)
    _added[found.name] = found
    if (folder / "emulation.py").is_file():
        register_emulator(emulator_in(folder))
    return found


def platform(name: str) -> Platform:
    """The platform of this name or alias; raises XpilerError (XP0106)."""
    for p in platforms().values():
        if name.lower() in (p.name, *p.aliases):
            return p
    known = ", ".join(platforms())
    raise XpilerError(
        Diagnostic("XP0106", f"no platform is called {name!r}", help=f"one of: {known}")
    )


def platform_of(path: str, text: str = "") -> Platform:
    """The platform of a file, by its suffix and then by words in its text; raises XpilerError."""
    fits = [
        (len(s), p) for p in platforms().values() for s in p.suffixes if path.lower().endswith(s)
    ]
    if fits:
        return max(fits, key=lambda f: f[0])[1]
    scores = {p.name: _score(p, text) for p in platforms().values()}
    best = max(scores, key=lambda n: scores[n])
    if scores[best] > 0:
        return platforms()[best]
    weak = [p for p in platforms().values() if path.lower().endswith(p.weak_suffixes)]
    if weak:
        return weak[0]
    raise XpilerError(
        Diagnostic(
            "XP0107",
            f"the platform of {path!r} is not known",
            loc=SourceLoc(path, 1),
            reason="neither the suffix nor the text tells it",
            help="name it with --from",
        )
    )


def _score(p: Platform, text: str) -> int:
    return sum(len(re.findall(re.escape(word), text)) for word in p.guess)


def all_platforms() -> tuple[Platform, ...]:
    """Every platform, ordered by name."""
    return tuple(platforms().values())


def source_suffixes(weak: bool = False) -> tuple[str, ...]:
    """File name endings of the platforms that translations are built from.

    `weak` ones are shared with files that hold no kernel; headers are not among them.
    """
    readable = [p for p in all_platforms() if p.readable]
    if weak:
        return tuple(s for p in readable for s in p.weak_suffixes if not s.startswith(".h"))
    return tuple(s for p in readable for s in p.suffixes)
