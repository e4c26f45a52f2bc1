"""One probe: interpret the entry for given sizes and judge the result."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from xpiler.analysis.effects import root, stored
from xpiler.analysis.memo import by_identity
from xpiler.ir import expr as e
from xpiler.ir.expr import Var
from xpiler.ir.program import Function, Global, Program
from xpiler.ir.rewrite import walk
from xpiler.ir.types import Array, Opaque, Pointer, Scalar, Type
from xpiler.verify.inference.entries import handed, leaves
from xpiler.verify.inference.machine import (
    STEP_BUDGET,
    LaunchRecord,
    Machine,
    OutOfBudget,
    Refused,
)
from xpiler.verify.inference.records import made
from xpiler.verify.inference.values import (
    TOP,
    Interval,
    Region,
    Value,
    place,
    point,
    size_of,
    start_of,
)

ON_CHIP = ("nram", "wram", "shared")
Shape = tuple[tuple[int, int, int], tuple[int, int, int]]  # grid, block


@dataclass(frozen=True, slots=True)
class Footprint:
    """What one probe saw; `cost` estimates the statements that threads execute.

    `idle` are loops that threads share out, but in which no block has work for all its threads, and
    (as ~ of its number) each in which no thread has a second turn. `spilled`: the worst share of a
    row by which a store runs into the next row. `plain`: declarations of what was
    always 1, ends that never left vectors a short tail. `shifts`: what integers are shifted by,
    by the place in the program and their bits.
    """

    regions: Mapping[str, Region]
    launches: tuple[LaunchRecord, ...]
    failed: bool = False
    cost: float = 0.0
    steps: int = 0
    idle: frozenset[int] = frozenset()
    spilled: float = 0.0
    plain: frozenset[tuple[int, str]] = frozenset()
    shifts: Mapping[tuple[int, int], Interval] = field(default_factory=dict)

    def faults(self) -> tuple[object, ...]:
        """What is wrong, whatever the sizes: the regions left, and whether it runs at all."""
        past = [
            n
            for n, r in self.regions.items()
            if r.touched is not None
            and (r.touched.lo < 0 or (r.size is not None and r.touched.hi > r.size))
        ]
        return (*past, self.failed, self.empty(), self.legal())

    def violations(self) -> float:
        """How far accesses lie outside known sizes, in units of each buffer's size."""
        total = 1e6 if self.failed else self.spilled
        for r in self.regions.values():
            span = r.touched
            if span is None:
                continue
            if span.lo < 0:
                total += 1
            if r.size is not None and span.hi > r.size:
                total += (
                    1
                    if math.isinf(span.hi)
                    else min(10.0, (span.hi - r.size) / max(1, r.size)) + 0.1
                )
        return total

    def uncovered(self, written: bool = False) -> float:
        """The share of allocated or shared memory that no kernel touches (of what is `written`).

        Padding of shared arrays (a column more than the tile) is no gap.
        """
        total = 0.0
        for r in self.regions.values():
            if written and not r.made:
                continue
            if r.size and not r.room and r.device is not None and r.device.hi < r.size:
                gap = (r.size - r.device.hi) / r.size
                total += gap if r.name.startswith("alloc ") or gap > 0.15 else 0.0
        return total

    def empty(self) -> bool:
        return not self.launches or any(0 in r.grid or 0 in r.block for r in self.launches)

    def writes(self) -> bool:
        """Whether anything is written at all."""
        return any(r.written is not None for r in self.regions.values())

    def legal(self) -> bool:
        """Whether the device takes these launches (threads a block, grid y and z)."""
        return all(
            math.prod(r.block) <= 1024 and r.grid[1] <= 65535 and r.grid[2] <= 65535
            for r in self.launches
        )


def declared_counts(
    program: Program, entry: Function, scalars: Mapping[str, int | float]
) -> dict[str, int]:
    """Elements of the parameters that are declared as arrays, where `scalars` decide them."""
    m = Machine(program)
    m.env |= {name: point(value) for name, value in scalars.items()}
    found = {name: m.number(extent) for name, extent in entry.extents}
    return {name: int(n.lo) for name, n in found.items() if n.single and n.lo > 0}


