"""Divergence analysis: which variables have one value for all units of a group that are active.

A group is what one level's loop runs over: the threads of a block, the lanes of a warp, the blocks
of a grid. Loads from memory count as uniform when their address is: what is found uniform is only
ever computed once, at a place where all units have arrived, and executing a race-free program in
that lock step is one of its legal schedules. So values loaded from shared memory after a barrier
are covered without looking for the barrier.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import children
from xpiler.ir.types import BOOL, Scalar
from xpiler.passes.recovery import nodes as n
from xpiler.passes.recovery.flow import lent, root
from xpiler.passes.recovery.shape import Extents, constant

# What a value looks like across the group: uniform, the lane number, the linear number of the
# thread in its block (its low bits are the lane number), or anything.
UNIFORM, LANE, THREAD, VARYING = "uniform", "lane", "thread", "varying"
FAR = 1 << 16
"""The most that is added to a thread's number and still taken for one, in any integer type."""
MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
UNIFORM_RESULT = {
    "warp.ballot", "warp.any", "warp.all", "warp.match_all", "warp.activemask",
    "warp.broadcast_first", "block.count", "block.and", "block.or",
}  # fmt: skip

Scope = tuple[object, ...]


@dataclass(frozen=True)
class Event:
    """A definition or a use: the units that run it, its place in the text, the loops around it.

    Branches that diverge run one after the other, so the order of the text is that of execution.
    """

    scope: Scope
    place: int
    loops: tuple[int, ...]

    def disturbs(self, use: Event) -> bool:
        """Whether this definition, by some units only, could change what `use` sees of others."""
        if use.scope[: len(self.scope)] == self.scope:
            return False
        return self.place <= use.place or bool(set(self.loops) & set(use.loops))


