"""The scalar skeleton of a kernel: loops that stay loops, with vector instructions inside."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from xpiler.analysis.effects import assigned, declared, names_in
from xpiler.analysis.parallelism import Nature, nature
from xpiler.analysis.ranges import Facts
from xpiler.analysis.walker import after, inside
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import fresh_name, substitute, walk
from xpiler.ir.types import BOOL, I32, Array, Pointer, Scalar, Type, Vector
from xpiler.passes.lowering.tasks.build import NotVector, size_of
from xpiler.passes.lowering.tasks.contractions import Contraction, contraction
from xpiler.passes.lowering.tasks.exchange import power_of
from xpiler.passes.lowering.tasks.lanes import USUAL
from xpiler.passes.lowering.tasks.loops import SHARE, Written, vectorised
from xpiler.passes.lowering.tasks.matmul import Tiled, worth_padding
from xpiler.passes.lowering.tasks.nram import ALIGN, Arena, TooLarge
from xpiler.passes.lowering.tasks.runs import in_rows

SMALLEST = 64
"""Lanes that a piece has at least."""

LARGEST = 256 * 1024
"""Bytes: local arrays beyond this stay in the core's part of the device memory."""

Bounds = tuple[e.Expr, e.Expr]


@dataclass
class Control:
    """Lowers the statements of one kernel.

    `near` names the local arrays that lie in NRAM, `far` the pointers to the device's memory;
    `notes` are the loops that stay scalar, and why; `small` loops for sizes that are too small for
    the matrix unit.
    """

    arena: Arena
    readers: frozenset[str]
    near: frozenset[str] = frozenset()
    far: frozenset[str] = frozenset()
    natures: dict[str, Nature] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    cost: float = 0.0
    halved: dict[str, int] = field(default_factory=dict)
    small: frozenset[str] = frozenset()

    def body(self, body: s.Body, facts: Facts) -> tuple[s.Body, float]:
        """The statements, and what they are taken to cost."""
        out: list[s.Stmt] = []
        cost = 0.0
        for st in body:
            new, price = self.statement(st, facts)
            out += new
            cost += price
            facts = after(st, facts)
        return tuple(out), cost

    def statement(self, st: s.Stmt, facts: Facts) -> tuple[s.Body, float]:
        if isinstance(st, s.For):
            return self.loop(st, facts)
        if isinstance(st, s.Decl):
            return (self._placed(st),), _price(st)
        if isinstance(st, s.If):
            then, a = self.body(st.then, facts.with_cond(st.cond))
            other, b = self.body(st.orelse, facts.with_cond(st.cond, False))
            return (replace(st, then=then, orelse=other),), _price(st.cond) + max(a, b)
        if isinstance(st, s.Scope):
            inner, cost = self.body(st.body, facts)
            return (replace(st, body=inner),), cost
        if isinstance(st, s.While):
            inner, cost = self._repeated(st, facts)
            return (replace(st, body=inner),), (cost + _price(st.cond)) * 8
        if isinstance(st, s.Switch):
            cases = tuple(replace(c, body=self.body(c.body, facts)[0]) for c in st.cases)
            return (replace(st, cases=cases),), _price(st)
        return (st,), _price(st)

    def _repeated(self, st: s.While, facts: Facts) -> tuple[s.Body, float]:
        power, known = power_of(st, self.halved), self.arena.powers
        if power is not None:
            self.arena.powers = known | {power: self.halved[power]}
        done = self.body(st.body, facts)
        self.arena.powers = known
        return done

    def _placed(self, st: s.Decl) -> s.Decl:
        """Arrays of numbers lie in NRAM."""
        if st.var.name not in self.near:
            return st
        return replace(st, space="nram")

    # -- loops ------------------------------------------------------------------------------------

    def nature(self, st: s.For, facts: Facts) -> Nature:
        known = self.natures.get(st.var.name)
        if known is None:
            known = self.natures[st.var.name] = nature(st, facts, self.readers)
        return known

    def loop(self, st: s.For, facts: Facts, bounds: Bounds | None = None) -> tuple[s.Body, float]:
        """The cheaper of: the whole loop in vector instructions; a scalar loop around its body."""
        steady = None if bounds else self._steadied(st, facts)
        if steady is not None:
            body, cost = self.loop(steady[1], steady[2])
            return (*steady[0], *body), cost
        product = self._product(st, facts, bounds)
        if product is not None:
            return self._small_or(product, st, facts, bounds)
        start, kept = self.arena.mark(), dict(self.notes)
        tried = []
        for attempt in (self._rows, self._vector):
            done = attempt(st, facts, bounds)
            if done is not None and not _worth_looking(st):
                return done
            if done is not None:
                tried.append((done, self.arena.mark()))
                self.arena.back(start)
        inner, cost = self.body(st.body, inside(st, facts))
        lo, hi = bounds or (st.lo, st.hi)
        whole = (SHARE if bounds else _trips(lo, hi, st.step)) * (cost + 4)
        best = min(tried, key=lambda item: item[0][1], default=None)
        if best is not None and best[0][1] <= whole:
            self.arena.back(best[1])
            self.notes = kept
            return best[0]
        kind = "serial" if st.kind in ("parallel", "serial") else st.kind
        return (replace(st, lo=lo, hi=hi, body=inner, kind=kind),), whole

    def _product(
        self, st: s.For, facts: Facts, bounds: Bounds | None
    ) -> tuple[s.Body, float] | None:
        """The loop as a product of matrices; None where it is none."""
        found = None if st.var.name in self.small else contraction(st, facts, self.far)
        both = None if found is None else self._independent(found, facts)
        if found is None or both is None:
            return None
        mark, near = self.arena.mark(), self.near
        tiled = Tiled(found, self.arena, self._with_sums, bounds)
        try:
            body = tiled.write()
        except NotVector:
            self.arena.back(mark)
            return None
        finally:
            self.near = near
        for n in both:
            facts.ledger.sentences += [x for x in n.sentences if x not in facts.ledger.sentences]
        for var in tiled.own:
            self.arena.release(var)
        return body, tiled.cost

    def _small_or(
        self, product: tuple[s.Body, float], st: s.For, facts: Facts, bounds: Bounds | None
    ) -> tuple[s.Body, float]:
        """A product, or the loops by vectors where the padding of its operands would be more."""
        found = contraction(st, facts, self.far)
        cond = None if found is None else worth_padding(found)
        if cond is None:
            return product
        mark, notes = self.arena.mark(), dict(self.notes)
        self.small |= {st.var.name}
        try:
            other, cost = self.loop(st, facts, bounds)
        finally:
            self.small -= {st.var.name}
        if self.arena.used > self.arena.budget:
            self.arena.back(mark)
            self.notes = notes
            return product
        return (s.If(cond, product[0], other),), max(product[1], cost)

    def _independent(self, c: Contraction, facts: Facts) -> tuple[Nature, Nature] | None:
        """What is known of the two outer loops, where no iteration needs another one."""
        inner = c.row if c.outer is c.col else c.col
        here = inside(c.outer, facts)
        for d in c.head:
            here = after(d, here)
        both = self.nature(c.outer, facts), self.nature(inner, here)
        return both if all(n.free and not n.atomics for n in both) else None

    def rows_outside(self, st: s.For, facts: Facts) -> s.For:
        """A product of matrices with its rows outside: those are not padded, however few a task
        has, but columns are."""
        found = contraction(st, facts, self.far)
        if found is None or found.outer is not found.col or not self._independent(found, facts):
            return st
        if (names_in(found.row.lo) | names_in(found.row.hi)) & set(declared(st.body)):
            return st
        return replace(found.row, body=(replace(st, body=(*found.head, *found.row.body)),))

    def _rows(self, st: s.For, facts: Facts, bounds: Bounds | None) -> tuple[s.Body, float] | None:
        """A flat loop row by row, where its rows are vector instructions then."""
        mark, notes, natures = self.arena.mark(), dict(self.notes), dict(self.natures)
        ledger = facts.mark()
        lo, hi = bounds or (st.lo, st.hi)
        found = in_rows(st, lo, hi, facts, self.arena.taken)
        if found is None:
            return None
        inner = self._rows(found.inner, found.facts, None)
        if inner is None:
            inner = self._vector(found.inner, found.facts, None)
        if inner is None:
            self.arena.back(mark)
            self.notes, self.natures = notes, natures
            facts.forget(ledger)
            return None
        loops = found.around(inner[0])
        some = e.Binary("<", lo, hi, BOOL)
        sure = facts.nonneg(facts.poly(hi) - facts.poly(lo) - 1)
        body: s.Body = loops if sure else (s.If(some, loops),)
        return body, (SHARE if bounds else _trips(lo, hi, st.step)) * inner[1] / USUAL

    def _with_sums(self, st: s.For, facts: Facts) -> tuple[s.Body, float]:
        """The loops over a tile whose sums lie in NRAM."""
        self.near |= set(self.arena.arrays)
        return self.loop(st, facts)

    def _steadied(self, st: s.For, facts: Facts) -> tuple[s.Body, s.For, Facts] | None:
        """A loop that is parallel once variables that it only reads have names of their own."""
        if self.nature(st, facts).parallel:
            return None
        still = facts.mutable - assigned((st,))
        found = {n for n in walk(st) if isinstance(n, e.Var) and n.name in still}
        names = sorted((v for v in found if v.type == I32), key=lambda v: v.name)
        if not names:
            return None
        new = {v.name: e.Var(fresh_name(v.name, self.arena.taken), I32) for v in names}
        decls = tuple(s.Decl(new[v.name], v, const=True) for v in names)
        for d in decls:
            facts = after(d, facts)
        loop: s.For = substitute(st, new)
        known = self.natures.pop(st.var.name)
        if self.nature(loop, facts).parallel:
            return decls, loop, facts
        self.natures[st.var.name] = known
        return None

    def _vector(
        self, st: s.For, facts: Facts, bounds: Bounds | None
    ) -> tuple[s.Body, float] | None:
        found = self.nature(st, facts)
        mark, tile, arena = self.arena.mark(), self.arena.tile, self.arena
        sentences = len(facts.ledger.sentences)
        arena.cap = arena.used + (arena.budget - arena.used) * 2 // 3
        try:
            if _cheap(st):
                raise NotVector("a few integers only")
            new = self._fitting(st, facts, found, bounds)
        except NotVector as why:
            arena.back(mark)
            del facts.ledger.sentences[sentences:]
            self.notes[st.var.name] = str(why)
            return None
        finally:
            arena.tile, arena.cap = tile, 1 << 60
        for sentence in found.sentences:
            if sentence not in facts.ledger.sentences:
                facts.ledger.sentences.append(sentence)
        return new.body, new.cost

    def _fitting(self, st: s.For, facts: Facts, found: Nature, bounds: Bounds | None) -> Written:
        """The loop in pieces as large as fit."""
        mark = self.arena.mark()
        while True:
            try:
                return vectorised(st, facts, found, self.arena, self.near, self.far, bounds)
            except TooLarge:
                self.arena.back(mark)
                if self.arena.tile <= SMALLEST:
                    raise
                self.arena.tile //= 2


