"""Extents measured: what a function touches at chosen sizes, and the polynomial through that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import cycle, islice

from xpiler.analysis import fit
from xpiler.analysis.interpolate import polynomial, sizes_in
from xpiler.ir import expr as e
from xpiler.ir.program import Program
from xpiler.ir.rewrite import walk
from xpiler.ir.types import BOOL, I64, Pointer
from xpiler.verify.inference import candidates as c
from xpiler.verify.inference.demands import Demand, met
from xpiler.verify.inference.entries import handed, leaves, pointers, scalars
from xpiler.verify.inference.footprint import probe
from xpiler.verify.inference.plan import EntryPlan
from xpiler.verify.inference.search import Searcher
from xpiler.verify.inference.unknown import Tired
from xpiler.verify.inference.values import size_of
from xpiler.verify.inference.walked import Unfit, Walk
from xpiler.verify.spec import Spec

TURNS, TOTAL_TURNS = 20_000, 400_000  # of loops that one measurement may take, and all of them
STEPS, TOTAL_STEPS = 15_000, 150_000  # statements, where a function has to be interpreted
BASES = (((2, 3, 4, 3, 2, 4), 1), ((5, 3, 7, 4, 6, 9), 1), ((16, 32, 48), 16))
"""Sizes to start from, and the multiples by which they change."""
MOST_UNIT = 256  # that sizes are made multiples of
Sizes = Mapping[str, int | float]
Names = Mapping[str, e.Expr]


@dataclass
class Measured:
    """The footprints of one function, each measured once."""

    program: Program
    plan: EntryPlan
    spec: Spec
    left: int = TOTAL_STEPS
    turns: int = TOTAL_TURNS
    known: dict[tuple[tuple[str, int | float], ...], Mapping[str, int | None]] = field(
        default_factory=dict
    )

    def count(self, name: str, sizes: Sizes) -> int | None:
        """The elements of pointer `name` up to the last one touched; None where that is not known.

        Elements whose place depends on data count as far as they are bounded. Sizes that the
        function asks to follow from others do so.
        """
        sizes = met(self.asked, sizes)
        key = tuple(sorted(sizes.items()))
        if key not in self.known:
            self.known[key] = self._measured(sizes)
        return self.known[key].get(name)

    @cached_property
    def asked(self) -> list[Demand]:
        """What the function asks of its sizes."""
        return Searcher(self.program, self.plan.entry, self.spec, False).asked

    @cached_property
    def walk(self) -> Walk | None:
        """The function as code that runs, if it is of that kind."""
        try:
            return Walk(self.program, self.plan.entry)
        except Unfit:
            return None

    def _measured(self, sizes: Sizes) -> Mapping[str, int | None]:
        turns = min(TURNS, self.turns)
        try:
            hulls = self.walk.reach(sizes, turns) if self.walk is not None else None
        except Tired:
            self.turns -= turns
            return {}
        if hulls is None:
            return self._interpreted(sizes)
        self.turns -= hulls.turns
        spans = ((p, hulls.span(p.name)) for p in pointers(self.program, self.plan.entry))
        return {p.name: self._count(p, span) for p, span in spans if span and span[0] >= 0}

    def _count(self, p: e.Var, span: tuple[int, int]) -> int:
        assert isinstance(p.type, Pointer)
        return -(-span[1] // size_of(p.type.elem, self.program))

    def _interpreted(self, sizes: Sizes) -> Mapping[str, int | None]:
        search = Searcher(self.program, self.plan.entry, self.spec, False)
        data = search.given_ranges(sizes)
        budget = min(STEPS, self.left)
        if probe(self.program, self.plan.entry, sizes, data, budget=budget).cost > 2 * budget:
            return {}  # it would not come to its end
        seen = probe(self.program, self.plan.entry, sizes, data, budget=budget, exact=True)
        self.left -= seen.steps
        if seen.failed:
            return {}
        out: dict[str, int | None] = {}
        for p in pointers(self.program, self.plan.entry):
            span = seen.regions[p.name].touched
            if span is not None and span.bounded and span.lo >= 0:
                out[p.name] = self._count(p, (int(span.lo), int(span.hi)))
        return out

    def extent(self, name: str, quotients: Sequence[e.Expr], between: bool = True) -> e.Expr | None:
        """The elements of pointer `name` as an i64 expression in the function's scalars.

        `between`: it holds as well for sizes between the multiples that some functions ask for.
        """
        names = {n: e.Cast(x, I64) for n, x in self._sizes()}
        for base, unit in self._bases(list(names), quotients):
            found = self._at(name, base, unit, names, quotients)
            if found is not None and (not between or self._holds_between(name, found, base, unit)):
                return self._by_flags(name, found, base, unit, quotients)
        return None

    def _at(
        self, name: str, base: Sizes, unit: int, names: Names, quotients: Sequence[e.Expr]
    ) -> e.Expr | None:
        return polynomial(lambda at: self.count(name, at), base, unit, names, quotients)

    def _by_flags(
        self, name: str, x: e.Expr, base: Sizes, unit: int, quotients: Sequence[e.Expr]
    ) -> e.Expr | None:
        """`x`, or what is touched where a number that is not in it, a flag say, is 0.

        None where that differs for two of them: what both together do is not known.
        """
        names = {n: e.Cast(x, I64) for n, x in self._sizes()}
        used = {n for y in walk(x) if isinstance(y, e.Expr) for n in sizes_in(y)}
        off = [n for n in names if n not in used and self._differs(name, x, {**base, n: 0})]
        if not off:
            return x
        (flag, *more) = off
        rest = {n: y for n, y in names.items() if n != flag}
        other = None if more else self._at(name, {**base, flag: 0}, unit, rest, quotients)
        if other is None:
            return None
        is_set = e.Binary("!=", names[flag], e.Const(0, I64), BOOL)
        return e.Select(is_set, x, other, I64)

    def _differs(self, name: str, x: e.Expr, at: Sizes) -> bool:
        """Whether something else than `x` is touched there; nothing at all says nothing."""
        count = self.count(name, at)
        return bool(count) and count != fit.value(x, at)

    def _holds_between(self, name: str, x: e.Expr, base: Sizes, unit: int) -> bool:
        """Whether `x` is the count, where that is known, if sizes are no multiples of `unit`: one
        of them, or all at once (half of a product is whole where only one factor is odd)."""
        steps = (unit + 1, 2 * unit - 1) if unit > 1 else ()
        names = [n for n, _ in self._sizes()]
        odd = [
            {**base, **{n: int(base[n]) + step for n in changed}}
            for step in steps
            for changed in (*([n] for n in names), names)
        ]
        seen = [(self.count(name, at), fit.value(x, at)) for at in odd]
        return all(n is None or n == value for n, value in seen)

    def _sizes(self) -> Iterator[tuple[str, e.Expr]]:
        for p in handed(self.program, self.plan.entry):
            for name, x in leaves(self.program, p, p.name):
                if c.is_integer(x.type):
                    yield name, x

    def _bases(
        self, names: Sequence[str], quotients: Sequence[e.Expr]
    ) -> Iterator[tuple[Sizes, int]]:
        """Sizes to start from; at last those that are divided are multiples of what they are by."""
        search = Searcher(self.program, self.plan.entry, self.spec, False)
        free = [n for n in names if n not in search.fixed]
        rest = {p.name: 1 for p in scalars(self.program, self.plan.entry)}
        whole = {x: k for q in quotients for x, k in _divided(q)}
        wide = [k for k in sorted(set(whole.values())) if BASES[-1][1] < k <= MOST_UNIT]
        for base, unit in (*BASES, *((BASES[0][0], k) for k in wide)):
            sizes = dict(zip(free, islice(cycle(base), len(free)), strict=True))
            if unit in wide:
                sizes |= {n: sizes[n] * unit for n in free if n in whole}
            values = search.defaults([sizes.get(n, 1) for n in search.sizes])
            yield {**rest, **values, **sizes}, unit


def _divided(x: e.Expr) -> Iterator[tuple[str, int]]:
    """The sizes in `x` that are divided by a constant, with that."""
    for n in walk(x):
        if isinstance(n, e.Binary) and n.op == "/" and isinstance(by := c.bare(n.b), e.Const):
            yield from ((name, int(by.value)) for name in sizes_in(n.a))
