"""The footprint interpreter: which bytes of which buffer may a program touch, for given sizes.

An abstract interpreter over intervals. Host code runs with concrete scalars, so its branches are
decided; a kernel runs once for all threads, its coordinates being intervals that guards narrow.
Every answer is a hull: exact for affine indices, too large where correlations are lost.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import variables, walk
from xpiler.ir.types import U32, Array, Pointer, Scalar, Vector
from xpiler.verify.inference import values as v
from xpiler.verify.inference.records import changed, contents, held, parts, root, told
from xpiler.verify.inference.relations import MIRRORED, NEGATED, bound_by, holds
from xpiler.verify.inference.rows import spill
from xpiler.verify.inference.values import TOP, Interval, PointerTo, Record, Region, Value, point

CONCRETE_TRIPS = 64  # loops of at most so many decided iterations are run one by one
MOST_TURNS = 4 * CONCRETE_TRIPS  # ... of loops in loops together
EXACT_TRIPS = 4096  # ... where every iteration is to be looked at
STEP_BUDGET = 20_000
MOST_ORIGINS = 3  # steps back from a variable to what it was computed from


class OutOfBudget(Exception):
    """The program is too long to interpret."""


class Refused(Exception):
    """Host code gives these arguments up: it ends the program."""


@dataclass(frozen=True, slots=True)
class LaunchRecord:
    """A launch that host code made."""

    kernel: str
    grid: tuple[int, int, int]
    block: tuple[int, int, int]
    shared_bytes: int
    args: tuple[Value, ...] = ()


@dataclass
class Machine:
    """State of one interpretation; run with `call`.

    `origins` has what integer variables were computed from, as long as that holds: a guard on
    `threadIdx.x` bounds `lane` too; `paths` what was added up in pointer variables. `spilled` is
    the worst of the stores that run into the next row, where several threads run (`together`).
    `exact`: loops run turn by turn as far as their bounds are decided, so that an access whose
    place does not depend on data counts with just the elements that it touches. `jump` says how
    control left the statements run last: "break", "continue" or, for a return, nothing. `maybe`
    counts the branches around the statement of which it is not known whether they are taken.
    `objects` has the fields of structs that are passed by address, by region and offset; `shifts`
    the hull of what integers are shifted by, by place and bits; `watched` what is assigned to some
    variables, by the depth of calls.
    """

    program: Program
    data: Mapping[str, Interval] = field(default_factory=dict)
    regions: dict[str, Region] = field(default_factory=dict)
    objects: dict[str, Mapping[int, Value]] = field(default_factory=dict)
    launches: list[LaunchRecord] = field(default_factory=list)
    env: dict[str, Value] = field(default_factory=dict)
    facts: dict[e.Expr, Interval] = field(default_factory=dict)
    axes: dict[str, Interval] = field(default_factory=dict)
    returned: Value | None = None
    steps: int = 0
    budget: int = STEP_BUDGET
    depth: int = 0
    maybe: int = 0
    turns: int = 1
    muted: int = 0
    scale: float = 1.0
    cost: float = 0.0
    exact: bool = False
    jump: str = ""
    origins: dict[str, e.Expr] = field(default_factory=dict)
    paths: dict[str, tuple[e.Expr, ...]] = field(default_factory=dict)
    spilled: float = 0.0
    asking: int = 0
    together: bool = False
    shared_out: set[int] = field(default_factory=set)
    filled: set[int] = field(default_factory=set)
    again: set[int] = field(default_factory=set)
    shifts: dict[tuple[int, int], Interval] = field(default_factory=dict)
    plain: dict[tuple[int, str], bool] = field(default_factory=dict)
    watched: dict[tuple[int, str], list[Value]] = field(default_factory=dict)

    def share_out(self, loop: s.Stmt, start: Interval, end: Interval) -> None:
        """Note a loop that threads share out: is a block full, does any have a second turn?"""
        if not self.axes or start.single:
            return
        self.shared_out.add(id(loop))
        threads = math.prod(self.axes[f"block_dim.{d}"].hi for d in "xyz")
        width, length = start.hi - start.lo + 1, end.hi - start.lo
        if length >= min(threads, width):
            self.filled.add(id(loop))
        if length > width:
            self.again.add(id(loop))

    def note(self, at: object, what: str, holds: bool) -> None:
        """Note whether something that sizes should not all do holds whenever a node is met."""
        key = (id(at), what)
        self.plain[key] = holds and self.plain.get(key, True)

    # -- regions -----------------------------------------------------------------------------
    def region(self, name: str, size: int | None = None) -> Region:
        if name not in self.regions:
            self.regions[name] = Region(name, size)
        return self.regions[name]

    def access(self, where: Value, size: int, write: bool, atomic: bool = False) -> Region | None:
        """Count an access of `size` bytes; the region, where there is but one."""
        if not isinstance(where, PointerTo):
            return None
        regions = [self.region(name) for name, _ in where.targets]
        for r, (_, offset) in zip(regions, where.targets, strict=True):
            if not self.muted:
                span = Interval(offset.lo, offset.hi + size)
                r.touch(span, write, bool(self.axes), atomic)
        return regions[0] if len(regions) == 1 else None

    # -- calls -------------------------------------------------------------------------------
    def call(self, f: Function, args: list[Value]) -> Value:
        """Run `f`; the joined value of its returns."""
        if self.depth > 20:
            return TOP
        outer = (self.env, self.facts, self.returned, self.origins, self.paths)
        self.env = dict(zip((p.name for p in f.params), args, strict=False))
        self.facts, self.returned, self.origins, self.paths = {}, None, {}, {}
        self.depth += 1
        self.run(f.body)
        self.depth -= 1
        result = self.returned
        self.env, self.facts, self.returned, self.origins, self.paths = outer
        return TOP if result is None else result

    def launch(
        self,
        kernel: Function,
        grid: list[Value],
        block: list[Value],
        args: list[Value],
        shared: int,
    ) -> None:
        """Run a kernel for all its threads at once."""
        g, b = [_extent(x) for x in grid], [_extent(x) for x in block]
        self.launches.append(LaunchRecord(kernel.name, tuple(g), tuple(b), shared, tuple(args)))  # type: ignore[arg-type]
        if 0 in g or 0 in b:
            return
        outer, scale = (self.axes, self.together), self.scale
        self.scale *= math.prod(g) * math.prod(b)
        self.together = math.prod(g) * math.prod(b) > 1
        self.axes = {"warp_size": point(self.program.wave)}
        self.axes["lane"] = Interval(0, min(self.program.wave, b[0] * b[1] * b[2]) - 1)
        for dim, gd, bd in zip("xyz", g, b, strict=True):
            self.axes |= {f"grid_dim.{dim}": point(gd), f"block_dim.{dim}": point(bd)}
            self.axes |= {f"block.{dim}": Interval(0, gd - 1), f"thread.{dim}": Interval(0, bd - 1)}
        self.call(kernel, args)
        (self.axes, self.together), self.scale = outer, scale

    # -- expressions -------------------------------------------------------------------------
    def number(self, x: e.Expr) -> Interval:
        value = self.eval(x)
        return value if isinstance(value, Interval) else TOP

    def eval(self, x: e.Expr) -> Value:
        value = self._eval(x)
        value = TOP if value is v.BLANK else value
        if isinstance(value, Interval) and self.facts and not isinstance(x, e.Const):
            known = self.facts.get(_strip(x))
            value = value.meet(known) if known is not None else value
            if isinstance(x, e.Var) and x.name in self.origins and not value.single:
                return value.meet(self._from_origin(x.name))
        return value

    def bounds(self, x: e.Expr) -> bool:
        """Whether some guard says how large `x` is."""
        return _strip(x) in self.facts

    def _from_origin(self, name: str) -> Interval:
        """What the facts of here say of a variable by way of what it was computed from."""
        if self.asking >= MOST_ORIGINS:
            return TOP
        self.asking += 1
        found = self.number(self.origins[name])
        self.asking -= 1
        return found

    def _eval(self, x: e.Expr) -> Value:
        match x:
            case e.Const():
                return point(int(x.value) if isinstance(x.value, bool) else x.value)
            case e.Var():
                return self._var(x)
            case e.Axis():
                return self.axes.get(
                    f"{x.level}.{x.dim}" if x.dim else x.level, Interval(0, math.inf)
                )
            case e.Binary():
                return self._binary(x)
            case e.Cast():
                return self._cast(x)
            case e.Select():
                return self._select(x)
            case e.Index() | e.Field():
                return self._load(x)
            case e.AddressOf():
                return self._address(x.x)
            case e.Unary():
                return self._unary(x)
            case e.Bits():
                self.eval(x.x)  # which may be a load
                return TOP
            case e.Call():
                return self._call(x)
            case e.Aggregate():
                names_ = (n for n, _ in parts(self.program, x.type))
                return Record(dict(zip(names_, map(self.eval, x.items), strict=False)))
            case _:
                return TOP

    def _unary(self, x: e.Unary) -> Interval:
        n = self.number(x.x)
        if x.op == "-":
            return v.wrapped(Interval(-n.hi, -n.lo), x.type)
        if x.op == "!":
            return v.subtract(point(1), holds("!=", n, point(0)))
        return v.wrapped(point(-1 - n.lo), x.type) if x.op == "~" and n.single else TOP

    def _var(self, x: e.Var) -> Value:
        if x.name in self.env:
            return self.env[x.name]
        if isinstance(x.type, Array) or any(g.var.name == x.name for g in self.program.globals):
            return v.start_of(x.name) if isinstance(x.type, Array) else TOP
        kept = self.regions.get(x.name) if _is_integer(x.type) else None
        return kept.content if kept is not None and isinstance(kept.content, Interval) else TOP

    def _address(self, x: e.Expr) -> Value:
        """The address of a place; an integer that has one is kept in memory from here on."""
        if isinstance(x, e.Var) and _is_integer(x.type):
            region = self.region(x.name)
            known = self.env.pop(x.name, None)
            self.forget(x.name)
            if known is not None:
                region.content = known if region.content is None else v.join(region.content, known)
        if isinstance(x, e.Var) and (lent := contents(self.program, self.env, x)):
            self.objects[x.name] = lent
        return self.place(x)

    def _binary(self, x: e.Binary) -> Value:
        value = self._computed(x, self.eval(x.a), self.eval(x.b))
        return v.wrapped(value, x.type) if isinstance(value, Interval) else value

    def _computed(self, x: e.Binary, a: Value, b: Value) -> Value:
        if isinstance(a, PointerTo) or isinstance(b, PointerTo):
            return self._pointer_arithmetic(x, a, b)
        if not (isinstance(a, Interval) and isinstance(b, Interval)):
            return TOP
        if x.op in _EXACT and a.lo == a.hi and b.lo == b.hi:
            return point(_EXACT[x.op](a.lo, b.lo)) if a.single and b.single else TOP
        floating = isinstance(x.type, Scalar) and x.type.is_float
        match x.op:
            case "+":
                return v.add(a, b)
            case "-":
                return self._difference(x, a, b)
            case "*":
                return v.multiply(a, b)
            case "/":
                return v.divide(a, b, floating)
            case "%":
                return v.remainder(a, b)
            case "<<" | ">>":
                self._note_shift(x, b)
                return v.shift(x.op, a, b)
            case "&" | "|" | "^":
                return v.bitwise(x.op, a, b)
            case _:
                return holds(x.op, a, b)

    def _note_shift(self, x: e.Binary, by: Interval) -> None:
        t = x.a.type
        if isinstance(t, Scalar) and not (self.muted or isinstance(_strip(x.b), e.Const)):
            at = (id(x), t.bits)
            self.shifts[at] = by.join(self.shifts.get(at, by))

    def _difference(self, x: e.Binary, a: Interval, b: Interval) -> Interval:
        out = v.subtract(a, b)
        if out.single:
            return out
        unsigned = isinstance(x.type, Scalar) and x.type.name.startswith("u")
        return Interval(max(0, out.lo), out.hi) if unsigned and out.hi >= 0 else out

    def _pointer_arithmetic(self, x: e.Binary, a: Value, b: Value) -> Value:
        if isinstance(b, PointerTo):
            a, b = b, a
        if not isinstance(a, PointerTo) or not isinstance(b, Interval) or x.op not in "+-":
            return TOP
        step = v.multiply(v.distance(b), point(self._pointee(x.type)))
        return a.moved(step if x.op == "+" else Interval(-step.hi, -step.lo))

    def _pointee(self, t: object) -> int:
        return v.size_of(t.elem, self.program) if isinstance(t, (Pointer, Array)) else 1

    def _cast(self, x: e.Cast) -> Value:
        value = self.eval(x.x)
        if isinstance(value, Interval) and isinstance(x.type, Scalar):
            if x.type.is_float:
                return value
            if isinstance(x.x.type, Scalar) and x.x.type.is_float and value.bounded:
                return Interval(math.trunc(value.lo), math.trunc(value.hi))
            return v.wrapped(value, x.type)
        return value

    def _select(self, x: e.Select) -> Value:
        truth = self.number(x.cond)
        if truth.single:
            return self.eval(x.a if truth.lo else x.b)
        saved = self.facts
        self.facts = self._refined(x.cond, True)
        a = self.eval(x.a)
        self.facts = {**saved, **self._refined_from(saved, x.cond, False)}
        b = self.eval(x.b)
        self.facts = saved
        return v.join(a, b)

    def _load(self, x: e.Index | e.Field) -> Value:
        if not isinstance(x.type, Array) and (found := held(self.env, x, self.number)) is not None:
            return found
        if isinstance(x, e.Field) and not e.is_place(x.base):
            base = self.eval(x.base)
            if isinstance(base, Record) and not isinstance(x.type, Array):
                return base.fields.get(x.name, TOP)
        where = self.place(x)
        if isinstance(x.type, Array):
            return where
        region = self.access(where, v.size_of(x.type, self.program), write=False)
        if region is not None and region.name in self.objects:
            return self._of_object(self.objects[region.name], where)
        if region is None or (isinstance(x.type, Scalar) and x.type.is_float):
            return TOP
        if isinstance(x.type, Pointer):
            return region.content if region.content is not None else PointerTo()
        if isinstance(known := told(self.program, self.data, region.name, x), (Interval, Record)):
            return known
        return region.content if isinstance(region.content, Interval) else TOP

    def _of_object(self, fields: Mapping[int, Value], where: Value) -> Value:
        """What lies at a place in a struct whose fields are known by their offsets."""
        assert isinstance(where, PointerTo)
        ((_, offset),) = where.targets
        found = [x for at, x in fields.items() if offset.lo <= at <= offset.hi]
        return reduce(v.join, found) if found else TOP

    def place(self, x: e.Expr) -> Value:
        """The pointer to a place; indices inside it are evaluated (and their loads recorded)."""
        if isinstance(x, e.Index):
            base = (
                self.eval(x.base)
                if not isinstance(x.base.type, (Array, Vector))
                else self.place(x.base)
            )
            index = self.number(x.index)
            if isinstance(base, PointerTo):
                step = v.multiply(v.distance(index), point(v.size_of(x.type, self.program)))
                return base.moved(step)
            return PointerTo()
        if isinstance(x, e.Field):
            base = self.place(x.base)
            offset = point(v.field_offset(x.base.type, x.name, self.program))
            return base.moved(offset) if isinstance(base, PointerTo) else PointerTo()
        if isinstance(x, e.Var):
            value = self.env.get(x.name)
            return (
                value
                if isinstance(value, PointerTo) and isinstance(x.type, Array)
                else v.start_of(x.name)
            )
        value = self.eval(x)
        return value if isinstance(value, PointerTo) else PointerTo()

    def _call(self, x: e.Call) -> Value:
        args = [self.eval(a) for a in x.args]
        target = next((f for f in self.program.functions if f.name == x.func), None)
        if target is not None:
            return self.call(target, args)
        ints = [a for a in args if isinstance(a, Interval)]
        if len(ints) != len(args) or not ints:
            return TOP
        if x.func in v.COUNTS:
            return v.counted(x.func, x.args[0], ints[0])
        return _math(x.func, ints)

    # -- facts -------------------------------------------------------------------------------
    def _refined(self, cond: e.Expr, truth: bool) -> dict[e.Expr, Interval]:
        return self._refined_from(self.facts, cond, truth)

    def _refined_from(
        self, facts: dict[e.Expr, Interval], cond: e.Expr, truth: bool
    ) -> dict[e.Expr, Interval]:
        cond = _strip(cond)
        if isinstance(cond, e.Unary) and cond.op == "!":
            return self._refined_from(facts, cond.x, not truth)
        if not isinstance(cond, e.Binary):
            return facts
        if cond.op == ("&&" if truth else "||"):
            return self._refined_from(self._refined_from(facts, cond.a, truth), cond.b, truth)
        if cond.op not in e.COMPARISONS:
            return facts
        op = cond.op if truth else NEGATED[cond.op]
        out = dict(facts)
        for this, other, o in ((cond.a, cond.b, op), (cond.b, cond.a, MIRRORED[op])):
            whole = not (isinstance(this.type, Scalar) and this.type.is_float)
            bound = bound_by(o, self.number(other), 1 if whole else 0)
            if bound is not None:
                self._learn(out, _strip(this), bound)
        return out

    def _learn(self, facts: dict[e.Expr, Interval], x: e.Expr, bound: Interval) -> None:
        bound = _in_steps(bound, self._factor(x))
        facts[x] = facts[x].meet(bound) if x in facts else bound
        if isinstance(x, e.Binary) and x.op in "+-":  # x = a + c < h narrows a too
            a, c = self.number(x.a), self.number(x.b)
            if c.bounded:
                self._learn(
                    facts, _strip(x.a), v.subtract(bound, c) if x.op == "+" else v.add(bound, c)
                )
            if x.op == "+" and a.bounded:
                self._learn(facts, _strip(x.b), v.subtract(bound, a))

    def _factor(self, x: e.Expr, depth: int = 4) -> int:
        """A whole number that divides `x`: a block's index by 16 below 40 is 32 at most."""
        x = _strip(x)
        if isinstance(x, e.Var) and x.name in self.origins and depth:
            return self._factor(self.origins[x.name], depth - 1)
        if isinstance(x, e.Binary) and x.op in ("+", "-", "*") and depth:
            a, b = (self._factor(side, depth - 1) for side in (x.a, x.b))
            return a * b if x.op == "*" else math.gcd(a, b)
        known = self.number(x) if isinstance(x, (e.Const, e.Axis)) else TOP
        return abs(int(known.lo)) or 1 if known.single else 1

    def forget(self, name: str) -> None:
        """Drop facts about a variable that is assigned."""
        self.paths = {
            k: terms
            for k, terms in self.paths.items()
            if k != name and not any(name in names(x) for x in terms)
        }
        self.origins = {k: x for k, x in self.origins.items() if k != name and name not in names(x)}
        self.facts = {x: i for x, i in self.facts.items() if name not in names(x)}

    # -- statements --------------------------------------------------------------------------
    def run(self, body: s.Body) -> bool:
        """Run statements; False when control does not reach the end."""
        from xpiler.verify.inference.statements import execute

        for st in body:
            self.steps += 1
            self.cost += self.scale
            if self.steps > self.budget:
                raise OutOfBudget
            if not execute(self, st):
                return False
        return True

    def snapshot(self) -> tuple[dict[str, Value], dict[e.Expr, Interval]]:
        return dict(self.env), self.facts

    def store(self, target: e.Expr, value: Value) -> None:
        """Assign to a place."""
        if isinstance(target, e.Var) and not isinstance(target.type, Array):
            self.forget(target.name)
            self.env[target.name] = value
            return
        whole = changed(self.env, target, value, self.number)
        if whole is not None:
            self.env[root(target)] = whole
            return
        if self.together and not self.muted:
            self.spilled = max(self.spilled, spill(self, target))
        region = self.access(self.place(target), v.size_of(target.type, self.program), write=True)
        if region is not None:
            self.objects.pop(region.name, None)
            region.content = value if region.content is None else v.join(region.content, value)


