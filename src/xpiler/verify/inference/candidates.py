"""Which sizes, blocks and grids are worth trying: taken from the text's own constants."""

from __future__ import annotations

from collections.abc import Iterable

from xpiler.ir import expr as e
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import walk
from xpiler.ir.types import Array, Scalar, Type

VECTOR = 16  # lanes
# One above a power of two where possible: a block too few then drops exactly the last element.
ODD_SIZES = {1: (1025,), 2: (65, 129), 3: (33, 49, 65), 4: (3, 17, 33, 21)}
# For a second case, the inner sizes large: loops over tiles turn often, and the last block is full.
RISING: dict[int, tuple[tuple[int, ...], ...]] = {
    1: ((2048,), (1024,), (512,), (256,), (128,)),
    2: ((48, 96),),
    3: ((32, 48, 64),),
    4: ((4, 16, 32, 48),),
}
MANY = (3, 5, 7, 9, 6, 4, 10, 11, 13, 8)
ROUND = (64, 32, 128, 16, 256, 8, 4, 2, 1, 512, 1024, 4096)
FLOATS = (0.15, 0.35, 0.2, 0.45, 0.3, 0.25)  # small: an iteration with them stays finite


def has_short_tail(size: int) -> bool:
    """Whether vectors leave one to three of `size` elements over."""
    return size > VECTOR and 0 < size % VECTOR < 4


def odd_sizes(count: int) -> tuple[int, ...]:
    """Distinct sizes that divide nothing: swapped or missing dimensions then show."""
    return ODD_SIZES.get(count, MANY * (count // len(MANY) + 1))[:count]


def literals(program: Program, low: int = 2, high: int = 1 << 24) -> list[int]:
    """The integer constants of the program, most frequent first."""
    counts: dict[int, int] = {}
    for f in program.functions:
        for n in walk(f.body):
            if isinstance(n, e.Const) and isinstance(n.value, int) and low <= n.value <= high:
                counts[n.value] = counts.get(n.value, 0) + 1
    return sorted(counts, key=lambda k: (-counts[k], k))


def axes_used(program: Program, kernel: Function, level: str) -> str:
    """The dimensions (of x, y, z) of `block` or `thread` that a kernel or its callees read."""
    used = {
        n.dim
        for f in reachable(program, kernel)
        for n in walk(f.body)
        if isinstance(n, e.Axis) and n.level in (level, f"{level}_dim")
    }
    lane = any(isinstance(n, e.Axis) and n.level == "lane" for n in walk(kernel.body))
    return "".join(d for d in "xyz" if d in used or (lane and d == "x" and level == "thread"))


def reachable(program: Program, root: Function) -> list[Function]:
    """`root` and the functions of the program that it calls, directly or not."""
    found, queue = [root], [root]
    while queue:
        names = {n.func for n in walk(queue.pop().body) if isinstance(n, e.Call)}
        for f in program.functions:
            if f.name in names and f not in found:
                found.append(f)
                queue.append(f)
    return found


def block_strides(kernel: Function) -> dict[str, list[int]]:
    """By dimension, constants that a block index is multiplied with: the author's block size."""
    found: dict[str, list[int]] = {}
    for n in walk(kernel.body):
        if isinstance(n, e.Binary) and n.op == "*":
            for this, other in ((bare(n.a), bare(n.b)), (bare(n.b), bare(n.a))):
                if not isinstance(this, e.Axis) or this.level != "block":
                    continue
                if isinstance(other, e.Const) and isinstance(other.value, int):
                    found.setdefault(this.dim, []).append(other.value)
    return {dim: list(dict.fromkeys(sizes)) for dim, sizes in found.items()}


def bare(x: e.Expr) -> e.Expr:
    """`x` without conversions around it."""
    return bare(x.x) if isinstance(x, e.Cast) else x


def shape(t: Type) -> list[int]:
    out = []
    while isinstance(t, Array):
        out.append(t.size or 0)
        t = t.elem
    return out


def is_integer(t: Type) -> bool:
    return isinstance(t, Scalar) and t.is_integer and t.name != "bool"


def distinct(items: Iterable[int]) -> list[int]:
    return list(dict.fromkeys(items))
