"""The arrays that a kernel keeps in a core's own memory: named, reused, counted."""

from __future__ import annotations

from dataclasses import dataclass, field

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import fresh_name
from xpiler.ir.types import Array, Type
from xpiler.passes.lowering.tasks.build import NotVector, size_of

ALIGN = 128
"""Bytes; what an array takes is rounded up to this."""


class TooLarge(NotVector):
    """The arrays of a kernel do not fit."""


@dataclass
class Arena:
    """Arrays by name; `tile` is the number of elements that one piece of a long loop has.

    Arrays that are no longer needed are handed out again to whoever asks for the same kind.
    """

    taken: set[str]
    budget: int
    tile: int
    arrays: dict[str, e.Var] = field(default_factory=dict)
    idle: dict[tuple[Type, int], list[e.Var]] = field(default_factory=dict)
    used: int = 0
    cap: int = 1 << 60
    weights: frozenset[str] = frozenset()  # those that lie in WRAM instead
    powers: dict[str, int] = field(default_factory=dict)
    """Variables that are powers of two here, and the largest that they can be."""
    counts: dict[str, tuple[e.Expr, int]] = field(default_factory=dict)
    """Loops that have few iterations, by variable: how many, and the most there can be."""

    def array(self, stem: str, elem: Type, count: int, space: str = "nram") -> e.Var:
        """An array of `count` elements; raises TooLarge."""
        if space == "wram":
            var = e.Var(fresh_name(stem, self.taken), Array(elem, count))
            self.weights |= {var.name}
            self.arrays[var.name] = var
            return var
        waiting = self.idle.get((elem, count), [])
        own = [v for v in waiting if v.name.split(".")[0] == stem]
        if own or (waiting and stem == "t"):
            var = own[0] if own else waiting[0]
            waiting.remove(var)
            return var
        self.claim(size_of(elem) * count)
        var = e.Var(fresh_name(stem, self.taken), Array(elem, count))
        self.arrays[var.name] = var
        return var

    def claim(self, size: int) -> None:
        """Count `size` bytes more; raises TooLarge."""
        self.used += -(-size // ALIGN) * ALIGN
        if self.used > min(self.budget, self.cap):
            raise TooLarge(f"{self.used} bytes of NRAM are wanted, {self.budget} are there")

    def release(self, var: e.Var) -> None:
        assert isinstance(var.type, Array)
        assert var.type.size is not None
        if var.name in self.weights:
            return
        waiting = self.idle.setdefault((var.type.elem, var.type.size), [])
        if var not in waiting:
            waiting.append(var)

    def declarations(self) -> s.Body:
        return tuple(
            s.Decl(v, space="wram" if v.name in self.weights else "nram")
            for v in self.arrays.values()
        )

    def mark(self) -> tuple[dict[str, e.Var], dict[tuple[Type, int], list[e.Var]], int, set[str]]:
        """What to hand to `back` to undo everything since."""
        idle = {k: list(v) for k, v in self.idle.items()}
        return dict(self.arrays), idle, self.used, set(self.taken)

    def back(
        self, to: tuple[dict[str, e.Var], dict[tuple[Type, int], list[e.Var]], int, set[str]]
    ) -> None:
        self.arrays, idle, self.used = dict(to[0]), to[1], to[2]
        self.idle = {k: list(v) for k, v in idle.items()}
        self.taken.clear()
        self.taken.update(to[3])