@dataclass
class Facts:
    """The outcome for one level: variables that vary and, at warp level, how."""

    level: n.LevelName
    extents: Extents
    varying: set[str] = field(default_factory=set)
    forced: frozenset[str] = frozenset()
    shapes: dict[str, str] = field(default_factory=dict)
    divergent_jumps: set[int] = field(default_factory=set)

    def uniform(self, x: e.Expr) -> bool:
        return self.shape(x) == UNIFORM

    def shape(self, x: e.Expr) -> str:
        """How the value of `x` differs across the group."""
        if isinstance(x, e.Axis):
            return self._axis(x)
        if isinstance(x, (n.LaneRead, e.Text, e.Const)):
            return UNIFORM if not isinstance(x, n.LaneRead) else self._lane_read(x)
        if isinstance(x, e.Var):
            return self._var(x)
        if isinstance(x, e.Binary):
            return self._binary(x)
        if isinstance(x, e.Cast):
            return self._cast(x)
        parts = [c for c in children(x) if isinstance(c, e.Expr)]
        return UNIFORM if all(self.uniform(c) for c in parts) else VARYING

    def _lane_read(self, x: n.LaneRead) -> str:
        return UNIFORM if self.uniform(x.index) else VARYING

    def _var(self, x: e.Var) -> str:
        if x.name in self.forced:
            return VARYING
        if x.name in self.varying:
            return self.shapes.get(x.name, VARYING)
        return UNIFORM

    def _cast(self, x: e.Cast) -> str:
        inner = self.shape(x.x)
        if inner in (LANE, THREAD):
            least = 8 if inner == LANE else 32
            wide = isinstance(x.type, Scalar) and x.type.is_integer and x.type.bits >= least
            return inner if wide and x.type != BOOL else VARYING
        return inner

    def _axis(self, x: e.Axis) -> str:
        if x.level in ("grid_dim", "block_dim", "warp_size"):
            return UNIFORM
        if x.level == "block":
            one = self.extents.grid_const("xyz".index(x.dim)) == 1
            return VARYING if self.level == "grid" and not one else UNIFORM
        if x.level == "lane":
            return LANE if self.level == "warp" else VARYING
        dim = "xyz".index(x.dim)
        if self.extents.block_const(dim) == 1:
            return UNIFORM
        return self._thread_axis(dim) if self.level == "warp" else VARYING

    def _thread_axis(self, dim: int) -> str:
        x, wave = self.extents.block_const(0), self.extents.wave
        if dim:
            return UNIFORM if self.extents.rows_of_waves else VARYING
        if x is not None and (x == wave or (self.extents.flat and x <= wave)):
            return LANE
        return THREAD if self.extents.flat or self.extents.rows_of_waves else VARYING

    def _binary(self, x: e.Binary) -> str:
        a, b = self.shape(x.a), self.shape(x.b)
        if a == b == UNIFORM:
            return UNIFORM
        value = constant(x.b)
        if a in (LANE, THREAD) and value is not None:
            return self._masked(x.op, a, value)
        first = constant(x.a)
        if b in (LANE, THREAD) and first is not None and x.op in MIRRORED:
            return self._masked(MIRRORED[x.op], b, first)
        if x.op == "+" and self.level == "warp" and self._linear(x):
            return THREAD
        return VARYING

    def _masked(self, op: str, a: str, value: int) -> str:
        """`a op value` for a lane number or a linear thread number `a`."""
        wave = self.extents.wave
        if (op == "/" and value and value % wave == 0) or (op == ">>" and 1 << value >= wave):
            return UNIFORM
        if (op == "%" and value == wave) or (op == "&" and value == wave - 1):
            return LANE
        if op == "&" and value % wave == 0:
            return UNIFORM
        edge = {"<": 0, ">=": 0, "<=": 1, ">": 1}.get(op)
        if edge is not None:
            return UNIFORM if (value + edge) % wave == 0 else VARYING
        # Never negative: a signed quotient would be cut towards zero in the middle of a warp.
        whole = op == "+" and value % wave == 0 and 0 <= value <= FAR
        return THREAD if whole else VARYING

    def _linear(self, x: e.Expr) -> bool:
        """Whether `x` is x + X * (y + Y * z) of a thread, the linear number that makes warps."""
        found = self._coefficients(x)
        bx, by = self.extents.block_const(0), self.extents.block_const(1)
        if found is None or bx is None:
            return False
        want = {"x": 1, "y": bx, "z": bx * (by or 0)}
        spans = [d for k, d in enumerate("xyz") if self.extents.block_const(k) != 1]
        return all(found.get(d, 0) == want[d] for d in spans) and found[""] % self.extents.wave == 0

    def _coefficients(self, x: e.Expr) -> dict[str, int] | None:
        if isinstance(x, e.Cast):
            return self._coefficients(x.x)
        if isinstance(x, e.Axis) and x.level == "block_dim":
            size = self.extents.block_const("xyz".index(x.dim))
            return None if size is None else {"": size}
        if isinstance(x, e.Axis) and x.level == "thread":
            return {x.dim: 1, "": 0}
        if constant(x) is not None:
            return {"": constant(x) or 0}
        if not isinstance(x, e.Binary) or x.op not in ("+", "*"):
            return None
        a, b = self._coefficients(x.a), self._coefficients(x.b)
        if a is None or b is None:
            return None
        if x.op == "+":
            return {d: a.get(d, 0) + b.get(d, 0) for d in a.keys() | b.keys()}
        if len(a) > 1 and len(b) > 1:
            return None
        linear, factor = (a, b[""]) if len(b) == 1 else (b, a[""])
        return {d: c * factor for d, c in linear.items()}


