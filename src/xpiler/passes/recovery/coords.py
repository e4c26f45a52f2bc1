"""Coordinates: what the parallel axes and the elements of lane arrays are at a place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from xpiler.ir import expr as e
from xpiler.ir.rewrite import map_children
from xpiler.ir.types import U32, Array, Pointer, Type
from xpiler.passes.recovery import nodes as n
from xpiler.passes.recovery.shape import DIMS, Extents, constant


def binary(op: e.BinaryOp, a: e.Expr, b: e.Expr) -> e.Expr:
    """A u32 operation, folded where an operand is a neutral constant or both are constants."""
    x, y = constant(a), constant(b)
    if x is not None and y is not None and op in ("+", "-", "*", "/") and (op != "-" or x >= y):
        return e.Const({"+": x + y, "-": x - y, "*": x * y, "/": x // max(y, 1)}[op], U32)
    if op == "+" and x == 0:
        return b
    if op in ("+", "-") and y == 0:
        return a
    if op == "*" and 0 in (x, y):
        return e.Const(0, U32)
    if op == "*" and x == 1:
        return b
    if op in ("*", "/") and y == 1:
        return a
    if op == "%" and y == 1:
        return e.Const(0, U32)
    return e.Binary(op, a, b, U32)


Per = Literal["unit", "warp", "block"]


@dataclass(frozen=True)
class Storage:
    """A variable of every unit as an array; `per`: whether all lanes of a warp or all threads of
    a block share one."""

    level: n.LevelName
    array: e.Var
    elem: Type
    per: Per = "unit"


@dataclass(frozen=True)
class Coords:
    """Values of the axes here; missing ones may not be used. `linear`: number of the thread."""

    extents: Extents
    block: tuple[e.Expr | None, ...] = (None, None, None)
    thread: tuple[e.Expr | None, ...] = (None, None, None)
    linear: e.Expr | None = None
    lane: e.Expr | None = None
    warp: e.Expr | None = None
    group: bool = False
    """Here a warp acts as one: no lane's own values may be read."""
    arrays: Mapping[str, Storage] = field(default_factory=dict)

    def with_(self, **changes: object) -> Coords:
        return replace(self, **changes)  # type: ignore[arg-type]

    def axis(self, x: e.Axis) -> e.Expr:
        """The expression for a parallel coordinate or extent; raises KeyError if there is none."""
        ext = self.extents
        if x.level == "warp_size":
            return e.Const(ext.wave, U32)
        if x.level == "lane":
            return self.need(self.lane, x)
        dim = DIMS.index(x.dim)
        if x.level == "grid_dim":
            return ext.grid[dim]
        if x.level == "block_dim":
            return ext.block[dim]
        known = ext.grid_const(dim) if x.level == "block" else ext.block_const(dim)
        if known == 1:
            return e.Const(0, U32)
        return self.need(self.block[dim] if x.level == "block" else self.thread[dim], x)

    def need(self, value: e.Expr | None, x: e.Axis) -> e.Expr:
        if value is None:
            raise KeyError(f"{x.level}.{x.dim}")
        return value

    def thread_number(self) -> e.Expr:
        """The linear number of the thread in its block."""
        if self.linear is not None:
            return self.linear
        total: e.Expr = e.Const(0, U32)
        for dim in (2, 1, 0):
            total = binary("*", total, self.extents.block[dim])
            total = binary("+", total, self.axis(e.Axis("thread", DIMS[dim])))
        return total

    def block_number(self) -> e.Expr:
        """The linear number of the block in the grid."""
        total: e.Expr = e.Const(0, U32)
        for dim in (2, 1, 0):
            total = binary("*", total, self.extents.grid[dim])
            total = binary("+", total, self.axis(e.Axis("block", DIMS[dim])))
        return total

    def element(self, storage: Storage, unit: e.Expr | None = None) -> e.Expr:
        """The element of a lane array that belongs to the unit here (or to `unit`, by number)."""
        if storage.level == "grid":
            return index(storage.array, [self.grid_number(storage.per)])
        if storage.per == "warp":
            many = storage.array.type != storage.elem
            return index(storage.array, [self.need_warp()]) if many else storage.array
        if self.group and unit is None:
            raise KeyError(f"{storage.array.name} of one lane")
        if storage.level == "warp":
            return index(storage.array, [unit if unit is not None else self.need_lane()])
        dims = array_dims(self.extents)
        if dims is None:
            return index(storage.array, [unit if unit is not None else self.thread_number()])
        axes = [e.Axis("thread", DIMS[d]) for d in dims]
        return index(storage.array, [self.axis(a) for a in axes])

    def grid_number(self, per: Per) -> e.Expr:
        """The number in the grid of the thread, the warp or the block here."""
        if per == "block":
            return self.block_number()
        if self.group and per == "unit":
            raise KeyError("a thread's own value, for a group")
        size = warps_in_block(self.extents) if per == "warp" else block_threads(self.extents)
        own = self.need_warp() if per == "warp" else self.thread_number()
        return binary("+", binary("*", self.block_number(), size), own)

    def need_warp(self) -> e.Expr:
        if self.warp is None:
            raise KeyError("number of the warp")
        return self.warp

    def need_lane(self) -> e.Expr:
        return self.need(self.lane, e.Axis("lane", ""))


