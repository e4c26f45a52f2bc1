"""Work estimated: the operations that a program makes for given sizes, by an interpretation of it.

What instructions of the target do is counted where they run, by its emulator; this is for what the
emulator cannot see, the source's operations and the scalar ones between the instructions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from xpiler.analysis.effects import assigned
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.intrinsics import math_functions
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import children, walk
from xpiler.ir.types import Array, Pointer, Scalar, Struct, Type, Vector
from xpiler.verify.inference.footprint import Shape, started
from xpiler.verify.inference.machine import Machine, OutOfBudget
from xpiler.verify.inference.plan import Case
from xpiler.verify.inference.values import Interval, Value, point

BUDGET = 3_000  # statements that one interpretation takes
TURNS = (16, 4, 2, 1)  # turns of a loop that are looked at; fewer where the budget does not do
EVEN = 0.5  # how often a condition holds of which nothing is known
FUNCTIONS = {
    "fma": 2, "exp": 2, "log": 2, "log10": 2, "exp10": 2, "expm1": 4, "log1p": 4, "tan": 3,
    "tanh": 6, "sinh": 6, "cosh": 6, "pow": 4, "erf": 24, "erfc": 24,
}  # fmt: skip
"""Operations that a function takes where it is more than one: by way of exp2, a polynomial."""


@dataclass(frozen=True, slots=True)
class Operations:
    """Operations on floating-point numbers, and on whole numbers that were read from memory."""

    floats: float = 0.0
    whole: float = 0.0

    def __add__(self, other: Operations) -> Operations:
        return Operations(self.floats + other.floats, self.whole + other.whole)

    def times(self, n: float) -> Operations:
        return Operations(self.floats * n, self.whole * n)


NONE = Operations()


class Point(Protocol):
    """How an entry of the target's program is called (lowering's `EntryPoint`)."""

    @property
    def kind(self) -> Literal["function", "kernel"]: ...
    @property
    def grid(self) -> tuple[int, int, int]: ...
    @property
    def block(self) -> tuple[int, int, int]: ...


@dataclass(frozen=True)
class Work:
    """Counts for the calls of one translation: `source` in sequential form, `target` as written.

    `extras` and `points` say how entries are called (as `check_translation` has them).
    """

    source: Program
    target: Program
    extras: Mapping[str, Sequence[str]]
    points: Mapping[str, Point]

    def of(self, name: str, case: Case) -> dict[str, int]:
        """What one call takes; without what cannot be told."""
        shape = {f"grid_{d}": n for d, n in zip("xyz", case.grid, strict=True)}
        shape |= {f"block_{d}": n for d, n in zip("xyz", case.block, strict=True)}
        scalars = {**shape, "shared_bytes": case.shared_bytes, **case.scalars}
        data = {b.name: Interval(*b.bounds) for b in case.buffers if b.bounds is not None}
        known = (
            {f.name: f for f in self.source.functions},
            {f.name: f for f in self.target.functions},
        )
        if name not in known[0] or name not in known[1]:
            return {}
        point = self.points.get(name)
        at = (point.grid, point.block) if point is not None and point.kind == "kernel" else None
        before = operations(self.source, known[0][name], scalars, data)
        behind = operations(self.target, known[1][name], scalars, data, at, inner=True)
        if before is None or behind is None:
            return {}
        return {
            "source_floats": round(before.floats),
            "source_whole": round(before.whole),
            "scalar_floats": round(behind.floats),
            "steady_accesses": steady_accesses(self.target),
        }


def operations(
    program: Program,
    entry: Function,
    scalars: Mapping[str, int | float],
    data: Mapping[str, Interval],
    shape: Shape | None = None,
    inner: bool = False,
) -> Operations | None:
    """The operations of one call; None where that cannot be told.

    Calls of functions that the program does not define count only where they are mathematics.
    `inner`: only those of kernels, by all tasks of a launch together.
    """
    loaded = loaded_names(program)
    for turns in TURNS:
        m = Counting(program, data, budget=BUDGET, inner=inner, turns=turns, loaded=loaded)
        try:
            started(m, entry, scalars, shape)
        except OutOfBudget:
            continue
        except (RecursionError, OverflowError, ArithmeticError, KeyError):
            return None
        return m.done
    return None


@dataclass
class Counting(Machine):
    """Counts operations as statements run; where a branch is not decided both arms have a share.

    Of a longer loop `turns` are run, which stand for the others.
    """

    inner: bool = False
    turns: int = 1
    active: bool = False
    loaded: frozenset[str] = frozenset()
    done: Operations = NONE
    shares: dict[int, float] = field(default_factory=dict)
    known: dict[int, Operations] = field(default_factory=dict)

    def run(self, body: s.Body) -> bool:
        scale = self.scale
        self.scale *= self.shares.get(id(body), 1.0)
        try:
            for st in body:
                self._count(st)
                if not (self._loop(st) if isinstance(st, s.For) else super().run((st,))):
                    return False
            return True
        finally:
            self.scale = scale

    def _count(self, st: s.Stmt) -> None:
        if self.active or not self.inner:
            self.done += self._own(st).times(self.scale)
        if isinstance(st, s.If):
            p = self.chance(st.cond)
            self.shares |= {id(st.then): p, id(st.orelse): 1 - p}

    def _loop(self, st: s.For) -> bool:
        """Some turns of a loop, evenly spread."""
        lo, hi, step = (self.number(x) for x in (st.lo, st.hi, st.step))
        if not (lo.single and hi.single and step.single) or step.lo <= 0:
            return super().run((st,))
        trips = int(max(0, -(-(hi.lo - lo.lo) // step.lo)))
        turns = min(trips, self.turns)
        if turns < trips:
            for name in assigned(st.body):
                self.forget(name)
                self.env.pop(name, None)
        scale = self.scale
        self.scale *= trips / max(1, turns)
        for k in range(turns):
            at = (2 * k + 1) * trips // (2 * turns)
            self.store(st.var, point(lo.lo + at * step.lo))
            if not self.run(st.body) and self.jump != "continue":
                self.scale = scale
                return self.jump == "break"
        self.scale = scale
        return True

    def _own(self, st: s.Stmt) -> Operations:
        found = self.known.get(id(st))
        if found is None:
            roots = [n for n in children(st) if isinstance(n, e.Expr)]
            found = NONE
            for x in roots:
                found += in_expression(x, self.loaded)
            if isinstance(st, s.Assign) and st.op:
                found += one(st.target.type, True)
            self.known[id(st)] = found
        return found

    def chance(self, cond: e.Expr) -> float:
        """How likely a condition holds, its sides being anything between their bounds."""
        truth = self.number(cond)
        if truth.single:
            return float(bool(truth.lo))
        if isinstance(cond, e.Unary) and cond.op == "!":
            return 1 - self.chance(cond.x)
        if not isinstance(cond, e.Binary):
            return EVEN
        if cond.op == "&&":
            return self.chance(cond.a) * self.chance(cond.b)
        if cond.op == "||":
            return 1 - (1 - self.chance(cond.a)) * (1 - self.chance(cond.b))
        a, b = self.number(cond.a), self.number(cond.b)
        return _share(cond.op, a, b) if a.bounded and b.bounded else EVEN

    def launch(
        self,
        kernel: Function,
        grid: list[Value],
        block: list[Value],
        args: list[Value],
        shared: int,
    ) -> None:
        if not self.inner:
            super().launch(kernel, grid, block, args, shared)
            return
        counts = [int(n.hi) for n in grid if isinstance(n, Interval) and n.bounded]
        tasks = math.prod(counts)
        outer, self.active = self.axes, True
        for k in range(tasks):
            self.axes = {"task": point(k), "task_dim": point(tasks)}
            self.call(kernel, args)
        self.axes, self.active = outer, False

    def share_out(self, loop: s.Stmt, start: Interval, end: Interval) -> None:
        """Which threads have work is of no interest here."""

    def _call(self, x: e.Call) -> Value:
        return super()._call(x) if x.args or x.func not in _WORDS else point(_WORDS[x.func])


_WORDS = {"__is_mpu": 0, "clusterDim": 0}


def _share(op: str, a: Interval, b: Interval) -> float:
    """How often a < b and the like, where a - b is anything between its bounds."""
    lo, hi = a.lo - b.hi, a.hi - b.lo
    width = hi - lo + 1
    below, equal = min(1.0, max(0.0, -lo / width)), (1 / width if lo <= 0 <= hi else 0.0)
    table = {"<": below, "<=": below + equal, "==": equal, "!=": 1 - equal}
    table |= {">=": 1 - below, ">": 1 - below - equal}
    return min(1.0, max(0.0, table.get(op, EVEN)))


# -- expressions ----------------------------------------------------------------------------------


def in_expression(x: e.Expr, loaded: frozenset[str]) -> Operations:
    """The operations of one evaluation; of a choice, those of the longer side.

    Choosing itself computes no number: it counts with the whole numbers.
    """
    parts = [in_expression(c, loaded) for c in children(x) if isinstance(c, e.Expr)]
    if isinstance(x, e.Select):
        first, *arms = parts
        longer = max(arms, key=lambda o: o.floats + o.whole)
        return first + longer + Operations(0.0, x.type.lanes if isinstance(x.type, Vector) else 1)
    total = sum(parts, NONE)
    if isinstance(x, e.Binary):
        kind = x.a.type if not isinstance(x.a.type, (Pointer, Array)) else x.b.type
        return total + one(kind, _data(x, loaded))
    if isinstance(x, e.Unary) and x.op == "-":
        return total + one(x.type, _data(x, loaded))
    if isinstance(x, e.Cast) and x.type != x.x.type:
        kind = x.type if _is_float(x.type) else x.x.type
        return total + one(kind, _data(x, loaded))
    if isinstance(x, e.Call) and x.func in math_functions():
        return total + one(x.type, _data(x, loaded)).times(FUNCTIONS.get(x.func, 1))
    return total


def one(t: Type, data: bool) -> Operations:
    """An operation on values of type `t`; whole numbers count where they come from memory."""
    lanes = t.lanes if isinstance(t, Vector) else 1
    if _is_float(t):
        return Operations(lanes, 0.0)
    return Operations(0.0, lanes if data and not isinstance(t, Pointer) else 0.0)


def _is_float(t: Type) -> bool:
    t = t.elem if isinstance(t, Vector) else t
    return isinstance(t, Scalar) and t.is_float


def _data(x: e.Expr, loaded: frozenset[str]) -> bool:
    """Whether the value depends on what memory holds."""
    return any(
        (isinstance(n, e.Var) and n.name in loaded)
        or (isinstance(n, e.Index) and not isinstance(n.type, Array))
        or (isinstance(n, e.Field) and isinstance(n.base.type, Struct))
        for n in walk(x)
    )


def loaded_names(program: Program) -> frozenset[str]:
    """Local numbers that depend on what memory holds."""
    pairs = []
    for f in program.functions:
        for n in walk(f.body):
            if isinstance(n, s.Decl) and n.init is not None:
                pairs.append((n.var.name, n.init))
            elif isinstance(n, s.Assign) and isinstance(n.target, e.Var):
                pairs.append((n.target.name, n.value))
    found: frozenset[str] = frozenset()
    while True:
        more = found | {name for name, x in pairs if _data(x, found)}
        if more == found:
            return found
        found = more


# -- scalar accesses to the device's memory -------------------------------------------------------


def steady_accesses(program: Program) -> int:
    """Places in kernels where scalar code reads or writes the device's memory although neither the
    address nor whether it does depends on data."""
    loaded = loaded_names(program)
    found = 0
    for f in program.functions:
        if f.role == "kernel":
            far = {p.name for p in f.params if isinstance(p.type, Pointer)}
            far |= {g.var.name for g in program.globals if g.space.startswith("global")}
            found += _Accesses(_pointing(f.body, far), loaded).body(f.body)
    return found


def _pointing(body: s.Body, far: set[str]) -> frozenset[str]:
    """`far` and the local pointers that are derived from those."""
    known = set(far)
    for n in walk(body):
        if not isinstance(n, s.Decl) or not isinstance(n.var.type, Pointer) or n.init is None:
            continue
        if any(isinstance(v, e.Var) and v.name in known for v in walk(n.init)):
            known.add(n.var.name)
    return frozenset(known)


@dataclass
class _Accesses:
    far: frozenset[str]
    loaded: frozenset[str]

    def body(self, body: s.Body) -> int:
        return sum(map(self.statement, body))

    def statement(self, st: s.Stmt) -> int:
        inner = [n for n in children(st) if isinstance(n, s.Stmt)]
        own = sum(self.expression(n) for n in children(st) if isinstance(n, e.Expr))
        if any(_data(x, self.loaded) for x in _decides(st)):
            return own
        return own + sum(map(self.statement, inner))

    def expression(self, x: e.Expr) -> int:
        if isinstance(x, e.AddressOf):
            return 0
        if isinstance(x, (e.Select, e.Binary)) and not isinstance(x.type, Pointer):
            first = x.cond if isinstance(x, e.Select) else x.a
            lazy = isinstance(x, e.Select) or x.op in e.LOGICAL
            if lazy and _data(first, self.loaded):
                return self.expression(first)
        own = 0
        if isinstance(x, e.Index) and isinstance(x.base.type, Pointer) and self._is_far(x.base):
            own = int(not _data(x.index, self.loaded) and not _data(x.base, self.loaded))
        return own + sum(self.expression(c) for c in children(x) if isinstance(c, e.Expr))

    def _is_far(self, base: e.Expr) -> bool:
        return any(isinstance(n, e.Var) and n.name in self.far for n in walk(base))


def _decides(st: s.Stmt) -> list[e.Expr]:
    """What decides whether and how often the inner statements run."""
    if isinstance(st, (s.If, s.While)):
        return [st.cond]
    return [st.lo, st.hi] if isinstance(st, s.For) else []


__all__ = ["Operations", "Work", "operations", "steady_accesses"]
