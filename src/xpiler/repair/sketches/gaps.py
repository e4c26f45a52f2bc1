"""The places between statements where something may be missing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from xpiler.frontend.syntax import Piece, Tree

NAME = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Gap:
    """A place between statements: the start of a line, its indentation, the names known there.

    `beside` are the names in the statements before and behind it; `empty`: there are none, in a
    block where one would expect some.
    """

    at: int
    pad: str
    seen: frozenset[str]
    beside: frozenset[str]
    empty: bool


def gaps(tree: Tree, body: Piece) -> Iterator[Gap]:
    """All gaps of a body."""
    for block in tree.under(body):
        if block.kind != "COMPOUND_STMT":
            continue
        kids = tree.kids(block)
        starts = [k.start for k in kids] + [block.end - 1]
        seen = {x.name for x in tree.visible(block)}
        pad = "    "
        for n, start in enumerate(starts):
            line = tree.text.rfind("\n", 0, start) + 1
            blank = tree.text[line:start]
            pad = blank if n < len(kids) and not blank.strip() else pad
            if not blank.strip():
                near = " ".join(tree.of(k)[:400] for k in kids[max(0, n - 2) : n + 2])
                beside = frozenset(NAME.findall(near)) if kids else frozenset(seen)
                yield Gap(line, pad, frozenset(seen), beside, not kids)
            if n < len(kids) and kids[n].kind == "DECL_STMT":
                seen |= {x.name for x in tree.kids(kids[n]) if x.kind == "VAR_DECL"}
