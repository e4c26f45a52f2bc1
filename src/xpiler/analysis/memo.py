"""Results remembered by the identity of an immutable node: hashing a tree costs as a walk does."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

R = TypeVar("R")
MOST = 20_000


def by_identity(f: Callable[[Any], R]) -> Callable[[Any], R]:
    """`f` of one immutable argument, computed once for each object (bounded)."""
    seen: dict[int, tuple[Any, R]] = {}

    @wraps(f)
    def once(node: Any) -> R:
        hit = seen.get(id(node))
        if hit is not None and hit[0] is node:
            return hit[1]
        if len(seen) > MOST:
            seen.clear()
        result = f(node)
        seen[id(node)] = (node, result)
        return result

    return once
