"""Finds passages of a platform's manual and entries of its instructions by BM25."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from xpiler.neural.instructions import Instruction, instructions
from xpiler.platforms.registry import Platform

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|\d+")
_PASSES = re.compile(r"^passes:\s*(.*)$", re.M)
_STOP = frozenset(
    """a an and are as at be by for from has have in into is it its of on or that the this to which
    with one each all not no""".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a manual: its heading, the passes that always want it, its text, its file."""

    title: str
    passes: tuple[str, ...]
    text: str
    file: str


def words(text: str) -> list[str]:
    """The words of a text: identifiers whole and in their parts, without case or plural."""
    out: list[str] = []
    for match in _WORD.finditer(text):
        whole = match[0].lower().strip("_")
        parts = [p for p in re.split(r"_+|(?<=[a-z])(?=\d)", whole) if p]
        out += [whole, *parts] if len(parts) > 1 else parts
    return [_stem(w) for w in out if w not in _STOP and len(w) < 60]


def _stem(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


@cache
def manual(folder: Path) -> tuple[Passage, ...]:
    """The passages of a platform's `manual/*.md`: one a second-level heading."""
    out: list[Passage] = []
    for path in sorted((folder / "manual").glob("*.md")):
        for part in re.split(r"^## ", path.read_text(encoding="utf-8"), flags=re.M)[1:]:
            title, _, body = part.partition("\n")
            tagged = _PASSES.search(body)
            passes = tuple(p.strip() for p in tagged[1].split(",")) if tagged else ()
            text = _PASSES.sub("", body).strip()
            out.append(Passage(title.strip(), passes, text, path.name))
    return tuple(out)


class Index:
    """Texts that can be searched; the best first, ties in their order."""

    def __init__(self, texts: Sequence[str]) -> None:
        import bm25s

        self.size = len(texts)
        self._bm25: Any = None
        found = [words(t) or ["_"] for t in texts]
        if found:
            self._bm25 = bm25s.BM25(method="lucene", k1=1.2, b=0.6)
            self._bm25.index(found, show_progress=False)

    def search(self, query: str, count: int) -> list[tuple[int, float]]:
        """Positions of the texts that fit `query`, with their scores, best first."""
        known = [w for w in words(query) if self._bm25 and w in self._bm25.vocab_dict]
        if not known:
            return []
        scores = self._bm25.get_scores(known)
        ranked = sorted(range(self.size), key=lambda i: (-float(scores[i]), i))
        return [(i, float(scores[i])) for i in ranked[:count] if scores[i] > 0]


@cache
def _manual_index(folder: Path) -> Index:
    return Index([f"{p.title} {p.title} {p.text}" for p in manual(folder)])


@cache
def _instruction_index(platform: str, folder: Path) -> Index:
    entries = instructions_of(platform, folder)
    return Index([f"{e.name} {e.name} {e.signature} {e.about}" for e in entries])


@cache
def instructions_of(platform: str, folder: Path) -> tuple[Instruction, ...]:
    """The instructions of a platform that is known to the registry."""
    from xpiler.platforms.registry import platform as find

    return instructions(find(platform).words)


def passages_for(platform: Platform, name: str, query: str, count: int = 4) -> list[Passage]:
    """What the manual says for a pass: its own passages, then up to `count` found by `query`."""
    everything = manual(platform.folder)
    own = [p for p in everything if name in p.passes]
    found = [everything[i] for i, _ in _manual_index(platform.folder).search(query, 2 * count)]
    return own + [p for p in found if p not in own][:count]


def instructions_for(platform: Platform, query: str, count: int = 8) -> list[Instruction]:
    """The instructions whose names and descriptions fit `query` best."""
    entries = instructions_of(platform.name, platform.folder)
    found = _instruction_index(platform.name, platform.folder).search(query, count)
    return [entries[i] for i, _ in found]


def distinct(items: Iterable[str]) -> list[str]:
    """Without repetitions, in order."""
    return list(dict.fromkeys(items))
