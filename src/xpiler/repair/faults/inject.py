"""Make a right text wrong: faults of known kinds at places drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence

from xpiler.frontend.syntax import Tree, syntax
from xpiler.repair.faults import instruction, memory, parallelism
from xpiler.repair.faults.model import KINDS, Class, Edit, Fault, Faulty
from xpiler.repair.faults.pieces import bodies

OPERATORS = (*parallelism.OPERATORS, *memory.OPERATORS, *instruction.OPERATORS)
_TRIES = 40  # edits that do not parse or change nothing, before we give up


def tree_of(text: str, name: str) -> Tree:
    """The syntax tree of a text in the language of the platform called `name`."""
    from xpiler.platforms.registry import platform

    p = platform(name)
    return syntax(text, f"text{p.suffixes[0]}", p.words)


def edits(tree: Tree) -> list[Edit]:
    """Every edit of every kind that the text has a place for; not all of them parse."""
    found: dict[tuple[int, int, str], Edit] = {}
    for body in bodies(tree):
        for operator in OPERATORS:
            for e in operator(tree, body):
                if e.start <= e.end and tree.text[e.start : e.end] != e.new:
                    found.setdefault((e.start, e.end, e.new), e)
    return list(found.values())


def shuffled(found: Sequence[Edit], rng: random.Random) -> Iterator[Edit]:
    """The edits in random order, the kinds taking turns."""
    by_kind: dict[str, list[Edit]] = {}
    for edit in found:
        by_kind.setdefault(edit.kind, []).append(edit)
    queues = [by_kind[kind] for kind in sorted(by_kind)]
    rng.shuffle(queues)
    for queue in queues:
        rng.shuffle(queue)
    while queues:
        for queue in queues:
            yield queue.pop()
        queues = [q for q in queues if q]


def parses(text: str, name: str) -> bool:
    """Whether the platform's parser takes the text."""
    return not tree_of(text, name).errors


def inject(
    text: str, platform: str, seed: int, n: int = 1, kinds: Sequence[str] | None = None
) -> Faulty:
    """`text` with `n` faults (of `kinds`, or of all) that still parses.

    The same arguments give the same faults. Whether they change what the text computes is for the
    caller to find out. Raises XpilerError where the text itself can't be parsed.
    """
    rng = random.Random(f"{seed}/{n}")
    tree = tree_of(text, platform)
    chosen: list[Edit] = []
    for tried, edit in enumerate(shuffled(edits(tree), rng)):
        if len(chosen) == n or tried >= _TRIES * n:
            break
        if kinds is not None and edit.kind not in kinds:
            continue
        if all(apart(edit, other, text) for other in chosen) and parses(
            apply([*chosen, edit], text), platform
        ):
            chosen.append(edit)
    return Faulty(apply(chosen, text), told(chosen, text), tuple(chosen))


def apart(a: Edit, b: Edit, text: str) -> bool:
    """Whether two edits touch different lines."""
    first, second = sorted((a, b), key=lambda e: e.start)
    return text.count("\n", 0, first.end) < text.count("\n", 0, second.start)


def apply(chosen: Sequence[Edit], text: str) -> str:
    """The text with all of the edits, which do not overlap."""
    for edit in sorted(chosen, key=lambda e: -e.start):
        text = edit.apply(text)
    return text


def told(
    chosen: Sequence[Edit], text: str, classes: Mapping[str, Class] | None = None
) -> list[Fault]:
    """The faults that the edits are, at their lines of the text that they make.

    `classes` are those of kinds that are none of `KINDS`.
    """
    found, moved = [], 0
    for e in sorted(chosen, key=lambda e: e.start):
        line = text.count("\n", 0, e.start) + 1 + moved
        before, after = text[e.start : e.end], e.new
        moved += after.count("\n") - before.count("\n")
        shown = (
            f"`{_short(before)}` became `{_short(after)}`"
            if after
            else f"without `{_short(before)}`"
        )
        cls = classes[e.kind] if classes and e.kind in classes else KINDS[e.kind][1]
        found.append(Fault(e.kind, cls, line, shown))
    return found


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= 60 else words[:57] + "..."
