"""The index of diagnostic codes, read from the TOML files in `codes/`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class CodeEntry:
    """What `xpiler explain CODE` prints."""

    code: str
    title: str
    severity: str
    text: str


@cache
def all_codes() -> dict[str, CodeEntry]:
    """Every known code, in ascending order."""
    found: dict[str, CodeEntry] = {}
    for path in sorted(
        files("xpiler.diagnostics").joinpath("codes").iterdir(), key=lambda p: p.name
    ):
        if path.name.endswith(".toml"):
            for code, body in tomllib.loads(path.read_text(encoding="utf-8")).items():
                found[code] = CodeEntry(code, body["title"], body["severity"], body["text"].strip())
    return dict(sorted(found.items()))


def lookup(code: str) -> CodeEntry | None:
    """The entry of `code` (any letter case), or None."""
    return all_codes().get(code.upper())
