"""Lanes that take turns along a row become the inner loop: neighbours are then read together.

`for lane { x; for (j = lane; j < n; j += 32) f(j); y }` becomes `for lane x`, then
`for (j = 0; j < n; j += 32) for lane f(j + lane)`, then `for lane y`. The lanes do not meet, so
each does what it did, in the same order; what one keeps from part to part is an array over them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from xpiler.analysis.effects import assigned, declared, escapes, names_in
from xpiler.analysis.parallelism import nature
from xpiler.analysis.ranges import Facts, is_int, type_range
from xpiler.analysis.reductions import Reduction
from xpiler.analysis.walker import Walker, inside
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import fresh_name, rewrite_exprs, rewrite_stmts, substitute, walk
from xpiler.ir.types import F32, F64, Array, Scalar
from xpiler.passes.lowering.vector.contractions import REORDERED
from xpiler.passes.lowering.vector.isa import Isa
from xpiler.passes.lowering.vector.lanes import Lanes

FEWEST, MOST = 8, 1024
"""How many lanes there may be."""


@dataclass
class Interleave(Walker):
    """Rewrites a function; `taken` are its names."""

    isa: Isa
    pure: frozenset[str]
    taken: set[str]
    assumed: set[str] = field(default_factory=set)

    def stmt(self, st: s.Stmt, facts: Facts) -> s.Body:
        if isinstance(st, s.For) and (lanes := _lanes(st)) and _turns_in(st):
            new = self._interleaved(st, lanes, facts)
            if new is not None:
                return new
        return (self.descend(st, facts),)

    def _interleaved(self, loop: s.For, lanes: int, facts: Facts) -> s.Body | None:
        found = nature(_without_flags(loop), facts, self.pure)
        if not found.parallel or found.atomics or escapes(loop.body):
            return None
        if not all(_in_any_order(r) for r in found.reductions):
            return None
        body = _without_indices(loop.body)
        known = inside(loop, facts)
        registers = Lanes(self.isa, loop.var, 16, Scalar("i32"))
        shared = frozenset(r.var.name for r in found.reductions)
        parts = Parts(loop, lanes, body, registers, known, shared)
        parts.spread(body, parts.out)
        if not parts.turned or not parts.keep(self.taken):
            return None
        if not all(self._fits(x, lanes, facts) for x in parts.turned):
            return None
        self.assumed |= set(found.sentences)
        if any(r.var.type in (F32, F64) and r.op == "+" for r in found.reductions):
            self.assumed.add(REORDERED)
        first = replace(parts.out[0], comments=(*loop.comments, *parts.out[0].comments))
        return (*parts.decls, *_renamed((first, *parts.out[1:]), loop.var, self.taken))

    def _fits(self, loop: s.For, lanes: int, facts: Facts) -> bool:
        """The row's index plus a lane stays in its type."""
        limits = type_range(loop.var.type)
        if limits is None:
            return False
        room = -facts.poly(loop.hi) + (limits[1] - lanes)
        text = f"the end of a row and {lanes} more is no overflow of {loop.var.type}"
        return facts.nonneg(room) or facts.assume(text, room)