_EXACT: Mapping[str, Callable[[v.Number, v.Number], v.Number]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul,
}  # fmt: skip


_stripped: dict[int, tuple[e.Expr, e.Expr]] = {}
_MOST_STRIPPED = 50_000


def _strip(x: e.Expr) -> e.Expr:
    """`x` without integer conversions, at every level: facts ignore them.

    Remembered by identity (the entry keeps `x` alive), since equality looks at whole trees.
    """
    found = _stripped.get(id(x))
    if found is None:
        if len(_stripped) > _MOST_STRIPPED:
            _stripped.clear()
        found = _stripped[id(x)] = (x, _without_conversions(x))
    return found[1]


_names_in: dict[int, tuple[e.Expr, set[str]]] = {}


def names(x: e.Expr) -> set[str]:
    """The variables in `x`, remembered by identity."""
    found = _names_in.get(id(x))
    if found is None:
        if len(_names_in) > _MOST_STRIPPED:
            _names_in.clear()
        found = _names_in[id(x)] = (x, variables(x))
    return found[1]


def _without_conversions(x: e.Expr) -> e.Expr:
    if isinstance(x, e.Cast) and _is_integer(x.type) and _is_integer(x.x.type):
        return _strip(x.x)
    if isinstance(x, e.Binary):
        return replace(x, a=_strip(x.a), b=_strip(x.b), type=U32)
    if isinstance(x, e.Var):
        return replace(x, type=U32) if isinstance(x.type, Scalar) else x
    return x


