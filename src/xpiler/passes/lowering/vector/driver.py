"""Finds the loops that fit into vector registers, from the outside inwards, and rewrites them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from xpiler.analysis.atoms import REORDERED
from xpiler.analysis.dependence import independent
from xpiler.analysis.effects import escapes, names_in
from xpiler.analysis.parallelism import nature
from xpiler.analysis.purity import pure_functions
from xpiler.analysis.ranges import Facts, Ledger, type_range
from xpiler.analysis.walker import Walker, inside
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.check import check
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import fresh_name, rewrite_exprs, rewrite_stmts, substitute, walk
from xpiler.ir.types import BOOL, F32, F64, I32, I64, U32, Array, Opaque, Scalar, Vector
from xpiler.passes.cleanup import Assumptions
from xpiler.passes.cleanup.base import Context, sentence
from xpiler.passes.cleanup.values import valued
from xpiler.passes.lowering.base import Lowered, Origin, unmarked
from xpiler.passes.lowering.vector.apart import given, taken_apart
from xpiler.passes.lowering.vector.census import (
    SMALL_ARRAY,
    decided_by_data,
    innermost,
    scalar_loops,
)
from xpiler.passes.lowering.vector.contractions import Contractions
from xpiler.passes.lowering.vector.dense import distances, either, side_by_side
from xpiler.passes.lowering.vector.dots import dot
from xpiler.passes.lowering.vector.interleave import Interleave
from xpiler.passes.lowering.vector.isa import Isa, Unsuitable
from xpiler.passes.lowering.vector.kept import gathered_behind
from xpiler.passes.lowering.vector.lanes import NARROW, Lanes
from xpiler.passes.lowering.vector.marks import Marker, as_sums, steady_readers
from xpiler.passes.lowering.vector.places import extreme_of, strips
from xpiler.passes.lowering.vector.sharing import shared
from xpiler.passes.lowering.vector.strips import Strip, accumulation, private_scalars
from xpiler.platforms.registry import Platform

INF = float("inf")
SHORT = 8
"""Loops of fewer iterations stay as they are."""


def lower(program: Program, platform: Platform, origin: Origin, assume: Assumptions) -> Lowered:
    """`program` with its innermost loops in vector instructions where that is shown to be right.

    Everything else stays plain C. What was taken for granted is among the assumptions.
    """
    program = unmarked(program)
    work = _Program(program, platform.tables["lowering"]["vector"], assume)
    functions = [work.lowered(f) for f in program.functions]
    new = replace(
        program,
        functions=_still_called(program, functions),
        externals=program.externals | frozenset(work.used),
    )
    if len(check(new, sequential=True)) > len(check(program, sequential=True)):
        return Lowered(program, loops=innermost(program))
    assumptions = (*work.ledger.sentences, *sorted(work.assumed))
    return Lowered(new, (), assumptions, loops=innermost(new), ordered=decided_by_data(new))


@dataclass
class _Program:
    """Lowers the functions of `program` one by one; the rest is what they need and assume."""

    program: Program
    table: Mapping[str, Any]
    assume: Assumptions
    used: set[str] = field(default_factory=set)
    assumed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.assume.no_wrap, self.assume.no_alias, unsigned=True)
        self.pure = pure_functions(self.program)
        self.quiet = self.pure | steady_readers(self.program)
        self.known = {f.name: f for f in self.program.functions}

    def lowered(self, f: Function) -> Function:
        """`f` with its loops in vectors; taken apart first where more of them fit then."""
        start = len(self.ledger.sentences)
        new, used, assumed = self._attempt(f)
        plain = self._scalar(new, used)
        apart = taken_apart(f, self.program, self.quiet) if plain else f
        if apart is not f:
            said = self.ledger.sentences[start:]
            del self.ledger.sentences[start:]
            other, more, sentences = self._attempt(apart)
            if self._scalar(other, more) < plain:
                new, used, assumed = other, more, sentences
            else:
                self.ledger.sentences[start:] = said
        self.used |= used
        self.assumed |= assumed
        return new

    def _scalar(self, f: Function, used: set[str]) -> int:
        known = self.program.externals | used
        return len(scalar_loops(f, replace(self.program, externals=known)))

    def _attempt(self, f: Function) -> tuple[Function, set[str], set[str]]:
        """`f` with its loops in vectors, the instructions used, and what was assumed."""
        isa, assumed = Isa(self.table), set[str]()
        names = _names(self.program, f)
        f = f.with_body(_with_values(f.body, self.known, names))
        before = Context(self.assume, self.ledger, self.program)
        product = Contractions(isa.table, self.pure, names, isa.used, assumed)
        f = product.run(f, self._facts(f, before))
        f = Interleave(isa, self.pure, names, assumed).run(f, self._facts(f, before))
        facts = self._facts(f, Context(self.assume, self.ledger, self.program))
        marker = Marker(self.quiet, names)
        new = _Vectoriser(isa, self.table, names, marker, assumed).run(f, facts)
        return new, isa.used, assumed

    def _facts(self, f: Function, ctx: Context) -> Facts:
        """What holds at the start of `f`, also because all calls say so."""
        facts = ctx.facts(f)
        for p, x in given(f, self.program).items():
            v = facts.poly(p)
            facts = facts.with_fact(v - facts.poly(x)).with_fact(facts.poly(x) - v)
        return facts


def _with_values(body: s.Body, known: Mapping[str, Function], taken: set[str]) -> s.Body:
    """`body` with the values of calls instead of the calls; what they use repeatedly has a name."""

    def one(st: s.Stmt) -> s.Body:
        if not isinstance(st, (s.Decl, s.Assign)):
            return (st,)
        (new,) = valued((st,), known)
        return (st,) if new == st else shared(new, taken)

    return valued(rewrite_stmts(body, one), known)


def _still_called(program: Program, functions: list[Function]) -> tuple[Function, ...]:
    """`functions` without those that others called before what they do took the call's place."""

    def called(all_: Iterable[Function]) -> set[str]:
        return {n.func for f in all_ for n in walk(f.body) if isinstance(n, e.Call)}

    before = called(program.functions)
    while True:
        gone = before - called(functions)
        kept = [f for f in functions if f.name not in gone]
        if len(kept) == len(functions):
            return tuple(kept)
        functions = kept