@dataclass
class _Walk:
    """One sweep over the body: scopes of definitions and uses, and what varies by its value."""

    facts: Facts
    tracked: set[str]
    defs: dict[str, set[Event]] = field(default_factory=dict)
    uses: dict[str, set[Event]] = field(default_factory=dict)
    def_shapes: dict[str, set[str]] = field(default_factory=dict)
    around: list[tuple[s.Stmt, Scope]] = field(default_factory=list)
    divergent_loops: set[int] = field(default_factory=set)
    skips: set[int] = field(default_factory=set)
    zone: tuple[str, ...] = ()
    clock: int = 0

    def event(self, scope: Scope) -> Event:
        """A definition or a use, here."""
        loops = (st for st, _ in self.around if isinstance(st, (s.For, s.While)))
        return Event(scope, self.clock, tuple(id(st) for st in loops))

    def body(self, body: s.Body, scope: Scope) -> None:
        """Sweeps a list; fewer units run what follows a divergent `continue`: a deeper scope."""
        for st in body:
            self.statement(st, scope)
            if self.skips and any(id(j) in self.skips for j in n.escaping(st)):
                scope = (*scope, ("rest", id(st)))

    def use(self, x: e.Expr, scope: Scope) -> None:
        for name in _names(x):
            self.uses.setdefault(name, set()).add(self.event(scope))

    def define(self, name: str, shape: str, scope: Scope) -> None:
        self.defs.setdefault(name, set()).add(self.event(scope))
        self.def_shapes.setdefault(name, set()).add(shape)

    def statement(self, st: s.Stmt, scope: Scope) -> None:
        self.clock += 1
        if isinstance(st, (s.For, s.While)):
            self.loop(st, scope)
            return
        for x in n.heads(st):
            self.use(x, scope)
            self._lend(x, scope)
        if isinstance(st, (s.Break, s.Continue, s.Return)):
            self.jump(st, scope)
        elif isinstance(st, (s.If, s.Switch, n.Guard)):
            self.branch(st, scope)
        elif isinstance(st, n.Zone):
            outer, self.zone = self.zone, st.path
            self.body(st.body, (*scope, *self.deeper(st.path, outer)))
            self.zone = outer
        elif isinstance(st, (s.Scope, n.Once)):
            self.body(st.body, scope)
        elif isinstance(st, n.Accumulate):
            self.body(st.body, scope)
            self.defs[st.var.name] = {self.event(scope)}
            self.def_shapes[st.var.name] = {UNIFORM}
        else:
            self.writes(st, scope)

    def _lend(self, x: e.Expr, scope: Scope) -> None:
        calls = [c for c in _subexpressions(x) if isinstance(c, e.Call)]
        for name in {v for c in calls for a in c.args for v in lent(a)}:
            self.define(name, VARYING, scope)

    def writes(self, st: s.Stmt, scope: Scope) -> None:
        if isinstance(st, s.Decl):
            if st.init is not None:
                self.define(st.var.name, self.facts.shape(st.init), scope)
            return
        for place in n.targets(st):
            self.use(place, scope)
            owner = root(place)
            if owner is not None:
                self.define(owner.name, self._stored(st, place), scope)
        if isinstance(st, (s.Instr, n.Masked)):
            for name in {v for x in n.heads(st) for v in lent(x)}:
                self.define(name, VARYING, scope)

    def _stored(self, st: s.Stmt, place: e.Expr) -> str:
        whole = isinstance(place, e.Var)
        if not whole and not all(self.facts.uniform(i) for i in _indices(place)):
            return VARYING
        if isinstance(st, s.Assign):
            shape = self.facts.shape(st.value)
            if st.op:
                return UNIFORM if shape == UNIFORM and self.facts.uniform(st.target) else VARYING
            return shape if whole or shape == UNIFORM else VARYING
        instr = st.instr if isinstance(st, n.Masked) else st
        return self._result(instr) if isinstance(instr, s.Instr) else VARYING

    def _result(self, st: s.Instr) -> str:
        """Shape of what an instruction gives."""
        f = self.facts
        level = "block" if st.name.startswith("block.") else "warp"
        if f.level == "grid" or (f.level == "block" and level == "warp"):
            return VARYING
        if st.name in UNIFORM_RESULT:
            free = level == "block" or st.name in ("warp.activemask", "warp.broadcast_first")
            return UNIFORM if free or f.uniform(st.ins[0]) else VARYING
        if st.name.startswith("warp.reduce_"):
            return UNIFORM if f.uniform(st.ins[0]) else VARYING
        if st.name == "warp.shfl":
            whole = constant(st.ins[3]) == f.extents.wave
            return UNIFORM if whole and f.uniform(st.ins[2]) else VARYING
        return VARYING

    def branch(self, st: s.Stmt, scope: Scope) -> None:
        uniform = self.facts.uniform(n.heads(st)[0])
        if isinstance(st, n.Guard):
            deep = self.deeper(st.path, self.zone)
            self.body(st.body, scope if uniform else (*scope, *deep))
            return
        self.around.append((st, scope))
        for k, inner in enumerate(n.bodies(st)):
            self.body(inner, scope if uniform else (*scope, (id(st), k)))
        self.around.pop()

    def deeper(self, path: tuple[str, ...], zone: tuple[str, ...]) -> tuple[str, ...]:
        """Masks of `path` beyond those of the zone around that not all units pass."""
        return tuple(m for m in path[len(zone) :] if m.lstrip("!") in self.facts.varying)

    def loop(self, st: s.Stmt, scope: Scope) -> None:
        inside = (*scope, id(st)) if self._divergent(st) else scope
        self.around.append((st, inside))
        for x in n.heads(st):
            self.use(x, inside)
            self._lend(x, inside)
        if isinstance(st, s.For):
            shape = UNIFORM if all(map(self.facts.uniform, (st.lo, st.step))) else VARYING
            self.define(st.var.name, shape, inside)
            self.use(st.var, inside)
        for inner in n.bodies(st):
            self.body(inner, inside)
        self.around.pop()

    def _divergent(self, st: s.Stmt) -> bool:
        if id(st) in self.divergent_loops:
            return True
        return not all(map(self.facts.uniform, n.heads(st)))

    def jump(self, st: s.Stmt, scope: Scope) -> None:
        """Notes a jump that only some of the active units make, and what it makes diverge."""
        loops = [x for x in self.around if isinstance(x[0], (s.For, s.While))]
        if isinstance(st, s.Return):
            base: Scope = ()
        elif isinstance(st, s.Continue):
            base = loops[-1][1]
        else:
            exits = [x for x in self.around if isinstance(x[0], (s.For, s.While, s.Switch))]
            base = exits[-1][1]
        if _control(scope) == _control(base):
            return
        self.facts.divergent_jumps.add(id(st))
        if isinstance(st, s.Continue) or (isinstance(st, s.Break) and exits[-1] not in loops):
            self.skips.add(id(st))
            return
        left = loops if isinstance(st, s.Return) else loops[-1:]
        self.divergent_loops |= {id(loop) for loop, _ in left}


