"""Loops that vector instructions stand for: proved free of order, they count as parallel.

Then they meet their neighbours over the same elements, and what passed through a core's memory
between them becomes a scalar.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from xpiler.analysis.dependence import independent
from xpiler.analysis.ranges import Facts
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import walk
from xpiler.passes.cleanup.base import Context, Walker, each_function


@dataclass(frozen=True)
class Elements:
    """Marks vector loops whose iterations are independent; `last`: the others become serial."""

    last: bool = False
    name: str = "elements"

    def apply(self, program: Program, ctx: Context) -> Program:
        if not any(_is_vector(n) for f in program.functions for n in walk(f.body)):
            return program

        def one(f: Function) -> Function:
            ctx.elements |= {(f.name, n.var.name) for n in walk(f.body) if _is_vector(n)}  # type: ignore[union-attr]
            return _Marker(self.last).run(f, ctx.facts(f))

        return each_function(program, one)


def _is_vector(n: object) -> bool:
    return isinstance(n, s.For) and n.kind == "vectorised"


@dataclass
class _Marker(Walker):
    last: bool

    def stmt(self, st: s.Stmt, facts: Facts) -> s.Body:
        if isinstance(st, s.For) and st.kind == "vectorised":
            if independent(st, facts):
                return (replace(st, kind="parallel"),)
            return (replace(st, kind="serial"),) if self.last else (st,)
        return (self.descend(st, facts),)