@dataclass
class Parts:
    """The loop over `loop.var` in parts, each of which all lanes do before the next."""

    loop: s.For
    count: int
    body: s.Body
    lanes: Lanes
    facts: Facts
    shared: frozenset[str]  # the variables into which all lanes add
    out: list[s.Stmt] = field(default_factory=list)
    decls: list[s.Stmt] = field(default_factory=list)
    turned: list[s.For] = field(default_factory=list)

    def __post_init__(self) -> None:
        own = {n.var.name: n for n in walk(self.body) if isinstance(n, s.Decl)}
        changed = assigned(self.body)
        self.lanes.varying |= changed
        while True:  # a variable whose value depends on one that varies does so too
            new = {
                k for k, d in own.items()
                if k not in self.lanes.varying and (d.init is None or not self._steady(d.init))
            }  # fmt: skip
            if not new:
                return
            self.lanes.varying |= new

    def _steady(self, x: e.Expr) -> bool:
        """One value for all lanes, whenever it is asked for."""
        return self.lanes.uniform(x) and not any(isinstance(n, (e.Index, e.Call)) for n in walk(x))

    def spread(self, body: s.Body, out: list[s.Stmt]) -> None:
        pending: list[s.Stmt] = []

        def flush() -> None:
            if pending:
                out.append(replace(self.loop, body=tuple(pending), comments=()))
                pending.clear()

        for st in body:
            if isinstance(st, s.Decl) and st.var.name not in self.lanes.varying:
                out.append(st)
            elif isinstance(st, s.For) and self._takes_turns(st):
                flush()
                out.append(self._turn(st))
            elif isinstance(st, s.If) and self._steady(st.cond) and _turns_in(st):
                flush()
                out.append(replace(st, then=self._apart(st.then), orelse=self._apart(st.orelse)))
            else:
                pending.append(st)
        flush()

    def _apart(self, body: s.Body) -> s.Body:
        inner: list[s.Stmt] = []
        self.spread(body, inner)
        return tuple(inner)

    def _takes_turns(self, st: s.For) -> bool:
        if isinstance(st.step, e.Const) and st.step.value == 1:
            return False
        own = self._by_one(st.lo) and self._steady(st.hi) and self._steady(st.step)
        return own and isinstance(st.var.type, Scalar) and st.var.type.bits >= 32

    def _by_one(self, x: e.Expr) -> bool:
        """Whether `x` grows by one from lane to lane; a number that is not negative may change its
        type."""
        if isinstance(x, e.Cast) and is_int(x.x.type) and x.x.type.bits <= x.type.bits:  # type: ignore[attr-defined]
            return self._by_one(x.x) and self.facts.nonneg(self.facts.poly(x.x))
        return self.lanes.slope(x) == 1

    def _turn(self, st: s.For) -> s.For:
        """The row in steps, and in each step the lanes that are not beyond its end."""
        lane, row = self.loop.var, st.var
        t = row.type
        lo = _folded(substitute(st.lo, {lane.name: e.Const(0, lane.type)}))
        one = e.Const(1, t)
        if self._shares_all(st):  # each element has its lane, and no matter which
            done = replace(st, lo=lo, step=one, kind="serial", unroll=0)
            self.turned.append(done)
            return done
        mine = e.Binary("+", row, lane if lane.type == t else e.Cast(lane, t), t)
        body = substitute(st.body, {row.name: mine})
        left = e.Binary("-", st.hi, row, t)
        hi: e.Expr = e.Call("min", (e.Const(self.count, t), left), t)
        if lane.type != t:
            hi = e.Cast(hi, lane.type)
        inner = replace(self.loop, kind="serial", hi=hi, body=body, comments=())
        done = replace(st, lo=lo, body=(inner,), kind="serial", unroll=0)
        self.turned.append(done)
        return done

    def _shares_all(self, st: s.For) -> bool:
        """Whether the lanes read every element between them and do the same with it."""
        whole = isinstance(st.step, e.Const) and st.step.value == self.count
        inner = set(declared(st.body)) | {st.var.name}
        mine = (self.lanes.varying - inner - self.shared) | {self.loop.var.name}
        return whole and not names_in(st.body) & mine

    # -- what lives on from part to part -------------------------------------------------------

    def keep(self, taken: set[str]) -> bool:
        """Arrays for the variables that several parts use; False where one cannot be kept so."""
        loops = [n for st in self.out for n in walk(st) if isinstance(n, s.For)]
        used = [set(names_in(x.body)) for x in loops if x.var == self.loop.var]
        own = {n.var.name: n.var for n in walk(self.body) if isinstance(n, s.Decl)}
        several = [
            v for k, v in own.items()
            if k in self.lanes.varying and sum(k in names for names in used) > 1
        ]  # fmt: skip
        if not all(isinstance(v.type, Scalar) for v in several):
            return False
        for v in several:
            array = e.Var(fresh_name(v.name.split(".")[0], taken), Array(v.type, self.count))
            self.decls.append(s.Decl(array))
            self.out = list(_kept(tuple(self.out), v, e.Index(array, self.loop.var, v.type)))
        return True


