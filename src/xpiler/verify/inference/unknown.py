"""The run-time of walked functions: a value that is not known, and accesses that are counted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any


class Tired(Exception):
    """More turns of loops than there were to be."""


class _Unknown:
    """Arithmetic on what is not known gives the same; a decision on it is a TypeError."""

    def _same(self, *_: object) -> _Unknown:
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __floordiv__ = _same
    __rfloordiv__ = __mod__ = __rmod__ = __lshift__ = __rlshift__ = __rshift__ = __rrshift__ = _same
    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = __neg__ = __invert__ = _same
    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = _same  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        raise TypeError("a decision on what is not known")


UNKNOWN = D = _Unknown()


def _quotient(a: Any, b: Any) -> Any:
    """As C has it: towards zero."""
    if a is D or b is D:
        return D
    return a // b if (a >= 0) == (b > 0) else -(-a // b)


def _remainder(a: Any, b: Any) -> Any:
    return D if a is D or b is D else a - b * _quotient(a, b)


def _signed(x: Any, bits: int) -> Any:
    if x is D:
        return D
    x &= (1 << bits) - 1
    return x - (1 << bits) if x >> (bits - 1) else x


def _chosen(c: Any, a: Callable[[], Any], b: Callable[[], Any]) -> Any:
    if c is D:
        a()
        b()
        return D
    return a() if c else b()


def _both(a: Any, b: Callable[[], Any]) -> Any:
    if a is D:
        b()
        return D
    return b() if a else 0


def _either(a: Any, b: Callable[[], Any]) -> Any:
    if a is D:
        b()
        return D
    return 1 if a else b()


def _known(x: Any) -> None:
    if x is D:
        raise TypeError("a jump that depends on what is not known")


def _extreme(pick: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args: D if any(a is D for a in args) else pick(*args)


def address(region: int) -> int:
    """Where a region begins; those of others are far away."""
    return (region << 48) + (1 << 47)


Span = tuple[int, int]


class Seen:
    """The bytes read and written in each of some regions, and the turns of loops that are left.

    `memory`: numbers and addresses in the regions of `objects`, which are not to be written.
    """

    def __init__(self, regions: int, turns: int, objects: Collection[int] = ()) -> None:
        self.reads: list[Span | None] = [None] * regions
        self.writes: list[Span | None] = [None] * regions
        self.left = turns
        self.objects = objects
        self.memory: dict[int, Any] = {}

    def load(self, at: Any, size: Any) -> Any:
        _touch(self.reads, at, size)
        return self.memory.get(at, D)

    def read(self, at: Any, size: Any) -> Any:
        return _touch(self.reads, at, size)

    def write(self, at: Any, size: Any) -> Any:
        if self.objects and at >> 48 in self.objects:
            raise TypeError("a struct that the function is given changes")
        return _touch(self.writes, at, size)

    def turn(self, n: int = 1) -> None:
        self.left -= n
        if self.left < 0:
            raise Tired

    def turns(self, lo: int, hi: int, step: int) -> range:
        found = range(lo, hi, step)
        self.turn(len(found))
        return found

    def ends(self, lo: int, hi: int, step: int) -> Sequence[int]:
        found = range(lo, hi, step)
        self.turn(2)
        return found if len(found) < 3 else (found[0], found[-1])


def _touch(spans: list[Span | None], at: Any, size: Any) -> Any:
    region = at >> 48
    old = spans[region]
    if old is None:
        spans[region] = (at, at + size) if size > 0 else None
    elif at < old[0] or at + size > old[1]:
        spans[region] = (min(at, old[0]), max(at + size, old[1])) if size > 0 else old
    return D


def helpers(seen: Seen) -> dict[str, Any]:
    """What walked text calls by name."""
    return {
        "D": D, "M": seen.memory, "L": seen.load, "T": seen.read, "S": seen.write,
        "ONE": seen.turn, "TURNS": seen.turns, "ENDS": seen.ends, "E": lambda *_: D,
        "Q": _quotient, "R": _remainder, "W": _signed, "C": _chosen, "A": _both, "O": _either,
        "K": _known, "N": lambda x: D if x is D else not x,
        "Xmin": _extreme(min), "Xmax": _extreme(max), "Xabs": _extreme(abs),
    }  # fmt: skip
