"""Which functions of a platform take the same operands, as its own headers declare them."""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache

from xpiler.neural.instructions import instructions
from xpiler.platforms.registry import platform


@cache
def alike(name: str) -> Mapping[str, Sequence[str]]:
    """The functions of the platform called `name` (none: ""), each with those of its signature."""
    groups: dict[str, list[str]] = defaultdict(list)
    if not name:
        return {}
    for i in instructions(platform(name).words):
        groups[_shape(i.name, i.signature)].append(i.name)
    return {n: [m for m in group if m != n] for group in groups.values() for n in group}


def nearest(function: str, names: Sequence[str], most: int) -> list[str]:
    """The names that are most like the function's own, the most alike first."""

    def likeness(name: str) -> tuple[float, str]:
        return -difflib.SequenceMatcher(None, function, name).ratio(), name

    return sorted(names, key=likeness)[:most]


def _shape(name: str, signature: str) -> str:
    """A signature without names: result and types of the parameters."""
    result, _, rest = signature.partition(f"{name}(")
    types = [re.sub(r"(?<=[\w*&])\s*\b\w+$", "", p) if " " in p else p
             for p in rest.rstrip(")").split(", ")]  # fmt: skip
    return f"{result}({', '.join(types)})"