def _control(scope: Scope) -> Scope:
    """A scope without its masks: what they stop is not there, so a jump cannot tell them."""
    return tuple(x for x in scope if not isinstance(x, str))


def _subexpressions(x: e.Expr) -> Iterable[e.Expr]:
    yield x
    for c in children(x):
        if isinstance(c, e.Expr):
            yield from _subexpressions(c)


def _names(x: e.Expr) -> set[str]:
    return {v.name for v in _subexpressions(x) if isinstance(v, e.Var)}


def _indices(place: e.Expr) -> list[e.Expr]:
    if isinstance(place, e.Index):
        return [place.index, *_indices(place.base)]
    return _indices(place.base) if isinstance(place, e.Field) else []


def analyse(
    level: n.LevelName,
    body: s.Body,
    tracked: set[str],
    extents: Extents,
    varying: Iterable[str] = (),
    forced: Iterable[str] = (),
) -> Facts:
    """What varies in `body` across a group of `level`.

    `tracked` are the units' own variables; `varying` are known to vary from outside; `forced` are
    to be treated as varying whatever their values.
    """
    facts = Facts(level, extents, set(varying) | set(forced), frozenset(forced))
    loops: set[int] = set()
    skips: set[int] = set()
    while True:
        sweep = _Walk(facts, tracked, divergent_loops=set(loops), skips=set(skips))
        sweep.body(body, ())
        new = {v for v in tracked - facts.varying if _varies(sweep, v)}
        shapes = _lane_shapes(sweep, facts.varying | new)
        grown = (sweep.divergent_loops - loops) | (sweep.skips - skips)
        if not new and not grown and shapes == facts.shapes:
            return facts
        facts.varying |= new
        facts.shapes = shapes
        loops |= sweep.divergent_loops
        skips |= sweep.skips


def _varies(sweep: _Walk, name: str) -> bool:
    if sweep.def_shapes.get(name, set()) - {UNIFORM}:
        return True
    uses, defs = sweep.uses.get(name, set()), sweep.defs.get(name, set())
    return any(d.disturbs(use) for d in defs for use in uses)


def _lane_shapes(sweep: _Walk, varying: set[str]) -> dict[str, str]:
    """Varying variables that hold one and the same function of the lane number wherever set."""
    out = {}
    for name in varying:
        shapes = sweep.def_shapes.get(name, set())
        if len(shapes) == 1 and shapes & {LANE, THREAD}:
            out[name] = next(iter(shapes))
    return out
