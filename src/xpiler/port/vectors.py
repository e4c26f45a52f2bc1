"""Vector types of clang (`ext_vector_type`), which the other compiler does not know."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xpiler.platforms._simt.hip_text import rewrite_vector_types

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