def probe(
    program: Program,
    entry: Function,
    scalars: Mapping[str, int | float],
    data: Mapping[str, Interval],
    shape: Shape | None = None,
    shared_bytes: int = 0,
    budget: int = STEP_BUDGET,
    exact: bool = False,
) -> Footprint:
    """Interpret `entry`; a kernel needs the launch `shape`. Never raises.

    `budget` bounds the statements that are interpreted; where it does not do, the probe failed.
    `exact` interprets loops turn by turn.

    A program without kernels does by itself what elsewhere one thread of a kernel would do.
    """
    if shape is None and not program.kernels():
        shape = ((1, 1, 1), (1, 1, 1))
    m = Machine(program, data, budget=budget, exact=exact)
    try:
        started(m, entry, scalars, shape, shared_bytes)
    except Refused:
        return Footprint(m.regions, (), False, m.cost, m.steps)
    except (OutOfBudget, RecursionError, OverflowError, ArithmeticError, KeyError):
        return Footprint(m.regions, tuple(m.launches), True, m.cost, m.steps)
    once = {~loop for loop in m.shared_out - m.again}
    idle = frozenset(m.shared_out - m.filled | once)
    plain = frozenset(key for key, always in m.plain.items() if always)
    seen = (idle, m.spilled, plain, m.shifts)
    return Footprint(m.regions, tuple(m.launches), False, m.cost, m.steps, *seen)


@by_identity
def _written(program: Program) -> frozenset[str]:
    """Roots of all that is stored anywhere, or whose address is taken."""
    found: set[str] = set()
    for f in program.functions:
        found |= stored(f.body)
        found |= {root(n.x) for n in walk(f.body) if isinstance(n, e.AddressOf)}
    return frozenset(found)


def _constants(program: Program, g: Global) -> Interval | None:
    """The hull of what a table of integers at file scope holds, if nothing writes to it."""
    if not isinstance(g.init, e.Aggregate) or g.var.name in _written(program):
        return None
    parts = [n for n in walk(g.init) if not isinstance(n, e.Aggregate)]
    values = [n.value for n in parts if isinstance(n, e.Const) and isinstance(n.value, int)]
    if not values or len(values) < len(parts):
        return None
    rest = [0] if len(values) < _elements(g.var.type) else []
    return Interval(min(values + rest), max(values + rest))


def _elements(t: Type) -> int:
    return (t.size or 0) * _elements(t.elem) if isinstance(t, Array) else 1


def started(
    m: Machine,
    entry: Function,
    scalars: Mapping[str, int | float],
    shape: Shape | None = None,
    shared_bytes: int = 0,
) -> None:
    """Run `entry` of the machine's program; a kernel by a launch of this shape."""
    program = m.program
    for g in program.globals:
        on_chip = g.space in ON_CHIP
        region = m.region(g.var.name, size_of(g.var.type, program) or None if on_chip else None)
        region.room = on_chip
        if (held := _constants(program, g)) is not None:
            region.content = held
    args = [
        _given(m, p, scalars) if p == own else _behind(m, own, scalars)
        for p, own in zip(entry.params, handed(program, entry), strict=True)
    ]
    for name, count in declared_counts(program, entry, scalars).items():
        elem = next(p.type.elem for p in entry.params if p.name == name)  # type: ignore[attr-defined]
        m.region(name).size = count * size_of(elem, program)
    if shape is None:
        m.call(entry, args)
        return
    grid, block = shape
    m.launch(entry, [point(x) for x in grid], [point(x) for x in block], args, shared_bytes)


def _behind(m: Machine, p: Var, scalars: Mapping[str, int | float]) -> Value:
    """The address of a struct, which has a region with its fields by offset."""
    m.region(p.name, size_of(p.type, m.program))
    m.objects[p.name] = {
        place(x, m.program): _given(m, Var(name, x.type), scalars)
        for name, x in leaves(m.program, p, p.name)
    }
    return start_of(p.name)


def _given(m: Machine, p: Var, scalars: Mapping[str, int | float]) -> Value:
    """A parameter: numbers as given, pointers each to a buffer; structs passed by value of them."""

    def leaf(name: str, t: Type) -> Value:
        if isinstance(t, Pointer):
            m.region(name)
            return start_of(name)
        if isinstance(t, Opaque):
            return point(0)
        return point(scalars[name]) if isinstance(t, Scalar) and name in scalars else TOP

    return made(m.program, p.type, p.name, leaf)
