"""Loop reorder: nested loops in another order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations

from xpiler.analysis import reductions
from xpiler.analysis.purity import readers
from xpiler.analysis.ranges import Facts
from xpiler.analysis.walker import inside
from xpiler.ir import stmt as s
from xpiler.ir.program import Program
from xpiler.passes.steps.base import Around, Param, Refused, Step, Work
from xpiler.passes.steps.instance import Instance
from xpiler.passes.steps.legality import accesses, keep_apart, varying
from xpiler.passes.steps.loop_fuse import inner_loop, perfect
from xpiler.passes.steps.nest import Place, at_loop, find, loops, only

DEEPEST = 3
"""Loops that `knobs` permutes at once."""


class LoopReorder(Step):
    """`for i { for j S }` as `for j { for i S }`, and longer exchanges in a perfect nest."""

    name = "loop_reorder"
    category = "sequentialisation and parallelisation"
    summary = "nested loops change places"
    legality = "a perfect nest; no element is touched by two iterations whose order would change"
    params = (Param("order", "names", "the loops of the nest, outermost first, as they shall be"),)
    inverse = "loop_reorder"
    proof = "the same loops around the same body; no dependence changes its direction"

    def candidates(self, program: Program, around: Around) -> Iterator[Instance]:
        for address, _, loop in loops(program):
            names = [address, *(lp.var.name for lp in _chain(loop)[1:DEEPEST])]
            for depth in range(2, len(names) + 1):
                for order in permutations(names[:depth]):
                    if order[0] != address and order[-1] != names[depth - 1]:
                        yield self.make(order=order)

    def rewrite(self, program: Program, given: Instance, work: Work) -> Program:
        order = given.names("order")
        pure = readers(program)
        address, names = _outermost(program, order)

        def one(loop: s.For, facts: Facts, place: Place) -> s.Body:
            return (reordered(loop, names, facts, pure),)

        return at_loop(program, address, work, only(one))


def _chain(loop: s.For) -> list[s.For]:
    """The perfect nest that `loop` starts."""
    out = [loop]
    while (inner := inner_loop(out[-1])) is not None:
        out.append(inner)
    return out


def _outermost(program: Program, order: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The address of the loop that holds the others, and their bare names in the new order."""
    where = next((n.rpartition("/")[0] for n in order if "/" in n), "")
    names = tuple(n.rpartition("/")[2] for n in order)
    for name in names:
        address = f"{where}/{name}" if where else name
        found = [lp.var.name for lp in _chain(find(program, address)[1])]
        if set(found[: len(names)]) == set(names) and len(set(names)) > 1:
            return address, names
    raise Refused(f"{', '.join(names)} are no perfect nest of loops")


def reordered(loop: s.For, names: tuple[str, ...], facts: Facts, pure: frozenset[str]) -> s.For:
    """The nest with its loops in the order of `names`, by exchanges of neighbours."""
    if not names:
        return loop
    have = [lp.var.name for lp in _chain(loop)]
    for k in range(have.index(names[0]), 0, -1):
        loop = _swapped_at(loop, k - 1, facts, pure)
    if len(names) == 1:
        return loop
    inner = perfect(loop)
    new = reordered(inner, names[1:], inside(loop, facts), pure)
    return replace(loop, body=(new,))


def _swapped_at(loop: s.For, depth: int, facts: Facts, pure: frozenset[str]) -> s.For:
    if depth == 0:
        return swapped(loop, facts, pure)
    inner = perfect(loop)
    new = _swapped_at(inner, depth - 1, inside(loop, facts), pure)
    return replace(loop, body=(new,))


def swapped(loop: s.For, facts: Facts, pure: frozenset[str]) -> s.For:
    """The loop and the one right inside it, exchanged; raises Refused."""
    inner = perfect(loop)
    within = inside(inner, inside(loop, facts))
    found = accesses(inner.body, within, pure)
    if found.scalars:
        _exact_sums(inner, found.scalars)
    names = varying((loop,))
    try:
        keep_apart(found.accesses, found.accesses, inner.var.name, names, facts)
    except Refused:
        keep_apart(found.accesses, found.accesses, loop.var.name, names, facts)
    return replace(inner, body=(replace(loop, body=inner.body, comments=inner.comments),),
                   comments=loop.comments)  # fmt: skip


def _exact_sums(inner: s.For, scalars: set[str]) -> None:
    """Raises Refused unless the scalars only accumulate, exactly and without overflow."""
    found = reductions.find(inner.body, scalars, inner.var)
    if found is None:
        raise Refused(f"{min(scalars).split('.')[0]} passes from one iteration to the next")
    for r in found:
        wraps = not getattr(r.var.type, "is_signed", True) or r.op in ("&", "|", "^", "max", "min")
        if r.place is not None or getattr(r.var.type, "is_float", True) or not wraps:
            raise Refused(f"{r.var.name.split('.')[0]} adds up in the order of the loops")