def follows(x: e.Expr) -> bool:
    """Whether the value of `x` is that of an expression over variables and coordinates alone."""
    kinds = (e.Const, e.Var, e.Axis, e.Binary, e.Cast, e.Field)
    return _is_integer(x.type) and all(
        isinstance(n, kinds) or (isinstance(n, e.Call) and n.func in _KNOWN) for n in walk(x)
    )


def _is_integer(t: object) -> bool:
    return isinstance(t, Scalar) and t.is_integer


def _extent(x: Value) -> int:
    return int(x.hi) if isinstance(x, Interval) and x.bounded else 1


_ROUNDING: Mapping[str, Callable[[v.Number], v.Number]] = {
    "ceil": math.ceil, "floor": math.floor, "trunc": math.trunc, "round": round, "rint": round,
}  # fmt: skip
_KNOWN = {*_ROUNDING, "min", "max", "abs"}


def _math(name: str, a: list[Interval]) -> Interval:
    if name in ("min", "max") and len(a) == 2:
        pick = min if name == "min" else max
        return Interval(pick(a[0].lo, a[1].lo), pick(a[0].hi, a[1].hi))
    if name in _ROUNDING and a[0].bounded:
        return Interval(_ROUNDING[name](a[0].lo), _ROUNDING[name](a[0].hi))
    if name == "sqrt" and a[0].bounded and a[0].lo >= 0:
        return Interval(math.sqrt(a[0].lo), math.sqrt(a[0].hi))
    if name == "abs":
        low = 0 if a[0].lo <= 0 <= a[0].hi else min(abs(a[0].lo), abs(a[0].hi))
        return Interval(low, max(abs(a[0].lo), abs(a[0].hi)))
    return TOP


def _in_steps(bound: Interval, step: int) -> Interval:
    """The multiples of `step` in `bound`."""
    if step <= 1:
        return bound
    lo = bound.lo if math.isinf(bound.lo) else -(-bound.lo // step) * step
    hi = bound.hi if math.isinf(bound.hi) else bound.hi // step * step
    return Interval(lo, hi) if lo <= hi else bound
