"""Sizes among a text's own constants under which what the host allocates is what a kernel touches.

A kernel made for one shape has its sizes in its text; a host function around it takes them as
parameters. Each allocation is a product of a few: they are tried one allocation after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function
from xpiler.ir.rewrite import walk

MOST_TRIED = 60_000  # combinations of constants, of all allocations together
MOST_FOUND = 64
SLACK = 2.0  # by how much an allocation may exceed what is touched where none fits exactly
_OPS = {"+": "+", "-": "-", "*": "*", "/": "//", "%": "%"}
Sizes = dict[str, int]


@dataclass(frozen=True)
class Room:
    """The bytes that the host allocates, by the sizes that they depend on, and that are touched."""

    names: tuple[str, ...]
    bytes: Callable[..., int]
    touched: int


def candidates(
    entry: Function,
    sizes: Sequence[str],
    known: Mapping[str, int | float],
    touched: Mapping[int, int],
    literals: Sequence[int],
) -> Iterator[Sizes]:
    """Values of `sizes`: those that fit exactly first, then such that leave something over.

    `touched` are the bytes by the number of the allocation; `known` the other scalars.
    """
    rooms = _rooms(entry, sizes, known, touched)
    if not rooms:
        return
    rooms.sort(key=lambda r: len(r.names))
    values = [*literals, 1]
    for slack in (1.0, SLACK):
        found = [x for x in _filled(rooms, values, slack) if x]
        if found:
            yield from found[:MOST_FOUND]
            return


def _filled(rooms: Sequence[Room], values: Sequence[int], slack: float) -> list[Sizes]:
    found: list[Sizes] = [{}]
    left = MOST_TRIED
    waiting = list(rooms)
    while waiting and found:
        room = min(waiting, key=lambda r: len(set(r.names) - found[0].keys()))
        waiting.remove(room)
        free = [n for n in room.names if n not in found[0]]
        wider = []
        for begun in found:
            for chosen in product(values, repeat=len(free)):
                left -= 1
                if left < 0:
                    break
                sizes = {**begun, **dict(zip(free, chosen, strict=True))}
                if room.touched <= _bytes(room, sizes) <= slack * room.touched:
                    wider.append(sizes)
        found = wider
    # Few that are 1, which says little: a product by 1 fits anywhere.
    return sorted(found, key=lambda x: sum(n == 1 for n in x.values()))


def _bytes(room: Room, sizes: Sizes) -> int:
    try:
        return room.bytes(*(sizes[n] for n in room.names))
    except ZeroDivisionError:
        return -1


def _rooms(
    entry: Function,
    sizes: Sequence[str],
    known: Mapping[str, int | float],
    touched: Mapping[int, int],
) -> list[Room]:
    """The allocations of a straight host function that depend on some of `sizes`."""
    text = {n: str(int(x)) for n, x in known.items() if n not in sizes}
    text |= {n: f"s{k}" for k, n in enumerate(sizes)}
    used: dict[str, frozenset[str]] = {n: frozenset({n}) for n in sizes}
    found: list[Room] = []
    number = 0
    for n in walk(entry.body):
        if isinstance(n, s.Decl) and n.init is not None and (code := _code(n.init, text)):
            text[n.var.name] = code
            used[n.var.name] = _names(n.init, used)
        elif isinstance(n, s.Instr) and n.name == "host.alloc":
            code = _code(n.ins[0], text)
            names = tuple(x for x in sizes if x in _names(n.ins[0], used))
            if code and names and number in touched:
                args = ", ".join(f"s{sizes.index(x)}" for x in names)
                found.append(Room(names, eval(f"lambda {args}: {code}"), touched[number]))
            number += 1
    return found


def _names(x: e.Expr, used: Mapping[str, frozenset[str]]) -> frozenset[str]:
    inside = (used.get(n.name, frozenset()) for n in walk(x) if isinstance(n, e.Var))
    return frozenset().union(*inside)


def _code(x: e.Expr, text: Mapping[str, str]) -> str:
    """`x` as Python over unbounded integers; "" where it is none (all is positive here)."""
    if isinstance(x, e.Const):
        return str(int(x.value)) if isinstance(x.value, int) else ""
    if isinstance(x, e.Var):
        return text.get(x.name, "")
    if isinstance(x, e.Cast):
        return _code(x.x, text)
    if isinstance(x, e.Binary) and x.op in _OPS:
        a, b = _code(x.a, text), _code(x.b, text)
        return f"({a} {_OPS[x.op]} {b})" if a and b else ""
    return ""
