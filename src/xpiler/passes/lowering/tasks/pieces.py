"""Statements for all lanes of a piece at once: one after the other, each for every lane."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from xpiler.analysis.effects import escapes, is_memory, names_in, root
from xpiler.analysis.ranges import Facts, is_int
from xpiler.analysis.reductions import SUMS, Step, update
from xpiler.analysis.walker import after, inside
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import fresh_name, walk
from xpiler.ir.types import BOOL, F32, I32, U32, Array, Pointer, Scalar
from xpiler.passes.lowering.tasks import ops
from xpiler.passes.lowering.tasks.build import (
    ONE,
    ZERO,
    NotVector,
    add,
    at,
    call,
    cast,
    const,
    copy,
    elem_of,
    is_const,
    real,
    sub,
)  # fmt: skip
from xpiler.passes.lowering.tasks.conversions import WRAPS
from xpiler.passes.lowering.tasks.functions import FLOATS
from xpiler.passes.lowering.tasks.lanes import USUAL, Vec, Where, has_load
from xpiler.passes.lowering.tasks.ranges import as_range, negated
from xpiler.passes.lowering.tasks.values import Values

LANE_LIMIT = 65536


@dataclass
class Pieces(Values):
    """Writes the body of a loop for the lanes of one piece.

    `varying` names the local variables that may differ between lanes, `scalars` the outer variables
    that the loop accumulates into, `updated` arrays of which lanes may change the same element,
    `changing` those that are assigned after their declaration.
    """

    varying: set[str] = field(default_factory=set)
    scalars: set[str] = field(default_factory=set)
    updated: frozenset[str] = frozenset()
    changing: frozenset[str] = frozenset()
    trips: Mapping[str, float] = field(default_factory=dict)
    weights: dict[str, e.Var] = field(default_factory=dict)

    def body(self, body: s.Body, facts: Facts) -> None:
        for st in body:
            self.statement(st, facts)
            facts = after(st, facts)

    def statement(self, st: s.Stmt, facts: Facts) -> None:
        step = update(st, self.scalars) if self.scalars else None
        if step is not None:
            self.reduce(step, facts)
        elif isinstance(st, s.Decl):
            self.declare(st, facts)
        elif isinstance(st, s.Assign):
            self.assign(st, facts)
        elif isinstance(st, s.If):
            self.branch(st, facts)
        elif isinstance(st, s.For):
            self.repeat(st, facts)
        elif isinstance(st, s.While):
            self.repeat_while(st, facts)
        elif isinstance(st, s.Scope):
            self.body(st.body, facts)
        else:
            raise NotVector(f"{type(st).__name__.lower()} in the loop")

    # -- variables ------------------------------------------------------------------------------

    def declare(self, st: s.Decl, facts: Facts) -> None:
        t = st.var.type
        if isinstance(t, Array):
            self._array(st)
        elif isinstance(t, Pointer):
            self._pointer(st)
        elif not isinstance(t, Scalar):
            raise NotVector(f"a variable of type {t}")
        elif st.var.name in self.varying:
            self._variable(st, facts)
        else:
            self._uniform(st)

    def _array(self, st: s.Decl) -> None:
        """Every lane's own array: element by element, the lanes next to each other."""
        elem, count = elem_of(st.var.type), 1
        t = st.var.type
        while isinstance(t, Array):
            if t.size is None:
                raise NotVector("an array whose size is not known")
            count, t = count * t.size, t.elem
        if not isinstance(elem, Scalar) or st.init is not None:
            raise NotVector("an array with initial values")
        self.arrays[st.var.name] = self.buffer(st.var.name, elem, count)

    def _pointer(self, st: s.Decl) -> None:
        if st.init is None or st.var.name in self.changing:
            raise NotVector("a pointer that moves")
        x = self.expanded(st.init)
        if any(isinstance(n, e.AddressOf) and not is_memory(n.x) for n in walk(x)):
            raise NotVector("a pointer to a variable")
        if self.varies(x):
            if has_load(x):
                raise NotVector("a pointer that is loaded")
            self.inline[st.var.name] = x
        else:
            self.out.append(s.Decl(st.var, x, const=st.const))

    def _variable(self, st: s.Decl, facts: Facts) -> None:
        x = st.init
        fixed = st.var.name not in self.changing and x is not None
        if x is not None and fixed and self._simple(self.expanded(x), st.var):
            self.inline[st.var.name] = self.expanded(x)
            return
        if st.var.type == BOOL:
            self._flag(st.var, x, facts)
            return
        elem = st.var.type
        if x is not None and fixed and self.mask is None and self._keep(st.var, x, facts):
            return
        v = Vec(elem, self.buffer(st.var.name, elem))
        if x is not None:
            self.into(x, facts, v)
        self.vectors[st.var.name] = v.buffer  # type: ignore[assignment]

    def _flag(self, var: e.Var, x: e.Expr | None, facts: Facts) -> None:
        """A condition of each lane: all bits or none."""
        own = self.buffer(var.name, I32)
        if x is not None:
            self.chosen(self.expanded(x), facts, Vec(I32, own))
        self.vectors[var.name] = own
        self.flags.add(var.name)

    def _keep(self, var: e.Var, x: e.Expr, facts: Facts) -> bool:
        """Whether the value of a variable that never changes stays where it was computed."""
        v = self.vec(x, facts)
        settled = v.temp or any(v.buffer == b for _, _, b in self.loaded.values())
        if v.buffer is None or v.offset != ZERO or not settled:
            new = Vec(var.type, self.buffer(var.name, var.type))
            self.emit(copy(self.operand(new), self.operand(v), self.size, v.elem, "NRAM2NRAM"))
            v = new
        assert v.buffer is not None
        self.vectors[var.name] = v.buffer
        return True

    def _simple(self, x: e.Expr, var: e.Var) -> bool:
        """Whether an integer is only arithmetic on what does not change while the body runs."""
        if not is_int(var.type) or has_load(x):
            return False
        names = names_in(x)
        return not names & (set(self.vectors) | self.changing)

    def _uniform(self, st: s.Decl) -> None:
        x = None if st.init is None else self.expanded(st.init)
        if x is not None and self.varies(x):
            raise NotVector(f"{st.var.name} varies after all")
        self.out.append(s.Decl(st.var, x, const=st.const))
        self.cost += self.times * (40 if x is not None and has_load(x) else 1)

    def assign(self, st: s.Assign, facts: Facts) -> None:
        value = e.Binary(st.op, st.target, st.value, st.target.type) if st.op else st.value
        if is_memory(st.target) and root(st.target) in self.updated:
            self._update(st, value, facts)
            return
        if isinstance(st.target, e.Var):
            self._assign_variable(st, st.target, value, facts)
            return
        place = self.expanded(st.target)
        slot = self.slot(place, facts) if isinstance(place, e.Index) else None
        if slot is not None:
            self._settle(value, slot, facts)
        elif isinstance(place, e.Index):
            self._store(place, value, facts)
        else:
            raise NotVector("a field is assigned")

    def _assign_variable(self, st: s.Assign, target: e.Var, value: e.Expr, facts: Facts) -> None:
        name = target.name
        if name in self.flags:
            held = Vec(I32, self.vectors[name])
            new = self.chosen(self.expanded(value), facts)
            self._settled(new, held)
            self.forget_names({name})
        elif name in self.vectors:
            self._settle(value, Vec(target.type, self.vectors[name]), facts)
            self.forget_names({name})
        elif name in self.varying or name in self.inline:
            raise NotVector(f"{name} is assigned before it is known")
        else:
            x = self.expanded(st.value)
            if self.varies(x) or self.mask is not None:
                raise NotVector(f"{name} varies after all")
            self.out.append(s.Assign(target, x, st.op))
            self.forget_names({name})
            self.cost += self.times * (40 if has_load(x) else 1)

    def _settle(self, value: e.Expr, want: Vec, facts: Facts) -> None:
        """The value in the active lanes of `want`."""
        if self.mask is None:
            self.into(value, facts, want)
            return
        self._settled(self.vec(value, facts), want)

    def _settled(self, new: Vec, want: Vec) -> None:
        """A value that is there, in the active lanes of `want`."""
        if self.mask is None:
            size, t = self.size, want.elem
            self.emit(copy(self.operand(want), self.operand(new), size, t, "NRAM2NRAM"))
            self.drop(new)
            return
        if want.elem == U32:
            new, want = replace(new, elem=I32), replace(want, elem=I32)
        if want.elem not in (*FLOATS, I32):
            self._masked_lanes(want, new)
            return
        self._blended(new, want, want)

    def _blended(self, new: Vec, old: Vec, want: Vec | None = None) -> Vec:
        """The new values in the active lanes, the old ones in the others."""
        bits = Vec(I32, self.mask)
        if old.elem in (F32, I32):
            return self.mixed(bits, new, old, old.elem, want)
        a, b = self.converted(new, F32), self.converted(old, F32)
        return self.converted(self.mixed(bits, a, b, F32), old.elem, want)

    def _masked_lanes(self, want: Vec, new: Vec) -> None:
        lane = self.counter()
        assign = s.Assign(self.element(want, lane), self.element(new, lane))
        self.per_lane(lane, self._if_active(lane, assign))

    def _if_active(self, lane: e.Var, st: s.Stmt) -> s.Stmt:
        if self.mask is None:
            return st
        return s.If(e.compare("!=", at(self.mask, lane), ZERO), (st,))

    # -- stores -----------------------------------------------------------------------------------

    def _store(self, place: e.Index, value: e.Expr, facts: Facts) -> None:
        w = self.where(place, facts)
        if w is not None and w.stride.terms and self.mask is None:
            near = w.near and w.stride.constant == 1
            if near:
                self.into(value, facts, Vec(w.elem, place=place))
            else:
                v = self.vec(value, facts)
                self.store(w, v, facts)
                self.drop(v)
            self.forget(w.root, w.near)
            return
        if w is not None and not w.stride.terms:
            raise NotVector("all lanes write one place")
        if w is not None and w.stride.constant == 1 and self._store_all(w, place, value, facts):
            return
        self._scatter(place, value, facts)

    def _store_all(self, w: Where, place: e.Index, value: e.Expr, facts: Facts) -> bool:
        """What all lanes have read goes back for all of them, changed in the active ones.

        No other iteration may write there, or this one could not have read it.
        """
        known = self.loaded.get(place)
        if self.mask is None or known is None or known[:2] != (self.lo, self.hi):
            return False
        if w.elem not in (*FLOATS, I32):
            return False
        new = self.vec(value, facts)
        if self.loaded.get(place) != known:
            return False
        mixed = self._blended(new, Vec(w.elem, known[2]))
        self.store(w, mixed, facts)
        self.drop(mixed)
        self.forget(w.root, w.near)
        return True

    def _scatter(self, place: e.Index, value: e.Expr, facts: Facts) -> None:
        if not isinstance(place.type, Scalar):
            raise NotVector("a store of something that is no number")
        v = self.value(value, facts)
        lane = self.counter()
        to = self.in_lane(place.index, lane, facts, sure=self.mask is None)
        base = self.in_lane(place.base, lane, facts) if self.varies(place.base) else place.base
        found = self.element(v, lane) if isinstance(v, Vec) else v
        assign = s.Assign(e.Index(base, to, place.type), found)
        self.per_lane(lane, self._if_active(lane, assign), weight=4)
        self.drop(v)
        self.forget(None, False)
        self.loaded.clear()

    def _update(self, st: s.Assign, value: e.Expr, facts: Facts) -> None:
        """Elements that several lanes may change: one lane after the other, by values that are
        there."""
        place = st.target
        known = isinstance(value, e.Binary) and value.op in SUMS and value.a == place
        if not known or not isinstance(value, e.Binary) or not isinstance(place, e.Index):
            raise NotVector("iterations update the same element")
        v = self.value(value.b, facts)
        lane = self.counter()
        target = self.expanded(place)
        assert isinstance(target, e.Index)
        index = self._computed(target.index, lane, facts)
        base = self.in_lane(target.base, lane, facts) if self.varies(target.base) else target.base
        by = self.element(v, lane) if isinstance(v, Vec) else v
        one = s.Assign(e.Index(base, index, place.type), by, value.op)
        self.per_lane(lane, self._if_active(lane, one), weight=8)
        self.drop(v)
        self.loaded.clear()

    def _computed(self, index: e.Expr, lane: e.Expr, facts: Facts) -> e.Expr:
        """A subscript in one lane; what it takes of floats is computed for all lanes before."""
        x = index
        while isinstance(x, e.Cast) and is_int(x.x.type):
            x = x.x
        floats = any(isinstance(n, e.Expr) and n.type in FLOATS for n in walk(x))
        if x.type != I32 or not floats or not self.varies(x):
            return self.in_lane(index, lane, facts, sure=self.mask is None)
        return cast(self.element(self.vec(x, facts), lane), index.type)

    # -- control ----------------------------------------------------------------------------------

    def branch(self, st: s.If, facts: Facts) -> None:
        cond = self.expanded(st.cond)
        yes, no = facts.with_cond(st.cond), facts.with_cond(st.cond, False)
        if not self.varies(cond) and self.mask is None:
            then = self.nested(lambda: self.body(st.then, yes))
            other = self.nested(lambda: self.body(st.orelse, no))
            self._written(st)
            self.out.append(s.If(cond, then, other))
            return
        found = as_range(self, cond, facts) if self.mask is None else None
        back = negated(cond) if st.orelse else None
        other_range = as_range(self, back, facts) if back is not None else None
        if found is not None and (not st.orelse or other_range is not None):
            self._ranged(found, st.then, yes)
            if other_range is not None and st.orelse:
                self._ranged(other_range, st.orelse, no)
            self._written(st)
            return
        self._masked(cond, st, facts)

    def _ranged(self, found: object, body: s.Body, facts: Facts) -> None:
        lo, hi = self.bounds(found.lo, found.hi)  # type: ignore[attr-defined]
        uniform = found.uniform  # type: ignore[attr-defined]
        self.within(lo, hi, uniform, lambda: self.body(body, facts))

    def _written(self, st: s.Stmt) -> None:
        """Loaded copies are not to be used after a part that may have written their source."""
        for n in walk(st):
            if isinstance(n, s.Assign):
                if isinstance(n.target, e.Var):
                    self.forget_names({n.target.name})
                else:
                    self.loaded.clear()

    def _masked(self, cond: e.Expr, st: s.If, facts: Facts) -> None:
        outer, own = self.mask, self.buffer("mask", I32)
        before = self.data_only
        only = (outer is None or before) and not self.on_index(cond)
        held = Vec(I32, own)
        self.chosen(cond, facts, held)
        self._within_outer(held, outer)
        self.mask, self.data_only = own, only
        self._under_mask(st.then, facts.with_cond(st.cond))
        if st.orelse:
            self.bitwise("__bang_bnot", held, held)
            self._within_outer(held, outer)
            self._under_mask(st.orelse, facts.with_cond(st.cond, False))
        self.mask, self.data_only = outer, before
        self._written(st)

    def _within_outer(self, held: Vec, outer: e.Var | None) -> None:
        if outer is not None:
            self.bitwise("__bang_band", held, held, Vec(I32, outer))

    def _under_mask(self, body: s.Body, facts: Facts) -> None:
        for st in body:
            if isinstance(st, s.While):
                raise NotVector("a loop that some lanes do not run")
            self.statement(st, facts)
            facts = after(st, facts)

    def repeat(self, st: s.For, facts: Facts) -> None:
        if escapes(st.body, in_loop=False, in_break=False):
            raise NotVector("a loop that can be left early")
        lo, hi, step = (self.expanded(x) for x in (st.lo, st.hi, st.step))
        if self.varies(hi) or self.varies(step):
            raise NotVector("a loop whose length varies")
        if self.varies(lo):
            self._staggered(st, lo, hi, step, facts)
            return
        self._loop(st, lambda: self.body(st.body, inside(st, facts)), s.For, lo, hi, step)

    def _loop(
        self, st: s.For, run: object, kind: object, lo: e.Expr, hi: e.Expr, step: e.Expr
    ) -> None:
        self._written(st)
        self.loaded.clear()
        times = self.times
        self.times *= self.trip(lo, hi, step)
        body = self.nested(run)
        self.times = times
        self.loaded.clear()
        self.out.append(s.For(st.var, lo, hi, step, body))

    def trip(self, lo: e.Expr, hi: e.Expr, step: e.Expr) -> float:
        """Iterations that a loop is taken to have."""
        if isinstance(lo, e.Const) and isinstance(hi, e.Const) and isinstance(step, e.Const):
            return float(max(1.0, (hi.value - lo.value) / max(1, step.value)))
        by = step.value if isinstance(step, e.Const) else 1
        return float(max(1.0, USUAL / max(1, by)))

    def _staggered(self, st: s.For, lo: e.Expr, hi: e.Expr, step: e.Expr, facts: Facts) -> None:
        """`for j in [lane + a, hi)`: lane 0's counter leads, the last round has fewer lanes."""
        p = facts.poly(lo).split(self.var.name)
        if p is None or p[0].constant != 1 or self._hidden(p[1], facts):
            raise NotVector("a loop whose start varies")
        j = e.Var(fresh_name(st.var.name, self.arena.taken), st.var.type)
        lane = cast(sub(self.var, self.base), j.type)
        self.inline[st.var.name] = e.Binary("+", j, lane, j.type)
        start = self.placed(lo, ZERO)
        times = self.times
        self._written(st)
        self.loaded.clear()
        self.times *= self.trip(ZERO, hi, step)

        def run() -> None:
            left = cast(sub(hi, j), I32)
            last = self._named("last", e.Call("min", (self.hi, left), I32))
            self.within(self.lo, last, [], lambda: self.body(st.body, inside(st, facts)))

        body = self.nested(run)
        self.times = times
        self.loaded.clear()
        self.out.append(s.For(j, start, hi, step, body))

    def repeat_while(self, st: s.While, facts: Facts) -> None:
        cond = self.expanded(st.cond)
        if self.varies(cond) or has_load(cond) or escapes((*st.body, *st.step)):
            raise NotVector("a loop whose end varies")
        self._written(st)
        self.loaded.clear()
        times = self.times
        self.times *= 5
        body = self.nested(lambda: self.body(st.body, facts))
        step = self.nested(lambda: self.body(st.step, facts))
        self.times = times
        self.loaded.clear()
        self.out.append(s.While(cond, body, step, do=st.do))

    # -- accumulators ---------------------------------------------------------------------------

    def reduce(self, step: Step, facts: Facts) -> None:
        """One value from all active lanes, combined into the outer variable."""
        op = {"<": "min", "<=": "min", ">": "max", ">=": "max"}.get(step.op, step.op)
        if step.place is not None:
            raise NotVector("the place of an extreme")
        if op in ops.POOL and step.var.type in (I32, U32) and self.mask is None:
            self._halved(step, op, facts)
            return
        if op not in ops.POOL or step.var.type not in FLOATS:
            self._reduce_lanes(step, op, facts)
            return
        v = self.vec(step.value, facts)
        v = self.converted(v, F32)
        if self.mask is not None:
            neutral = {"+": 0.0, "max": float("-inf"), "min": float("inf")}[op]
            v = self.mixed(Vec(I32, self.mask), v, real(neutral, F32), F32)
        self._pool(step, op, v)

    def _pool(self, step: Step, op: str, v: Vec) -> None:
        part = self.arena.array("part", F32, 32)
        self.own.append(part)
        n = self.size
        self.emit(call(ops.POOL[op], part, self.operand(v), ONE, ONE, n, ONE, n, ONE, ONE))
        self.drop(v)
        t = step.var.type
        found = cast(at(part, ZERO), t)
        self._combine(step.var, op, found)

    def _halved(self, step: Step, op: str, facts: Facts) -> None:
        """Integers, which no pool takes: the upper half onto the lower one, until one is left."""
        unsigned = step.var.type == U32
        if unsigned and (op != "+" or not facts.ledger.assume(WRAPS)):
            self._reduce_lanes(step, op, facts)
            return
        v = self.vec(cast(step.value, I32), facts)
        if not v.temp or is_const(self.size, 1):
            own = self.temp(I32)
            self.emit(copy(self.operand(own), self.operand(v), self.size, I32, "NRAM2NRAM"))
            v = own
        left, half = (e.Var(fresh_name(n, self.arena.taken), I32) for n in ("left", "half"))
        self.out.append(s.Decl(left, self.size))
        at_half = e.Binary("+", self.operand(v), half, Pointer(I32))
        name = {"+": "__bang_add", "max": "__bang_maxequal", "min": "__bang_minequal"}[op]
        body = (
            s.Decl(half, e.Binary("/", add(left, ONE), const(2), I32), const=True),
            call(name, self.operand(v), self.operand(v), at_half, sub(left, half)),
            s.Assign(left, half),
        )
        self.out.append(s.While(e.compare(">", left, ONE), body))
        self.cost += self.times * 8 * (24 + self.usual / 32)
        found = cast(self.element(v, self.lo), step.var.type)
        self._combine(step.var, op, found)
        self.drop(v)

    def _combine(self, var: e.Var, op: str, found: e.Expr) -> None:
        if op in ("max", "min"):
            self.out.append(s.Assign(var, e.Call(op, (var, found), var.type)))
        elif op in ("&&", "||"):
            self.out.append(s.Assign(var, e.Binary(op, var, found, BOOL)))  # type: ignore[arg-type]
        else:
            self.out.append(s.Assign(var, found, op))  # type: ignore[arg-type]
        self.cost += self.times * 8

    def _reduce_lanes(self, step: Step, op: str, facts: Facts) -> None:
        lane = self.counter()
        sure = self.mask is None
        x = self.in_lane(self.expanded(step.value), lane, facts, sure)
        out, self.out = self.out, []
        self._combine(step.var, op, x)
        (one,), self.out = self.out, out
        self.per_lane(lane, self._if_active(lane, one), weight=3)


__all__ = ["LANE_LIMIT", "Pieces", "add", "const"]