def _kept(body: s.Body, v: e.Var, place: e.Index) -> s.Body:
    def declared(st: s.Stmt) -> s.Stmt:
        if not isinstance(st, s.Decl) or st.var != v:
            return st
        if st.init is None:
            return s.Scope(())
        return s.Assign(v, st.init, loc=st.loc, comments=st.comments)

    def read(x: e.Expr) -> e.Expr:
        return place if x == v else x

    done: s.Body = rewrite_exprs(rewrite_stmts(body, declared), read)
    return done


def _renamed(body: s.Body, lane: e.Var, taken: set[str]) -> s.Body:
    """A variable of its own for each loop over the lanes, the first of which keeps the old one."""
    names = [lane.name]

    def one(st: s.Stmt) -> s.Stmt:
        if not isinstance(st, s.For) or st.var != lane:
            return st
        var = e.Var(names.pop() if names else fresh_name(lane.name, taken), lane.type)
        return replace(st, var=var, body=substitute(st.body, {lane.name: var}))

    done: s.Body = rewrite_stmts(body, one)
    return done


def _lanes(loop: s.For) -> int:
    """The number of iterations of a loop over lanes; 0 for other loops."""
    ends = (loop.lo, loop.hi, loop.step)
    if not all(isinstance(x, e.Const) for x in ends) or not is_int(loop.var.type):
        return 0
    lo, hi, step = (int(x.value) for x in ends)  # type: ignore[attr-defined]
    return hi if (lo, step) == (0, 1) and FEWEST <= hi <= MOST else 0


def _turns_in(st: s.Stmt) -> bool:
    """Whether some loop inside takes longer steps."""
    return any(isinstance(n, s.For) and n is not st and not _is_one(n.step) for n in walk(st))


def _in_any_order(r: Reduction) -> bool:
    return r.op in ("+", "max", "min") and r.place is None and not r.loose


def _is_one(x: e.Expr) -> bool:
    return isinstance(x, e.Const) and x.value == 1


def _without_flags(loop: s.For) -> s.For:
    """Without what sets an outer variable, that the loop never reads, to one constant value."""
    values: dict[e.Var, set[e.Expr]] = {}
    uses: dict[e.Expr, int] = {}
    for n in walk(loop.body):
        if isinstance(n, s.Assign) and isinstance(n.target, e.Var):
            values.setdefault(n.target, set()).add(n.value if not n.op else n.target)
        if isinstance(n, e.Var):
            uses[n] = uses.get(n, 0) + 1
    flags = {
        v for v, given in values.items()
        if len(given) == 1 and isinstance(next(iter(given)), e.Const)
        and v.name not in declared(loop.body)
        and uses[v] == sum(isinstance(n, s.Assign) and n.target == v for n in walk(loop.body))
    }  # fmt: skip

    def one(st: s.Stmt) -> s.Stmt:
        return s.Scope(()) if isinstance(st, s.Assign) and st.target in flags else st

    return replace(loop, body=rewrite_stmts(loop.body, one))


def _without_indices(body: s.Body) -> s.Body:
    """Whole numbers that are named once and never change, in place of their names."""
    changed = assigned(body)
    while True:
        for st in body:
            if isinstance(st, s.Decl) and _is_index(st, changed):
                value = {st.var.name: st.init}
                rest = tuple(x for x in body if x is not st)
                body = substitute(rest, value)  # type: ignore[arg-type]
                break
        else:
            return body


def _is_index(st: s.Decl, changed: frozenset[str] | set[str]) -> bool:
    x = st.init
    if x is None or not is_int(st.var.type) or st.var.name in changed or x.type != st.var.type:
        return False
    plain = all(isinstance(n, (e.Var, e.Const, e.Binary, e.Cast)) for n in walk(x))
    return plain and not names_in(x) & changed and sum(1 for _ in walk(x)) <= 8


def _folded(x: e.Expr) -> e.Expr:
    """Without the zero that a lane's number has become."""

    def one(n: e.Expr) -> e.Expr:
        if isinstance(n, e.Binary) and n.op == "+":
            for zero, other in ((n.a, n.b), (n.b, n.a)):
                if isinstance(zero, e.Const) and zero.value == 0 and other.type == n.type:
                    return other
        if isinstance(n, e.Cast) and isinstance(n.x, e.Const):
            return e.Const(n.x.value, n.type)
        return n

    done: e.Expr = rewrite_exprs(x, one)
    return done
