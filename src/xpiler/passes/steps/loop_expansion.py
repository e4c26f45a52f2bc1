"""Loop expansion: one loop becomes two, each with a part of the statements."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from xpiler.analysis.affine import to_expr
from xpiler.analysis.effects import escapes, names_in
from xpiler.analysis.purity import readers
from xpiler.analysis.ranges import Facts
from xpiler.analysis.walker import inside
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Program
from xpiler.ir.rewrite import rewrite_stmts, substitute, walk
from xpiler.ir.types import Array, Scalar
from xpiler.passes.cleanup.nests import movable
from xpiler.passes.steps.base import Around, Param, Refused, Step, Work
from xpiler.passes.steps.instance import Instance
from xpiler.passes.steps.legality import accesses, keep_apart, later, scalars_free, varying
from xpiler.passes.steps.nest import Place, at_loop, loops, only, step_of, trips

LARGEST = 1024
"""Elements of an array that takes the place of a scalar."""


class LoopExpansion(Step):
    """`for i { A; B }` as `for i { A }` and `for i { B }`; scalars from A to B become arrays."""

    name = "loop_expansion"
    category = "sequentialisation and parallelisation"
    summary = "one loop becomes two, each with a part of the statements"
    legality = (
        "nothing that the second part does is needed by the first part of a later iteration; "
        "a scalar from one part to the other needs a constant number of iterations"
    )
    params = (
        Param("loop", "loop", "the loop to split up"),
        Param("at", "number", "how many of its statements the first loop keeps"),
    )
    inverse = "loop_contraction"
    proof = "the same statements; no dependence changes its direction"

    def candidates(self, program: Program, around: Around) -> Iterator[Instance]:
        for address, _, loop in loops(program):
            for at in range(1, len(loop.body)):
                parts = (loop.body[:at], loop.body[at:])
                if all(any(not isinstance(st, s.Decl) for st in part) for part in parts):
                    yield self.make(loop=address, at=at)

    def rewrite(self, program: Program, given: Instance, work: Work) -> Program:
        pure = readers(program)
        at = given.number("at")

        def one(loop: s.For, facts: Facts, place: Place) -> s.Body:
            return expanded(loop, at, facts, place, pure)

        return at_loop(program, given.text("loop"), work, only(one))


def expanded(loop: s.For, at: int, facts: Facts, place: Place, pure: frozenset[str]) -> s.Body:
    """The arrays for what passes from part to part, and the two loops; raises Refused."""
    if not 0 < at < len(loop.body):
        raise Refused(f"the loop {loop.var.name} has {len(loop.body)} statements")
    if escapes(loop.body, in_loop=True) or loop.reductions:
        raise Refused(f"the loop {loop.var.name} can be left early")
    first, second = loop.body[:at], loop.body[at:]
    arrays: list[s.Stmt] = []
    for d in reversed([st for st in first if isinstance(st, s.Decl)]):
        if d.var.name not in names_in(second):
            continue
        if movable(d, loop.body):
            own = place.fresh(d.var)
            second = (replace(d, var=own, comments=()), *substitute(second, {d.var.name: own}))
            first = _unless_used(d, first)
        else:
            decl, first, second = _privatised(d, first, second, loop, facts, place)
            arrays.append(decl)
    _legal(loop, first, second, facts, pure)
    again = place.fresh(loop.var)
    tail = replace(loop, var=again, body=substitute(second, {loop.var.name: again}), comments=())
    return (*arrays, replace(loop, body=first), tail)


def _unless_used(d: s.Decl, body: s.Body) -> s.Body:
    rest = tuple(st for st in body if not (isinstance(st, s.Decl) and st.var == d.var))
    return body if d.var.name in names_in(rest) else rest


def _legal(loop: s.For, first: s.Body, second: s.Body, facts: Facts, pure: frozenset[str]) -> None:
    within = inside(loop, facts)
    one, two = accesses(first, within, pure), accesses(second, within, pure)
    scalars_free(first, second, one, two)
    names = varying((loop,))
    keep_apart(one.accesses, two.accesses, loop.var.name, names, facts, later)


def _privatised(
    d: s.Decl, first: s.Body, second: s.Body, loop: s.For, facts: Facts, place: Place
) -> tuple[s.Decl, s.Body, s.Body]:
    """The scalar `d` as an array with an element for each iteration."""
    count = trips(loop, facts)
    name = d.var.name.split(".")[0]
    if not isinstance(d.var.type, Scalar) or d.space != "local" or _lent(d.var, loop.body):
        raise Refused(f"{name} goes from one part to the other and is no plain scalar")
    if count is None or count > LARGEST or step_of(loop) != 1:
        raise Refused(f"{name} goes from one part to the other, for an unknown number of times")
    t = loop.var.type
    within = inside(loop, facts)
    k = to_expr(within, within.poly(loop.var) - within.poly(loop.lo), t)
    if k is None:
        raise Refused(f"the number of an iteration of {loop.var.name} cannot be written")
    whole = place.named(f"{name}_all", Array(d.var.type, max(count, 1)))
    element = e.Index(whole, k, d.var.type)

    def one(st: s.Stmt) -> s.Stmt | s.Body:
        if not (isinstance(st, s.Decl) and st.var == d.var):
            return st
        kept = () if st.init is None else (s.Assign(element, st.init, loc=d.loc),)
        return kept

    stored: s.Body = rewrite_stmts(first, one)
    rename = {d.var.name: element}
    return s.Decl(whole, loc=d.loc), substitute(stored, rename), substitute(second, rename)


def _lent(v: e.Var, body: s.Body) -> bool:
    return any(isinstance(n, e.AddressOf) and v in set(walk(n)) for n in walk(body))
