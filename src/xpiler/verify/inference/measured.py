"""Extents measured: what a function touches at chosen sizes, and the polynomial through that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice

from xpiler.analysis import fit
from xpiler.analysis.interpolate import polynomial
from xpiler.ir import expr as e
from xpiler.ir.program import Program
from xpiler.ir.types import I64, Pointer
from xpiler.verify.inference import candidates as c
from xpiler.verify.inference.entries import handed, leaves, pointers, scalars
from xpiler.verify.inference.footprint import probe
from xpiler.verify.inference.plan import EntryPlan
from xpiler.verify.inference.search import Searcher
from xpiler.verify.inference.values import size_of
from xpiler.verify.spec import Spec

STEPS = 15_000  # statements that one measurement may take, ...
TOTAL_STEPS = 150_000  # and all of them
BASES = (((2, 3, 4, 3, 2, 4), 1), ((5, 3, 7, 4, 6, 9), 1), ((16, 32, 48), 16))
"""Sizes to start from, and the multiples by which they change."""
Sizes = Mapping[str, int | float]


@dataclass
class Measured:
    """The footprints of one function, each measured once."""

    program: Program
    plan: EntryPlan
    spec: Spec
    left: int = TOTAL_STEPS
    known: dict[tuple[tuple[str, int | float], ...], Mapping[str, int | None]] = field(
        default_factory=dict
    )

    def count(self, name: str, sizes: Sizes) -> int | None:
        """The elements of pointer `name` up to the last one touched; None where that is not known.

        Elements whose place depends on data count as far as they are bounded.
        """
        key = tuple(sorted(sizes.items()))
        if key not in self.known:
            self.known[key] = self._measured(sizes)
        return self.known[key].get(name)

    def _measured(self, sizes: Sizes) -> Mapping[str, int | None]:
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
            assert isinstance(p.type, Pointer)
            span = seen.regions[p.name].touched
            if span is not None and span.bounded and span.lo >= 0:
                out[p.name] = -(-int(span.hi) // size_of(p.type.elem, self.program))
        return out

    def extent(self, name: str, quotients: Sequence[e.Expr], between: bool = True) -> e.Expr | None:
        """The elements of pointer `name` as an i64 expression in the function's scalars.

        `between`: it holds as well for sizes between the multiples that some functions ask for.
        """
        names = {n: e.Cast(x, I64) for n, x in self._sizes()}
        for base, unit in self._bases(list(names)):
            found = polynomial(lambda at: self.count(name, at), base, unit, names, quotients)
            if found is not None and (not between or self._holds_between(name, found, base, unit)):
                return found
        return None

    def _holds_between(self, name: str, x: e.Expr, base: Sizes, unit: int) -> bool:
        """Whether `x` is the count, where that is known, if one size is no multiple of `unit`."""
        steps = (unit + 1, 2 * unit - 1) if unit > 1 else ()
        odd = [{**base, n: int(base[n]) + step} for step in steps for n, _ in self._sizes()]
        seen = [(self.count(name, at), fit.value(x, at)) for at in odd]
        return all(n is None or n == value for n, value in seen)

    def _sizes(self) -> Iterator[tuple[str, e.Expr]]:
        for p in handed(self.program, self.plan.entry):
            for name, x in leaves(self.program, p, p.name):
                if c.is_integer(x.type):
                    yield name, x

    def _bases(self, names: Sequence[str]) -> Iterator[tuple[Sizes, int]]:
        search = Searcher(self.program, self.plan.entry, self.spec, False)
        free = [n for n in names if n not in search.fixed]
        rest = {p.name: 1 for p in scalars(self.program, self.plan.entry)}
        for base, unit in BASES:
            sizes = dict(zip(free, islice(cycle(base), len(free)), strict=True))
            values = search.defaults([sizes.get(n, 1) for n in search.sizes])
            yield {**rest, **values, **sizes}, unit
