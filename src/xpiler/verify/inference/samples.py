"""Extents of buffers at neighbouring sizes: what an entry touches when one of them changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from xpiler.ir.program import Program
from xpiler.ir.types import Pointer
from xpiler.verify.inference import candidates as c
from xpiler.verify.inference.entries import pointers, scalars
from xpiler.verify.inference.plan import Case, EntryPlan
from xpiler.verify.inference.search import Searcher
from xpiler.verify.inference.values import size_of
from xpiler.verify.spec import Spec

Sample = tuple[Mapping[str, int | float], Mapping[str, int]]
MOST = 16


def samples(program: Program, plan: EntryPlan, spec: Spec) -> tuple[Sample, ...]:
    """(scalars, elements of each pointer) for sizes around those of the plan's first cases.

    Buffers whose accesses depend on data are left out. Functions only: a kernel's launch shape
    would have to change along.
    """
    if plan.kind != "function" or not plan.cases:
        return ()
    search = Searcher(program, plan.entry, spec, False)
    out = []
    for values in (v for case in plan.cases[:2] for v in _around(search, case)):
        trial = search.trial(values, {}, None)
        if trial.seen.failed or trial.score()[0] > 0:
            continue
        counts = {}
        for p in pointers(program, plan.entry):
            assert isinstance(p.type, Pointer)
            span = trial.seen.regions[p.name].touched
            if span is not None and span.bounded:
                counts[p.name] = max(1, -(-int(span.hi) // size_of(p.type.elem, program)))
        out.append((trial.values, counts))
    return tuple(out)


def _around(search: Searcher, case: Case) -> Iterator[Mapping[str, int | float]]:
    """The case's sizes with one or all of them changed."""
    names = [p.name for p in scalars(search.program, search.entry) if c.is_integer(p.type)]
    names = [n for n in names if int(case.scalars.get(n, 0)) > 0]
    for n in names[:MOST]:
        size = int(case.scalars[n])
        for other in (size + 1, size + 2, 2 * size):  # multiples stay multiples
            yield {**case.scalars, n: other}
    yield {**case.scalars, **{n: 2 * int(case.scalars[n]) for n in names}}
    yield {**case.scalars, **{n: int(case.scalars[n]) + k + 1 for k, n in enumerate(names)}}
