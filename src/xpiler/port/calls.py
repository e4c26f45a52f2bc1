"""Calls whose shape differs, by the rules of the tables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xpiler.port.tables import Call

if TYPE_CHECKING:
    from xpiler.port.port import Job

_REFERENCE = re.compile(r"\{(\d)\}")


def rewrite(job: Job) -> None:
    """Rewrite every call that a rule knows; one that no rule fits is reported."""
    made = job.editor
    for i, token in enumerate(made.tokens):
        if token.kind != "name" or made.touched(i) or token.text in job.defined:
            continue
        rules = job.tables.calls.get(token.text)
        if rules and not made.is_member(i):
            _one(job, i, rules)
    _warp_word(job)
    _functions_as_pointers(job)


def _one(job: Job, index: int, rules: tuple[Call, ...]) -> None:
    made = job.editor
    brackets = made.call(index)
    if brackets is None:
        made.say("XP1002", index, f"{made.word(index)} without a call is not handled", "error")
        return
    args = made.arguments(*brackets)
    for rule in rules:
        if _fits(job, rule, args):
            spans = [(args[0][0], args[-1][1])] if rule.arguments < 0 and args else args
            _apply(job, index, brackets, spans, rule)
            return
    name = made.word(index)
    if job.tables.row(name) is None:
        made.say("XP1002", index, f"this form of {name} has no counterpart", "error")


def _fits(job: Job, rule: Call, args: list[tuple[int, int]]) -> bool:
    if rule.arguments >= 0 and rule.arguments != len(args):
        return False
    if rule.waves is not None and rule.waves != job.waves:
        return False
    said = [job.editor.source(a) for a in args]
    if rule.when == "near":
        return said[1].isdigit() and int(said[1]) < 32
    if rule.when == "warp":
        return said[-1] == str(job.waves[1])
    if rule.when == "narrow":
        return said[-1].isdigit() and int(said[-1]) <= 32
    return rule.when != "plain" or said[3:] == ["0"] * len(said[3:])


def _apply(
    job: Job, index: int, brackets: tuple[int, int], args: list[tuple[int, int]], rule: Call
) -> None:
    """Text between the arguments that stay is exchanged for the rule's, and nothing else."""
    made = job.editor
    pieces = _REFERENCE.split(rule.new)
    at = index
    remark = job.tables.words.get("remarks", {}).get(made.word(index))
    if remark:
        made.say("XP1003", index, remark, "warning")
    made.log(index, made.word(index), rule.new.split("(")[0] or rule.new, rule.group)
    for literal, which in zip(pieces[::2], [*pieces[1::2], None], strict=True):
        to = brackets[1] + 1 if which is None else args[int(which)][0]
        _exchange(job, at, to, literal)
        at = to if which is None else args[int(which)][1]
    if rule.needs:
        made.helpers.setdefault(rule.needs)


def _exchange(job: Job, start: int, end: int, text: str) -> None:
    """`text` in place of the tokens [start, end)."""
    made = job.editor
    old = made.source((start, end))
    if " ".join(old.split()) == text.strip():
        for i in range(start, end):
            made.settle(i)
        return
    made.drop(start, end)
    made.insert(start, text)


_WAVE_NUMBERS = {"31", "32", "63", "64"}


def wave_free(job: Job) -> bool:
    """Whether the text asks for the width of a wave (`warpSize`) and never takes it for granted."""
    bound = job.tables.words.get("wave_bound")
    made, word = job.editor, job.tables.words["warp_word"]
    asked = any(t.text == word and not made.is_member(i) for i, t in enumerate(made.tokens))
    if not bound or not asked:
        return False
    texts = {t.text.rstrip("uUlL") if t.kind == "number" else t.text for t in made.tokens}
    if texts & _WAVE_NUMBERS:
        return False
    return not any(re.fullmatch(pattern, text) for pattern in bound for text in texts)


def _warp_word(job: Job) -> None:
    """The width of a warp as a word: what the source's text was written for."""
    made = job.editor
    word, (old, new) = job.tables.words["warp_word"], job.waves
    mine = job.tables.words.get("warp_constant")
    for i, token in enumerate(made.tokens):
        if token.text != word or made.touched(i):
            continue
        if made.is_member(i):
            if old != new:
                made.say("XP1003", i, f"the target's device says {new} here, not {old}", "warning")
        elif old != new and mine and word not in job.defined:
            made.replace(i, mine["name"], "waves")
            made.helpers.setdefault(mine["needs"])


def _functions_as_pointers(job: Job) -> None:
    """Kernels passed as `const void*`: a template in CUDA, a cast in HIP."""
    made = job.editor
    casts = job.tables.words.get("function_pointers", {})
    for i, token in enumerate(made.tokens):
        which = casts.get(token.text)
        brackets = made.call(i) if which is not None else None
        if which is None or brackets is None:
            continue
        args = made.arguments(*brackets)
        if which >= len(args) or "void" in made.source(args[which]):
            continue
        start, end = args[which]
        made.insert(start, "reinterpret_cast<const void*>(")
        made.insert(end - 1, ")", after=True)
        made.log(start, made.source(args[which]), "reinterpret_cast<const void*>", "kernel")
