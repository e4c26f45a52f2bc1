"""Vector types of clang (`ext_vector_type`), which the other compiler does not know."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from xpiler.platforms._simt.hip_text import rewrite_vector_types
from xpiler.platforms._simt.lexer import match_angle_close
from xpiler.port.tables import helper_calls

if TYPE_CHECKING:
    from xpiler.port.port import Job

_BYTES = re.compile(r"::xp_simt::VectorOfBytes<(\w+), (.*)>::type")


def rewrite(job: Job) -> None:
    """Declare each such type by a class template of the helpers."""
    new = job.tables.words.get("vector_class")
    if not new:
        return
    made = job.editor
    for i, token in enumerate(made.tokens):
        if token.text not in {"typedef", "using"} or token.directive or made.touched(i):
            continue
        end = next((k for k in range(i, len(made.tokens)) if made.word(k) == ";"), i)
        old = made.source((i, end))
        text = rewrite_vector_types(old + ";")[:-1]
        if text.strip() == old.strip():
            continue
        alias = _BYTES.sub(rf"{new}<\1, (\2) / sizeof(\1)>", text.strip())
        alias = alias.replace("::xp_simt::ExtVector", new)
        made.drop(i, end)
        made.insert(i, re.sub(r"\b_Float16\b", "__half", alias))
        made.log(i, old, alias, "vectors")
        made.helpers.setdefault("vector")


def give_back(job: Job) -> None:
    """Helpers of an earlier port, on their way back: vector types and matrix instructions."""
    old = job.tables.words.get("vector_given")
    made = job.editor
    if not old or old["vector"] not in made.text:
        return
    known = helper_calls(job.target.name, job.source.name, old["matrix_helper"])
    for i, token in enumerate(made.tokens):
        if made.touched(i) or token.kind != "name":
            continue
        closed = match_angle_close(made.tokens, made.next(i))
        if token.text == old["matrix"] and closed is not None:
            _matrix(job, i, closed, known)
        elif token.text == "using":
            _alias(job, i, old["vector"])


def _alias(job: Job, index: int, vector: str) -> None:
    made = job.editor
    end = next((k for k in range(index, len(made.tokens)) if made.word(k) == ";"), index)
    found = re.fullmatch(
        rf"using (\w+) = {vector}<([^,]+), (.*)>", " ".join(made.source((index, end)).split())
    )
    if found:
        name, element, count = found.groups()
        element = {"__half": "_Float16", "__nv_bfloat16": "__bf16"}.get(element, element)
        new = f"typedef {element} {name} __attribute__((ext_vector_type({count})))"
        made.drop(index, end)
        made.insert(index, new)
        made.log(index, found.group(), new, "vectors")


def _matrix(job: Job, index: int, closed: int, known: Mapping[str, str]) -> None:
    made = job.editor
    brackets = made.call(closed)
    name = known.get("".join(made.source((index, closed + 1)).split()))
    if brackets and name:
        made.log(index, made.word(index), name, "matrix")
        made.drop(index, closed + 1)
        made.insert(index, name)
        made.insert(brackets[1], ", 0, 0, 0")
