"""Loops by name: finding them, rewriting the body that holds one, counting their iterations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from xpiler.analysis.affine import to_expr
from xpiler.analysis.effects import assigned, names_in, of_expr
from xpiler.analysis.poly import Poly
from xpiler.analysis.ranges import Facts, is_int
from xpiler.analysis.walker import Walker
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import fresh_name, substitute, walk
from xpiler.ir.types import Type
from xpiler.passes.cleanup.base import value_sentence
from xpiler.passes.steps.base import Refused, Work

Rewrite = Callable[[s.Body, int, Facts, "Place"], s.Body]


@dataclass(frozen=True)
class Place:
    """The function in which a rewrite takes place; `taken` are all names that it may not use."""

    function: Function
    taken: set[str]

    def fresh(self, like: e.Var, stem: str = "") -> e.Var:
        """A new variable of the type of `like`."""
        return e.Var(fresh_name(stem or like.name, self.taken), like.type)

    def named(self, stem: str, t: Type) -> e.Var:
        return e.Var(fresh_name(stem, self.taken), t)


def loops(program: Program) -> Iterator[tuple[str, Function, s.For]]:
    """(address, function, loop) of every counting loop, outermost first, in source order."""
    found = [(f, n) for f in program.functions for n in walk(f.body) if isinstance(n, s.For)]
    counts: dict[str, int] = {}
    for _, loop in found:
        counts[loop.var.name] = counts.get(loop.var.name, 0) + 1
    for f, loop in found:
        name = loop.var.name
        yield (name if counts[name] == 1 else f"{f.name}/{name}"), f, loop


def find(program: Program, address: str) -> tuple[Function, s.For]:
    """The loop called `address` (`i`, or `function/i`); raises Refused."""
    where, _, name = address.rpartition("/")
    found = [
        (f, n)
        for f in program.functions
        if not where or f.name == where
        for n in walk(f.body)
        if isinstance(n, s.For) and n.var.name == name
    ]
    if not found:
        raise Refused(f"there is no counting loop {address}")
    if len(found) > 1:
        raise Refused(f"several functions have a loop {name}: write FUNCTION/{name}")
    return found[0]


def at_loop(program: Program, address: str, work: Work, rewrite: Rewrite) -> Program:
    """`program` with the body that holds a loop rewritten.

    `rewrite` gets that body, the loop's position in it, what holds just before the loop, and the
    place; it gives the new body.
    """
    function, loop = find(program, address)
    taken = {p.name for p in function.params} | set(names_in(function.body))
    taken |= {g.var.name for g in program.globals} | {f.name for f in program.functions}
    walker = _At(loop, rewrite, Place(function, taken))
    new = walker.run(function, work.ctx.facts(function))
    if not walker.done:
        raise Refused(f"the loop {address} could not be reached")
    return program.with_functions(tuple(new if f is function else f for f in program.functions))


class _At(Walker):
    """Walks to one loop and rewrites the body around it."""

    def __init__(self, loop: s.For, rewrite: Rewrite, place: Place) -> None:
        self.loop, self.rewrite, self.place_ = loop, rewrite, place
        self.done = False

    def body(self, body: s.Body, facts: Facts) -> s.Body:
        from xpiler.analysis.walker import after

        if self.done:
            return body
        here = facts
        for k, st in enumerate(body):
            if st is self.loop:
                self.done = True
                return self.rewrite(body, k, here, self.place_)
            here = after(st, here)
        return super().body(body, facts)


def only(fn: Callable[[s.For, Facts, Place], s.Body]) -> Rewrite:
    """A rewrite that replaces the loop alone."""

    def rewrite(body: s.Body, k: int, facts: Facts, place: Place) -> s.Body:
        loop = body[k]
        assert isinstance(loop, s.For)
        return (*body[:k], *fn(loop, facts, place), *body[k + 1 :])

    return rewrite


def renamed(body: s.Body, place: Place) -> s.Body:
    """`body` with new names for all that it declares."""
    found = [n.var for n in walk(body) if isinstance(n, (s.Decl, s.For))]
    new = {v.name: place.fresh(v) for v in found}
    return substitute(body, new)  # type: ignore[no-any-return]


# -- counting -------------------------------------------------------------------------------


def const(value: int, t: Type) -> e.Const:
    return e.Const(value, t)


def step_of(loop: s.For) -> int:
    """The loop's step; raises Refused where it is not a constant."""
    if not isinstance(loop.step, e.Const) or not is_int(loop.var.type):
        raise Refused(f"the loop {loop.var.name} does not step by a constant")
    return int(loop.step.value)


def trips(loop: s.For, facts: Facts) -> int | None:
    """The number of iterations, where it is a constant."""
    span = (facts.poly(loop.hi) - facts.poly(loop.lo)).constant
    step = int(loop.step.value) if isinstance(loop.step, e.Const) else 0
    return None if span is None or step < 1 else max(0, -(-span // step))


def trip_poly(loop: s.For, facts: Facts) -> Poly:
    """The number of iterations of a loop with step 1, where it has any."""
    return facts.poly(loop.hi) - facts.poly(loop.lo)


def steady(x: e.Expr, body: s.Body) -> bool:
    """Whether `body` cannot change the value of `x`: arithmetic on names that it leaves alone."""
    plain = not any(isinstance(n, (e.Index, e.Field)) for n in walk(x)) and not of_expr(x).other
    return plain and not names_in(x) & assigned(body)


def written(p: Poly, facts: Facts, t: Type) -> e.Expr:
    """`p` as an expression of type `t`; an assumption is recorded where it may not fit."""
    x = to_expr(facts, p, t) or to_expr(facts, p, t, checked=False)
    if x is None:
        raise Refused(f"{p} cannot be written as an expression")
    fit(p, facts, t)
    return x


def fit(p: Poly, facts: Facts, t: Type) -> None:
    """Record that `p` fits the type, unless that is known; raises Refused where it may not be."""
    if facts.fits(p, t):
        return
    text = f"{value_sentence(facts, p)} does not overflow {t}"
    if not facts.ledger.assume(text):
        raise Refused(f"it is not known that {text}")