def known_extent(x: e.Expr, ext: Extents) -> e.Expr:
    """An axis that is the same for all threads, as the launch gives it."""
    if isinstance(x, e.Axis) and x.level in ("grid_dim", "block_dim", "warp_size"):
        return Coords(ext).axis(x)
    return x


def index(base: e.Expr, indices: list[e.Expr]) -> e.Expr:
    """`base[i][j]...`, typed by the array's type."""
    for i in indices:
        t = base.type
        assert hasattr(t, "elem")
        base = e.Index(base, i, t.elem)
    return base


def warps_in_block(ext: Extents) -> e.Expr:
    """Warps in a block, as a u32 expression."""
    up = binary("+", block_threads(ext), e.Const(ext.wave - 1, U32))
    return binary("/", up, e.Const(ext.wave, U32))


def instances(ext: Extents, per: Per) -> e.Expr:
    """How many threads, warps or blocks the grid has, as a u32 expression."""
    blocks = binary("*", binary("*", ext.grid[0], ext.grid[1]), ext.grid[2])
    if per == "block":
        return blocks
    return binary("*", blocks, warps_in_block(ext) if per == "warp" else block_threads(ext))


def block_threads(ext: Extents) -> e.Expr:
    """Threads in a block, as a u32 expression."""
    return binary("*", binary("*", ext.block[0], ext.block[1]), ext.block[2])


def array_dims(ext: Extents) -> list[int] | None:
    """The block's dimensions with several threads, outermost first, where all are constants."""
    if ext.threads is None:
        return None
    return [d for d in (2, 1, 0) if ext.block_const(d) != 1]


def storage_type(elem: Type, level: n.LevelName, ext: Extents, per: Per = "unit") -> Type:
    """The type of a lane array (or one element a warp or block) for values of type `elem`."""
    if level == "grid":
        return Pointer(elem)
    if per == "warp":
        warps = -(-ext.capacity() // ext.wave)
        return elem if ext.threads is not None and warps == 1 else Array(elem, warps)
    if level == "warp":
        return Array(elem, ext.wave)
    dims = array_dims(ext)
    if dims is None:
        return Array(elem, ext.capacity())
    for d in reversed(dims):
        elem = Array(elem, ext.block_const(d))
    return elem


def rewriter(coords: Coords) -> Callable[[e.Expr], e.Expr]:
    """Replaces axes, lane arrays and reads of other lanes in an expression, children first."""

    def one(x: e.Expr) -> e.Expr:
        if isinstance(x, e.Axis):
            return coords.axis(x)
        if isinstance(x, e.Var) and x.name in coords.arrays:
            return coords.element(coords.arrays[x.name])
        return x

    def go(x: e.Expr) -> e.Expr:
        if isinstance(x, n.LaneRead):
            storage = coords.arrays[x.var.name]
            return coords.element(storage, go(x.index))
        return one(map_children(x, lambda c: go(c) if isinstance(c, e.Expr) else c))

    return go
