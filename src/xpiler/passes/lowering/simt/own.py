"""Memory that a function asks for, filled anew by each iteration of a loop, is the iteration's.

`p = malloc(n); for (i ...) { fill p; use p; } free(p);` keeps the iterations apart for nothing:
what one leaves in `p` no other asks for. With the allocation in the loop they are independent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from xpiler.analysis.coverage import set_before_read
from xpiler.analysis.effects import assigned, names_in
from xpiler.analysis.parallelism import nature
from xpiler.analysis.ranges import Facts
from xpiler.analysis.walker import Walker
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function
from xpiler.ir.rewrite import rewrite_exprs
from xpiler.ir.types import Array, Pointer, Scalar
from xpiler.passes.cleanup.base import facts_at

_ENDLESS = 1 << 40  # elements of the array that a buffer is looked at as


def own_memory(f: Function, facts: Facts, readers: frozenset[str]) -> Function:
    """`f` with allocations moved into the loops that are parallel with them there."""
    return _Mover(readers).run(f, facts)


@dataclass
class _Mover(Walker):
    readers: frozenset[str]

    def body(self, body: s.Body, facts: Facts) -> s.Body:
        for st in body:
            if isinstance(st, s.Instr) and st.name == "host.alloc":
                body = self.moved(st, body, facts)
        return super().body(body, facts)

    def moved(self, alloc: s.Instr, body: s.Body, facts: Facts) -> s.Body:
        """`body` with `alloc` in the one loop that uses the memory, if that makes it parallel."""
        p = alloc.outs[0]
        if not isinstance(p, e.Var) or not _of_numbers(p):
            return body
        users = [st for st in body if st is not alloc and p.name in names_in(st)]
        declared = [st for st in users if isinstance(st, s.Decl) and st.var == p and not st.init]
        freed = [st for st in users if isinstance(st, s.Instr) and st.name == "host.free"]
        loops = [st for st in users if isinstance(st, s.For)]
        if [len(declared), len(loops), len(users)] != [1, 1, 2 + len(freed)] or len(freed) > 1:
            return body
        (loop,), gone = loops, (alloc, *declared, *freed)
        new = replace(loop, body=(*declared, alloc, *loop.body, *freed))
        there = facts_at(loop, body, facts)
        if not self.helps(p, alloc, loop, new, there):
            return body
        return tuple(new if st is loop else st for st in body if all(st is not x for x in gone))

    def helps(self, p: e.Var, alloc: s.Instr, loop: s.For, new: s.For, facts: Facts) -> bool:
        heads = names_in(loop.lo) | names_in(loop.hi) | names_in(loop.step)
        size = names_in(alloc.ins[0])
        if p.name in heads or size & assigned((loop,)) or loop.var.name in size:
            return False
        if not set_before_read(_array(p), _viewed(loop, p), facts):
            return False
        return not nature(loop, facts, self.readers).parallel and (
            nature(new, facts, self.readers).parallel
        )


def _of_numbers(p: e.Var) -> bool:
    return isinstance(p.type, Pointer) and isinstance(p.type.elem, Scalar)


def _array(p: e.Var) -> e.Var:
    assert isinstance(p.type, Pointer)
    return e.Var(p.name, Array(p.type.elem, _ENDLESS))


def _viewed(loop: s.For, p: e.Var) -> s.For:
    """The loop with the buffer as an array of its own."""
    (new,) = rewrite_exprs((loop,), lambda x: _array(p) if x == p else x)
    assert isinstance(new, s.For)
    return new
