"""Loop contraction: a loop that makes and one that uses become one; arrays shrink to scalars."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from xpiler.analysis.effects import escapes
from xpiler.analysis.purity import readers
from xpiler.analysis.ranges import Facts
from xpiler.analysis.walker import inside
from xpiler.ir import stmt as s
from xpiler.ir.program import Program
from xpiler.ir.rewrite import substitute, walk
from xpiler.passes.cleanup.contract import contracted, same_range
from xpiler.passes.cleanup.nests import movable
from xpiler.passes.steps.base import Around, Param, Refused, Step, Work
from xpiler.passes.steps.instance import Instance
from xpiler.passes.steps.legality import accesses, keep_apart, later, scalars_free, varying
from xpiler.passes.steps.nest import Place, at_loop, find, loops


class LoopContraction(Step):
    """`for i { A }` and the next `for j { B }` as `for i { A; B }`."""

    name = "loop_contraction"
    category = "sequentialisation and parallelisation"
    summary = "a loop and the next one over the same range become one; arrays shrink to scalars"
    legality = (
        "the same range; the second loop needs nothing that a later iteration of the first makes"
    )
    params = (
        Param("first", "loop", "the loop that comes first"),
        Param("second", "loop", "the next loop in the same body"),
    )
    inverse = "loop_expansion"
    proof = "the same statements; no dependence changes its direction"

    def candidates(self, program: Program, around: Around) -> Iterator[Instance]:
        address = {id(loop): a for a, _, loop in loops(program)}
        for body in _bodies(program):
            row = [st for st in body if isinstance(st, s.For)]
            for a, b in pairwise(row):
                yield self.make(first=address[id(a)], second=address[id(b)])

    def rewrite(self, program: Program, given: Instance, work: Work) -> Program:
        pure = readers(program)
        _, other = find(program, given.text("second"))

        def one(body: s.Body, k: int, facts: Facts, place: Place) -> s.Body:
            return merged(body, k, other, facts, pure)

        return at_loop(program, given.text("first"), work, one)


def _bodies(program: Program) -> Iterator[s.Body]:
    for f in program.functions:
        yield f.body
        for n in walk(f.body):
            for key in ("body", "then", "orelse"):
                body = getattr(n, key, None)
                if isinstance(body, tuple):
                    yield body


def merged(body: s.Body, k: int, second: s.For, facts: Facts, pure: frozenset[str]) -> s.Body:
    """`body` with its loop `k` and `second` made one; raises Refused."""
    first = body[k]
    assert isinstance(first, s.For)
    where = next((i for i, st in enumerate(body) if st is second), -1)
    if where <= k:
        raise Refused(f"{second.var.name} does not come after {first.var.name} in the same body")
    between = body[k + 1 : where]
    if not all(_harmless(st, first) for st in between):
        raise Refused(f"something stands between {first.var.name} and {second.var.name}")
    if not same_range(first, second, facts):
        raise Refused(f"{first.var.name} and {second.var.name} count differently")
    if any(escapes(lp.body, in_loop=True) or lp.reductions for lp in (first, second)):
        raise Refused("one of the loops can be left early")
    other: s.Body = substitute(second.body, {second.var.name: first.var})
    both = _together(first, other, facts, pure) and first.kind == second.kind
    loop = replace(
        first, body=(*first.body, *other), kind=first.kind if both else "serial",
        comments=(*first.comments, *second.comments),
    )  # fmt: skip
    new = (*body[:k], *between, loop, *body[where + 1 :])
    return contracted(new, facts)


def _harmless(st: s.Stmt, first: s.For) -> bool:
    return isinstance(st, s.Decl) and (st.init is None or movable(st, first.body))


def _together(first: s.For, other: s.Body, facts: Facts, pure: frozenset[str]) -> bool:
    """Whether iterations stay independent; raises Refused where merging is wrong."""
    within = inside(first, facts)
    one, two = accesses(first.body, within, pure), accesses(other, within, pure)
    scalars_free(first.body, other, one, two)
    names = varying(first.body, other) | {first.var.name}
    try:
        keep_apart(one.accesses, two.accesses, first.var.name, names, facts)
    except Refused:
        keep_apart(one.accesses, two.accesses, first.var.name, names, facts, later)
        return False
    return True
