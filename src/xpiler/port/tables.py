"""The API tables: which name of one platform stands for which of the other, both ways."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """What one name becomes. `new` is empty where there is no counterpart.

    `erase`: the name simply goes. `arguments`: the row holds for calls with so many arguments.
    `scope`: the name is a namespace (only before `::` or after `namespace`). `needs`: a helper.
    """

    new: str
    group: str
    source: str
    note: str = ""
    erase: bool = False
    arguments: int | None = None
    scope: bool = False
    needs: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """How a call is rewritten: `new` holds `{0}` for the first argument, and so on, in order.

    `needs` names the helper that the new call uses; `waves` is the pair of wave widths (source,
    target) that the rule is for, None for any.
    """

    arguments: int
    new: str
    group: str
    source: str
    needs: str = ""
    waves: tuple[int, int] | None = None
    when: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Tables:
    """Everything that is known of one direction."""

    names: Mapping[str, tuple[Row, ...]]
    headers: Mapping[str, Row]
    rules: tuple[tuple[str, str, str], ...]
    calls: Mapping[str, tuple[Call, ...]]
    owned: re.Pattern[str]
    own_macros: frozenset[str] = frozenset()
    words: Mapping[str, Any] = field(default_factory=dict)

    def row(self, name: str, arguments: int | None = None) -> Row | None:
        """The row for `name`; with several the one for so many arguments, else the first."""
        rows = self.names.get(name, ())
        fits = [r for r in rows if r.arguments in (None, arguments)]
        return fits[0] if fits else rows[0] if rows else self._by_rule(name)

    def tells(self, name: str) -> bool:
        """Whether a text with this name is one for the source: the name changes or is owned."""
        rows = self.names.get(name, ())
        return any(r.new != name for r in rows) or (not rows and bool(self.owned.fullmatch(name)))

    def _by_rule(self, name: str) -> Row | None:
        for old, new, group in self.rules:
            if name.startswith(old):
                return Row(new + name[len(old) :], group, "the library's naming convention")
        return None


def _documents() -> Iterator[dict[str, Any]]:
    folder = files("xpiler.port").joinpath("tables")
    for path in sorted(folder.iterdir(), key=lambda p: p.name):
        if path.name.endswith(".toml"):
            yield tomllib.loads(path.read_text(encoding="utf-8"))


@cache
def _loaded() -> tuple[dict[str, Any], ...]:
    return tuple(_documents())


def _parts(key: str) -> Iterator[dict[str, Any]]:
    for document in _loaded():
        yield from document.get(key, ())


@cache
def tables(source: str, target: str) -> Tables:
    """The tables of one direction, by the platforms' names; LookupError where there are none."""
    words: dict[str, dict[str, Any]] = {}
    for document in _loaded():
        words |= document.get("platform", {})
    if source not in words or target not in words:
        raise LookupError(f"no tables from {source} to {target}")
    names: dict[str, list[Row]] = {}
    headers: dict[str, Row] = {}
    for group in _parts("group"):
        for old, row in _rows(group, source, target):
            if group.get("kind") == "header":
                headers.setdefault(old, row)
            else:
                names.setdefault(old, []).append(row)
    return Tables(
        {name: tuple(rows) for name, rows in names.items()},
        headers,
        tuple(_rules(source, target)),
        _calls(source, target),
        re.compile("|".join(words[source]["owned"])),
        frozenset(words[target]["macros"]),
        words[source],
    )


@cache
def helper_calls(source: str, target: str, helper: str) -> Mapping[str, str]:
    """What a template helper's name with its arguments stands for, spaces taken out."""
    out = {}
    for name, calls in _calls(source, target).items():
        for call in calls:
            if call.needs == helper:
                out["".join(call.new.split("(")[0].split())] = name
    return out


def _rules(source: str, target: str) -> Iterator[tuple[str, str, str]]:
    """Prefix rules; a pair is written in the order of the words `cuda`, `hip`."""
    order = ["cuda", "hip"]
    for group in _parts("group"):
        for pair in group.get("rules", ()):
            yield pair[order.index(source)], pair[order.index(target)], group["title"]


def _rows(group: Mapping[str, Any], source: str, target: str) -> Iterator[tuple[str, Row]]:
    """Rows of a group as seen from `source`; what is `one_way` is read from left to right only."""
    title, origin = group["title"], group["source"]
    left = "cuda"
    one_way = bool(group.get("one_way"))
    prefix = group.get("prefix", {})
    if source == left or not one_way:
        for name in group.get("names", "").split():
            yield prefix[source] + name, Row(prefix[target] + name, title, origin)
    for key, value in group.get("other", {}).items():
        entry: dict[str, Any] = {"hip": value} if isinstance(value, str) else value
        found = _other(key, entry, source == left, one_way)
        if found is None:
            continue
        old, new = found
        yield (
            old,
            Row(
                new,
                title,
                origin,
                entry.get("note", ""),
                bool(entry.get("erase")),
                _arguments(entry),
                bool(entry.get("scope")),
                entry.get("needs", ""),
            ),
        )


def _arguments(entry: Mapping[str, Any]) -> int | None:
    count = entry.get("arguments")
    return None if count is None else int(count)


def _other(
    key: str, entry: Mapping[str, Any], forward: bool, one_way: bool
) -> tuple[str, str] | None:
    """Old and new name of a row in the direction asked for, None where it has none.

    A row with `hip` is keyed by the CUDA name; one with `cuda` is keyed by the HIP name and holds
    on the way to CUDA only.
    """
    if "cuda" in entry:
        return None if forward else (key, entry["cuda"])
    if forward:
        return key, entry["hip"]
    if one_way or entry.get("one_way") or not entry["hip"]:
        return None
    return entry["hip"], key


def _calls(source: str, target: str) -> dict[str, tuple[Call, ...]]:
    out: dict[str, list[Call]] = {}
    for group in _parts("calls"):
        if group["from"] != source or group["to"] != target:
            continue
        for item in group["call"]:
            for name, call in _spread(item, group):
                out.setdefault(name, []).append(call)
    return {name: tuple(calls) for name, calls in out.items()}


def _spread(item: Mapping[str, Any], group: Mapping[str, Any]) -> Iterable[tuple[str, Call]]:
    """A rule may stand for several names: `*` in name, text and helper is one of `each`."""
    waves = item.get("waves", group.get("waves"))
    for word in item.get("each", [""]):
        yield (
            item["name"].replace("*", word),
            Call(
                item["arguments"],
                item["new"].replace("*", word),
                group["title"],
                group["source"],
                item.get("needs", "").replace("*", word),
                None if waves is None else (waves[0], waves[1]),
                item.get("when", ""),
                item.get("note", ""),
            ),
        )
