"""The block that a kernel was written for, told by how its indices put blocks and threads together.

`blockIdx.y * 4 + threadIdx.x / 32` counts every row once where a block has 4 warps,
`for (i = threadIdx.x; i < n; i += 256)` where it has 256 threads.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeGuard

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import walk
from xpiler.ir.types import Array
from xpiler.verify.inference import candidates as c

MOST = 1024
Found = dict[str, list[int]]
"""Sizes by dimension, best first."""


def block_candidates(program: Program, kernel: Function) -> list[tuple[int, int, int]]:
    """Blocks that the kernel's own constants suggest, best first."""
    dims = c.axes_used(program, kernel, "thread")
    told = [_Reader(program, f).found() for f in c.reachable(program, kernel)]
    strides = c.block_strides(kernel)
    shared = [x for f in c.reachable(program, kernel) for x in _shared(f)]
    most = kernel.launch_bounds or MOST
    if len(dims) <= 1:
        lengths = [x[0] for x in shared if len(x) == 1 and x[0] <= MOST]
        sizes = [n for one in told for n in one.get("x", ())] + strides.get("x", [])
        sizes += [kernel.launch_bounds] if kernel.launch_bounds else []
        out = [(n, 1, 1) for n in (*sizes, *lengths, 256, 128, 64, 32, 512, MOST)]
    else:
        tiles = [(a, b) for one in told for a in one.get("x", ()) for b in one.get("y", ())]
        if not _reads_x(program, kernel):  # x tells lanes apart: a row of the block is a warp
            rows = [b for one in told for b in one.get("y", ())]
            tiles += [(program.wave, b) for b in (*rows, 4, 8, 2)]
        tiles += [(a, b) for a in strides.get("x", ()) for b in strides.get("y", ())]
        tiles += [(x[1], x[0]) for x in shared if len(x) == 2]
        tiles += [(n, n) for known in (*told, strides) for sizes in known.values() for n in sizes]
        tiles += [(n, n) for n in (16, 32, 8)] + [(32, 8), (64, 4), (8, 4)]
        z = strides.get("z", [4])[0] if "z" in dims else 1
        out = [(a, b, z) for a, b in tiles]
    return [x for x in dict.fromkeys(out) if min(x) > 0 and x[0] * x[1] * x[2] <= most]


def _reads_x(program: Program, kernel: Function) -> bool:
    """Whether the kernel asks for `threadIdx.x` itself, not only for its lane."""
    return any(
        isinstance(n, e.Axis) and (n.level, n.dim) == ("thread", "x")
        for f in c.reachable(program, kernel)
        for n in walk(f.body)
    )


def _shared(f: Function) -> Iterator[list[int]]:
    """The shapes of the shared arrays that `f` declares."""
    for d in walk(f.body):
        if isinstance(d, s.Decl) and d.space == "shared":
            yield c.shape(d.var.type)


