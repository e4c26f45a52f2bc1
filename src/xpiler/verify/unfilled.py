"""Variables of the file that kernels read and that nothing in the file fills."""

from __future__ import annotations

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Program
from xpiler.ir.rewrite import variables, walk
from xpiler.verify.numerics import array_behind


def unfilled(program: Program) -> list[str]:
    """Their names: weights in constant memory, say, that code elsewhere copies there."""
    on_device = (g for g in program.globals if g.space in ("global", "constant"))
    bare = {g.var.name for g in on_device if g.init is None}
    read: set[str] = set()
    filled: set[str] = set()
    for f in program.functions:
        for n in walk(f.body):
            if isinstance(n, e.Var):
                read.add(n.name)
            elif isinstance(n, s.Assign):
                filled.add(array_behind(n.target))
            elif isinstance(n, (s.Instr, e.AddressOf)):
                filled |= variables(n)
    return sorted((bare & read) - filled)