def _names(program: Program, f: Function) -> set[str]:
    return (
        {p.name for p in f.params} | set(names_in(f.body)) | {g.var.name for g in program.globals}
    )


@dataclass
class _Vectoriser(Walker):
    isa: Isa
    table: Mapping[str, Any]
    taken: set[str]
    marker: Marker
    assumed: set[str] = field(default_factory=set)
    sums: dict[str, e.Var] = field(default_factory=dict)

    def stmt(self, st: s.Stmt, facts: Facts) -> s.Body:
        if not isinstance(st, s.For):
            return (self.descend(st, facts),)
        new = self._vectorised(st, facts)
        near = self._side_by_side(st, facts) if new is None else None
        if new is None:
            new = self._marked(st, facts)
        if near is not None:
            return (either(*near, new or (self.descend(st, facts),)),)
        if new is not None:
            return new
        loop = self.descend(st, facts)
        return gathered_behind(loop, self.sums) if isinstance(loop, s.For) else (loop,)

    def _side_by_side(self, loop: s.For, facts: Facts) -> tuple[e.Var, s.Body] | None:
        """The loop in lanes where what it reads lies side by side; the distance is 1 then."""
        for distance in distances(loop) if _writes(loop.body) else ():
            taken = set(self.taken)
            new = self._vectorised(side_by_side(loop, distance, taken), facts)
            if new is not None:
                self.taken |= taken
                return distance, new
        return None

    def _marked(self, loop: s.For, facts: Facts) -> s.Body | None:
        new = self.marker.mark(as_sums(loop), facts)
        if new is not None and self.marker.reordered:
            self.assumed.add(REORDERED)
        self.assumed |= self.marker.sentences
        return new

    def _vectorised(self, loop: s.For, facts: Facts) -> s.Body | None:
        if not _countable(loop, facts):
            return None
        loop = as_sums(loop)
        few = (self._sum, self._place)
        ways = (self._map, self._dot, *few) if _large(loop) else few
        for attempt in ways:
            mark, used = facts.mark(), set(self.isa.used)
            taken = set(self.taken)
            try:
                return attempt(loop, facts)
            except Unsuitable:
                facts.forget(mark)
                self.isa.used = used
                self.taken = taken
        return None

    # -- iterations that do not meet ---------------------------------------------------------

    def _map(self, loop: s.For, facts: Facts) -> s.Body:
        wide = lane_type(loop.body, self.isa)
        strip = self._strip(loop, wide, facts)
        if not _writes(loop.body):
            raise Unsuitable("nothing is written")
        mask, before = self._mask(loop, strip, facts)
        body = strip.body(loop.body, mask)
        if not independent(loop, facts):
            raise Unsuitable("iterations that meet")
        self.assumed |= strip.assumed
        width = strip.lanes.width
        if (facts.poly(loop.hi) - facts.poly(loop.lo)).constant == width:
            single = substitute(body, {loop.var.name: loop.lo})
            first = replace(single[0], comments=(*loop.comments, *single[0].comments))
            return as_registers((first, *single[1:]))
        step = e.Const(width, loop.var.type)
        return as_registers((replace(loop, step=step, body=(*before, *body), unroll=0),))

    def _strip(self, loop: s.For, wide: Scalar, facts: Facts) -> Strip:
        width = self.isa.lanes(wide)
        if not width:
            raise Unsuitable(f"no lanes of {wide}")
        lanes = Lanes(self.isa, loop.var, width, wide, facts=inside(loop, facts))
        strip = Strip(self.isa, lanes, self.taken)
        strip.changing = private_scalars(loop.body)
        lanes.varying |= strip.changing
        return strip

    def _mask(
        self, loop: s.For, strip: Strip, facts: Facts
    ) -> tuple[e.Expr | None, tuple[s.Stmt, ...]]:
        """The lanes that are left in a strip; None where all strips are whole."""
        width = strip.lanes.width
        trips = (facts.poly(loop.hi) - facts.poly(loop.lo)).constant
        if trips is not None and trips % width == 0:
            return None, ()
        if facts.quotient(
            facts.poly(loop.hi) - facts.poly(loop.lo), facts.poly(e.Const(width, loop.var.type))
        ) * width == facts.poly(loop.hi) - facts.poly(loop.lo):
            return None, ()
        _no_overflow(loop, width, facts)
        t = self.isa.mask_type(width)
        left = e.Binary("-", loop.hi, loop.var, loop.var.type)
        mask = e.Var(fresh_name("live", self.taken), t)
        strip.lanes.varying.add(mask.name)
        value = self.isa.call("first_lanes", t, (left,), t)
        return mask, (s.Decl(mask, value),)

    # -- sums, maxima, minima ------------------------------------------------------------------

    def _sum(self, loop: s.For, facts: Facts) -> s.Body:
        found = sums(loop)
        if _writes(loop.body):  # beside the sum, each iteration to a place of its own
            self._only_sums_meet(loop, facts)
        wide = lane_type(loop.body, self.isa)
        strip = self._strip(loop, wide, facts)
        width = strip.lanes.width
        starts: list[s.Stmt] = []
        ends: list[s.Stmt] = []
        for v, op in found.items():
            t = v.type
            assert isinstance(t, Scalar)
            if strip.lanes.lane_type(t) != t:
                raise Unsuitable(f"a sum in {t}")
            acc = e.Var(fresh_name(f"{v.name.split('.')[0]}_lanes", self.taken), Vector(t, width))
            strip.sums[v.name] = acc
            self.sums[acc.name] = v
            dropping = _drops_nan(loop, v)
            starts.append(s.Decl(acc, self._neutral(op, v, strip, dropping)))
            ends.append(self._gathered(op, v, acc, dropping))
            if op == "sum" and t.is_float:
                strip.assumed.add(REORDERED)
        strip.lanes.varying |= set(strip.sums) | {a.name for a in strip.sums.values()}
        mask, before = self._mask(loop, strip, facts)
        body = strip.body(loop.body, mask)
        if not any(isinstance(n, e.Index) and not strip.lanes.uniform(n) for n in walk(loop.body)):
            raise Unsuitable("nothing is read")
        self.assumed |= strip.assumed
        step = e.Const(width, loop.var.type)
        strips = replace(loop, step=step, body=(*before, *body), kind="serial", unroll=0)
        return as_registers((*starts, strips, *ends))

    def _place(self, loop: s.For, facts: Facts) -> s.Body:
        if not isinstance(loop.lo, e.Const):
            raise Unsuitable("a window: too short for what the lanes do at its end")
        found = extreme_of(loop)
        strip = self._strip(loop, I32, facts)
        mask, before = self._mask(loop, strip, facts)
        starts, body, ends = strips(loop, found, strip, mask)
        if not any(isinstance(n, e.Index) for n in walk(found.value)):
            raise Unsuitable("nothing is read")
        self.assumed |= strip.assumed
        step = e.Const(strip.lanes.width, loop.var.type)
        rest = replace(loop, step=step, body=(*before, *body), kind="serial", unroll=0)
        return as_registers((*starts, rest, *ends))

    def _only_sums_meet(self, loop: s.For, facts: Facts) -> None:
        seen = nature(loop, facts, self.marker.pure)
        if not seen.parallel or seen.atomics:
            raise Unsuitable("iterations that meet")
        self.assumed |= set(seen.sentences)

    def _neutral(self, op: str, v: e.Var, strip: Strip, dropping: bool) -> e.Expr:
        """What the lanes start with: zero, or what the variable holds already."""
        assert isinstance(v.type, Scalar)
        if op == "sum":
            return strip.lanes.spread(e.Const(0, v.type))
        if dropping:  # the variable may be no number, which `fmax` forgets
            return strip.lanes.spread(e.Const(-INF if op == "max" else INF, v.type))
        return self.isa.call("spread", v.type, (v,), strip.lanes.register(v.type))

    def _gathered(self, op: str, v: e.Var, acc: e.Var, dropping: bool) -> s.Stmt:
        assert isinstance(v.type, Scalar)
        whole = self.isa.call(f"{op}_all", v.type, (acc,), v.type)
        if dropping:
            return s.Assign(v, e.Call(op, (v, whole), v.type))
        return s.Assign(v, whole, "+") if op == "sum" else s.Assign(v, whole)

    def _dot(self, loop: s.For, facts: Facts) -> s.Body:
        return as_registers(dot(loop, self.isa, self.table["dot"], self.taken))