@dataclass
class _Reader:
    """One function: what its sums, its loops and its shared arrays say of the block."""

    program: Program
    function: Function
    values: dict[str, e.Expr] = field(default_factory=dict)
    lengths: dict[str, list[int]] = field(default_factory=dict)
    steps: dict[str, e.Expr] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for n in walk(self.function.body):
            if isinstance(n, s.Decl) and n.init is not None:
                self.values.setdefault(n.var.name, n.init)
            if isinstance(n, s.Decl) and n.space == "shared" and isinstance(n.var.type, Array):
                self.lengths[n.var.name] = c.shape(n.var.type)
            if isinstance(n, s.For):
                self.steps[n.var.name] = n.step

    def found(self) -> Found:
        out: Found = {}
        for ask in (self._tiles, self._sums, self._loops, self._arrays):
            for dim, size in ask():
                if 1 < size <= MOST and size not in out.setdefault(dim, []):
                    out[dim].append(size)
        return out

    def _tiles(self) -> Iterator[tuple[str, int]]:
        """`block * k + f(thread) + j`, where j steps through the tile by the values of f."""
        for n in walk(self.function.body):
            if isinstance(n, e.Binary) and n.op == "+":
                terms = list(self._terms(n))
                inner = [self._number(self.steps[t.name]) for t in terms if self._turns(t)]
                for block in filter(None, map(self._block_step, terms)):
                    for step in inner:
                        if step and 1 < step < block and block % step == 0:
                            for t in terms:
                                yield from self._solved(t, step)

    def _turns(self, x: e.Expr) -> TypeGuard[e.Var]:
        return isinstance(x, e.Var) and x.name in self.steps

    def _sums(self) -> Iterator[tuple[str, int]]:
        """`block * k + f(thread)`, where f is to take k values."""
        for n in walk(self.function.body):
            if isinstance(n, e.Binary) and n.op == "+":
                terms = list(self._terms(n))
                for step in filter(None, map(self._block_step, terms)):
                    for t in terms:
                        yield from self._solved(t, step)

    def _loops(self) -> Iterator[tuple[str, int]]:
        """Loops that begin at f(thread) and step by k."""
        for n in walk(self.function.body):
            if isinstance(n, s.For) and (step := self._number(n.step)) is not None:
                yield from self._solved(n.lo, step)
            elif isinstance(n, s.While):
                for a in (*n.body, *n.step):
                    if isinstance(a, s.Assign) and a.op == "+" and isinstance(a.target, e.Var):
                        step, start = self._number(a.value), self.values.get(a.target.name)
                        if step is not None and start is not None:
                            yield from self._solved(start, step)

    def _arrays(self) -> Iterator[tuple[str, int]]:
        """Shared arrays with an element for each f(thread)."""
        for n in walk(self.function.body):
            if isinstance(n, e.Index) and isinstance(n.base, e.Var):
                lengths = self.lengths.get(n.base.name, ())
                if len(lengths) == 1:
                    yield from self._solved(n.index, lengths[0])

    def _terms(self, x: e.Expr, depth: int = 0) -> Iterator[e.Expr]:
        """The terms of a sum, through variables and conversions."""
        x = self._bare(x, depth)
        if isinstance(x, e.Binary) and x.op == "+":
            yield from self._terms(x.a, depth + 1)
            yield from self._terms(x.b, depth + 1)
        else:
            yield x

    def _bare(self, x: e.Expr, depth: int = 0) -> e.Expr:
        x = c.bare(x)
        while isinstance(x, e.Var) and x.name in self.values and depth < 20:
            x, depth = c.bare(self.values[x.name]), depth + 1
        return x

    def _number(self, x: e.Expr) -> int | None:
        x = self._bare(x)
        if isinstance(x, e.Const) and isinstance(x.value, int):
            return int(x.value)
        if isinstance(x, e.Axis) and x.level == "warp_size":
            return self.program.wave
        if isinstance(x, e.Binary) and x.op in ("+", "-", "*", "/"):
            a, b = self._number(x.a), self._number(x.b)
            if a is not None and b:
                return {"+": a + b, "-": a - b, "*": a * b, "/": a // b}[x.op]
        return None

    def _scaled(self, x: e.Expr) -> tuple[e.Expr, int, int]:
        """`x` as (y, times, by): y * times / by."""
        if isinstance(x, e.Binary) and x.op in ("*", "/", "<<", ">>"):
            k = self._number(x.b)
            if k is not None and k > 0:
                k = 1 << k if x.op in ("<<", ">>") and k < 31 else k
                return (x.a, k, 1) if x.op in ("*", "<<") else (x.a, 1, k)
            k = self._number(x.a) if x.op == "*" else None
            if k is not None and k > 0:
                return x.b, k, 1
        return x, 1, 1

    def _block_step(self, x: e.Expr) -> int | None:
        y, times, by = self._scaled(x)
        y = self._bare(y)
        is_block = isinstance(y, e.Axis) and y.level == "block"
        return times if is_block and by == 1 and times > 1 else None

    def _solved(self, x: e.Expr, k: int, depth: int = 0) -> Iterator[tuple[str, int]]:
        """Sizes of the block with which `x` takes k values."""
        x = self._bare(x)
        if isinstance(x, e.Axis):
            if x.level == "thread":
                yield x.dim, k
        elif isinstance(x, e.Binary) and x.op == "+" and depth < 20:
            terms = list(self._terms(x))
            for t in terms:
                scale = self._scaled(t)[1]
                for other in terms if scale > 1 else ():  # thread.y * 32 + thread.x
                    if isinstance(other, e.Axis) and other.level == "thread":
                        yield other.dim, scale
                if not isinstance(t, e.Axis) or len(terms) == 1 or k == self._least(terms, k):
                    yield from self._solved(t, k, depth + 1)
        else:
            y, times, by = self._scaled(x)
            if (times, by) != (1, 1) and k % times == 0:
                yield from self._solved(y, k // times * by, depth + 1)

    def _least(self, terms: list[e.Expr], k: int) -> int:
        """The smallest number that a term is scaled by, else k: an unscaled term stays below it."""
        return min((n for t in terms if (n := self._scaled(t)[1]) > 1), default=k)