def _cheap(st: s.For) -> bool:
    """Whether a loop has nothing for vector instructions: no numbers but integers, few of them."""
    for n in walk(st.body):
        t = getattr(n, "type", None)
        if isinstance(n, e.Expr) and isinstance(t, Scalar) and t.is_float:
            return False
        if isinstance(n, e.Index) and isinstance(n.base.type, Pointer):
            return False
    return isinstance(st.hi, e.Const) and st.hi.value <= 8


def _worth_looking(st: s.For) -> bool:
    return any(isinstance(n, (s.For, s.While)) for n in walk(st.body))


def _trips(lo: e.Expr, hi: e.Expr, step: e.Expr) -> float:
    if isinstance(lo, e.Const) and isinstance(hi, e.Const) and isinstance(step, e.Const):
        return max(1.0, (hi.value - lo.value) / max(1, step.value))
    by = step.value if isinstance(step, e.Const) else 1
    return max(1.0, USUAL / max(1, by))


def _price(node: s.Stmt | e.Expr) -> float:
    """Scalar work: every operation some cycles, memory of the device many."""
    cost = 0.0
    for n in walk(node):
        if isinstance(n, e.Index) and isinstance(n.base.type, Pointer):
            cost += 24
        elif isinstance(n, (e.Index, e.Binary, e.Select)):
            cost += 3
        elif isinstance(n, e.Call):
            cost += 30
    return cost + 2


def near_arrays(body: s.Body) -> tuple[frozenset[str], int]:
    """Local arrays that are to lie in NRAM, and their bytes altogether."""
    names, total = set(), 0
    for name, d in declared(body).items():
        size = _bytes(d.var.type)
        fits = 0 < size <= LARGEST - total
        if isinstance(d.var.type, Array) and d.init is None and fits:
            names.add(name)
            total += -(-size // ALIGN) * ALIGN
    return frozenset(names), total


def _bytes(t: Type) -> int:
    if isinstance(t, Array):
        return 0 if t.size is None else t.size * _bytes(t.elem)
    if isinstance(t, Vector):
        return t.lanes * t.elem.bits // 8
    if isinstance(t, Scalar):
        return size_of(t)
    return 0