def _large(loop: s.For) -> bool:
    """Whether more than small arrays of the function's own is touched: compilers see to those."""
    bases = [n.base.type for n in walk(loop.body) if isinstance(n, e.Index)]
    return any(not isinstance(t, Array) or t.size is None or t.size > SMALL_ARRAY for t in bases)


def as_registers(body: s.Body) -> s.Body:
    """`body` with the platform's own types for vectors; a user's vectors are structs."""

    def one(x: e.Expr) -> e.Expr:
        if isinstance(x, (e.Var, e.Call)) and isinstance(x.type, Vector):
            return replace(x, type=Opaque(str(x.type)))
        return x

    done: s.Body = rewrite_exprs(body, one)
    return done


def _drops_nan(loop: s.For, v: e.Var) -> bool:
    """Whether the variable takes on `fmax(v, x)`, which forgets what is no number."""
    assigns = (n for n in walk(loop.body) if isinstance(n, s.Assign) and n.target == v)
    floating = isinstance(v.type, Scalar) and v.type.is_float
    return floating and any(
        isinstance(n.value, e.Call) and n.value.func in ("max", "min") for n in assigns
    )


# -- what fits ----------------------------------------------------------------------------------


def _countable(loop: s.For, facts: Facts) -> bool:
    if not (isinstance(loop.step, e.Const) and loop.step.value == 1) or escapes(loop.body):
        return False
    if any(isinstance(n, e.Expr) and isinstance(n.type, (Vector, Opaque)) for n in walk(loop)):
        return False
    if loop.var.type not in (I32, U32, I64, Scalar("u64")) or loop.kind == "unrolled":
        return False
    trips = (facts.poly(loop.hi) - facts.poly(loop.lo)).constant
    return trips is None or trips >= SHORT


