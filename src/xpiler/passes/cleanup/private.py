"""Variables that every iteration of a loop sets before it reads them are declared inside the loop.

`float t[36]; for (i ...) { fill t; use t; }` is `for (i ...) { float t[36]; fill t; use t; }`: what
one iteration leaves there no other asks for, so that nothing keeps iterations apart any more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from xpiler.analysis.coverage import set_before_read
from xpiler.analysis.effects import names_in
from xpiler.analysis.ranges import Facts
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.types import Array, Scalar
from xpiler.passes.cleanup.base import Context, Walker, each_function, facts_at


@dataclass(frozen=True)
class Private:
    """Declarations move into the one loop that uses them."""

    name: str = "private"

    def apply(self, program: Program, ctx: Context) -> Program:
        def one(f: Function) -> Function:
            return _Mover().run(f, ctx.facts(f))

        return each_function(program, one)


class _Mover(Walker):
    """Outer loops first: what has moved into one may move on into the next."""

    def body(self, body: s.Body, facts: Facts) -> s.Body:
        for st in body:
            if isinstance(st, s.Decl) and _may_move(st):
                body = _moved(st, body, facts)
        return super().body(body, facts)


def _may_move(d: s.Decl) -> bool:
    t: object = d.var.type
    while isinstance(t, Array) and t.size:
        t = t.elem
    return isinstance(t, Scalar) and d.space == "local" and not (d.const or d.dynamic or d.align)


def _moved(d: s.Decl, body: s.Body, facts: Facts) -> s.Body:
    """`body` with `d` at the start of the one loop that uses it, where that is the same."""
    name = d.var.name
    users = [st for st in body if st is not d and name in names_in(st)]
    if len(users) != 1 or not isinstance(users[0], s.For):
        return body
    loop = users[0]
    heads = names_in(loop.lo) | names_in(loop.hi) | names_in(loop.step)
    there = facts_at(loop, body, facts)
    if name in heads or not set_before_read(d.var, loop, there, unset=d.init is None):
        return body
    new = replace(loop, body=(replace(d, init=None, const=False), *loop.body))
    return tuple(new if st is loop else st for st in body if st is not d)
