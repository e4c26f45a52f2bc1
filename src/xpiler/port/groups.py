"""Reductions of cooperative groups: names in a namespace that may have an alias."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xpiler.port.port import Job


def rewrite(job: Job) -> None:
    """`cg::reduce(tile, v, cg::plus<int>())`: the helper's names, without the namespace."""
    spec = job.tables.words.get("group_words")
    made = job.editor
    if not spec or spec["helper"] not in made.helpers:
        return
    spaces, opened = _spaces(job, spec["space"])
    for i, token in enumerate(made.tokens):
        new = spec["names"].get(token.text)
        if new is None or made.touched(i) or made.is_member(i):
            continue
        scope = made.previous(i)
        owner = made.previous(scope) if made.word(scope) == "::" else -1
        if made.word(owner) in spaces:
            made.drop(owner, i)
            made.replace(i, new, "groups")
        elif opened and owner < 0 and made.word(made.next(i)) in {"(", "<"}:
            made.replace(i, new, "groups")


def _spaces(job: Job, space: str) -> tuple[set[str], bool]:
    """The namespace with its aliases, and whether a `using namespace` opens it."""
    made = job.editor
    words = [t.text for t in made.tokens if not t.blank]
    names = {space}
    for i in range(len(words) - 3):
        if words[i] == "namespace" and words[i + 2 : i + 4] == ["=", space]:
            names.add(words[i + 1])
    pairs = zip(words, words[1:], words[2:], strict=False)
    return names, ("using", "namespace", space) in set(pairs)