def _no_overflow(loop: s.For, width: int, facts: Facts) -> None:
    """The loop variable steps past the end by less than a strip."""
    limits = type_range(loop.var.type)
    hi = facts.poly(loop.hi)
    assert limits is not None
    room = -hi + (limits[1] - width + 1)
    if facts.nonneg(room):
        return
    text = f"{sentence(loop.hi)} + {width - 1} does not overflow {loop.var.type}"
    if not facts.assume(text, room):
        raise Unsuitable(text)


def lane_type(body: s.Body, isa: Isa) -> Scalar:
    """The widest type of the numbers that vary: what decides how many fit into a register."""
    kinds: set[Scalar] = set()
    for n in walk(body):
        if isinstance(n, s.Decl) and isinstance(n.var.type, Scalar):
            kinds.add(n.var.type)
        elif isinstance(n, e.Index) and isinstance(n.type, Scalar):
            kinds.add(n.type)
        elif isinstance(n, s.Assign) and isinstance(n.target.type, Scalar):
            kinds.add(n.target.type)
    if F64 in kinds:
        return F64
    return F32 if kinds & {F32, I32, U32, BOOL} or any(k.name in NARROW for k in kinds) else I64


def _writes(body: s.Body) -> bool:
    return any(isinstance(n, s.Assign) and isinstance(n.target, e.Index) for n in walk(body))


def sums(loop: s.For) -> dict[e.Var, str]:
    """The variables that the loop adds up (or takes maxima of), and which of these."""
    own = {n.var.name for n in walk(loop.body) if isinstance(n, s.Decl)}
    found: dict[e.Var, str] = {}
    uses: dict[str, int] = {}
    for n in walk(loop.body):
        if isinstance(n, (s.For, s.While)) or (
            isinstance(n, s.Stmt) and not isinstance(n, (s.Decl, s.Assign, s.If, s.Scope))
        ):
            raise Unsuitable("more than sums")
        if isinstance(n, e.Var):
            uses[n.name] = uses.get(n.name, 0) + 1
        if isinstance(n, s.Assign) and isinstance(n.target, e.Var) and n.target.name not in own:
            kind = accumulation(n)
            if kind is None or n.target in found or not isinstance(n.target.type, Scalar):
                raise Unsuitable("a value that lives on in another way")
            found[n.target] = kind[0]
    for v in found:
        own_uses = [n for n in walk(loop.body) if isinstance(n, s.Assign) and n.target == v]
        inside_ = sum(1 for n in walk(own_uses[0]) if n == v)
        if uses[v.name] != inside_ or inside_ > 4:
            raise Unsuitable(f"{v.name} is read while it adds up")
    if not found:
        raise Unsuitable("nothing adds up")
    return found
