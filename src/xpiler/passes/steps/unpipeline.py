"""The inverse of pipeline: every iteration does its own copy again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from xpiler.analysis.purity import readers
from xpiler.analysis.ranges import Facts
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Program
from xpiler.ir.rewrite import fresh_name, map_children, walk
from xpiler.ir.types import Array
from xpiler.passes.steps.base import Around, Param, Refused, Step, Work
from xpiler.passes.steps.instance import Instance
from xpiler.passes.steps.nest import Place, at_loop, loops
from xpiler.passes.steps.pipeline import pipelined


class Unpipeline(Step):
    """`copy(lo); for i { copy(i + 1); use }` as `for i { copy(i); use }`."""

    name = "unpipeline"
    category = "memory conversion"
    summary = "copies that run ahead go back into their own iterations"
    legality = "the loop and the statements before it are what pipeline makes"
    params = (Param("loop", "loop", "the loop whose copies run ahead"),)
    inverse = "pipeline"
    proof = "pipelining it again gives the program before"

    def candidates(self, program: Program, around: Around) -> Iterator[Instance]:
        for address, _, loop in loops(program):
            if _buffers(loop) is not None:
                yield self.make(loop=address)

    def rewrite(self, program: Program, given: Instance, work: Work) -> Program:
        pure = readers(program)

        def one(body: s.Body, k: int, facts: Facts, place: Place) -> s.Body:
            return unpipelined(body, k, facts, place, pure)

        return at_loop(program, given.text("loop"), work, one)


def _buffers(loop: s.For) -> e.Var | None:
    """The buffers that the copy at the start of the body fills in turn."""
    first = loop.body[0] if loop.body else None
    if not isinstance(first, s.If) or len(first.then) != 1 or first.orelse:
        return None
    store = next((n for n in walk(first.then) if isinstance(n, s.Assign)), None)
    x = store.target if store is not None else None
    while isinstance(x, e.Index):
        x = x.base
    many = isinstance(x, e.Var) and isinstance(x.type, Array) and isinstance(x.type.elem, Array)
    return x if many else None  # type: ignore[return-value]


def unpipelined(body: s.Body, k: int, facts: Facts, place: Place, pure: frozenset[str]) -> s.Body:
    """`body` with the copies of its loop `k` back in place; raises Refused."""
    loop = body[k]
    assert isinstance(loop, s.For)
    many = _buffers(loop)
    if many is None or not isinstance(many.type, Array):
        raise Refused(f"the loop {loop.var.name} does not begin by filling buffers in turn")
    stages = many.type.size or 0
    before = body[max(0, k - stages) : k]
    plain = _plain(loop, many, stages, place)
    again = pipelined(plain, stages, facts, Place(place.function, _without(place, many)), pure)
    if not _alike((*before, loop), again, place):
        raise Refused(f"the statements around {loop.var.name} are no pipeline that can be undone")
    return (*body[: k - stages], plain, *body[k + 1 :])


def _without(place: Place, many: e.Var) -> set[str]:
    return place.taken - {many.name}


def _plain(loop: s.For, many: e.Var, stages: int, place: Place) -> s.For:
    """The loop as it was, if it is a pipeline."""
    assert isinstance(many.type, Array)
    near = e.Var(fresh_name(many.name, set(place.taken)), many.type.elem)
    first = loop.body[0]
    assert isinstance(first, s.If)
    t = loop.var.type
    ahead = e.Binary("+", loop.var, e.Const(stages - 1, t), t)

    def back(n: object) -> object:
        if n == ahead:
            return loop.var
        if isinstance(n, e.Index) and n.base == many:
            return near
        return map_children(n, back)  # type: ignore[type-var]

    copy = tuple(map_children(st, back) for st in first.then)
    rest = tuple(map_children(st, back) for st in loop.body[1:])
    return replace(loop, body=(s.Decl(near), *copy, *rest))


def _alike(a: s.Body, b: s.Body, place: Place) -> bool:
    """Whether two bodies differ by the names that they declare only."""
    return _numbered(a) == _numbered(b)


def _numbered(body: s.Body) -> s.Body:
    names: dict[str, e.Expr] = {}
    for n in walk(body):
        if isinstance(n, (s.Decl, s.For)):
            names.setdefault(n.var.name, e.Var(f"#{len(names)}", n.var.type))

    def go(n: object) -> object:
        if isinstance(n, e.Var):
            return names.get(n.name, n)
        return map_children(n, go)  # type: ignore[type-var]

    return tuple(map_children(st, go) for st in body)
