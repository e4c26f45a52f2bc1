"""What comparing a thread's number, which is unsigned, with an `int` says of that."""

from __future__ import annotations

from xpiler.analysis.effects import names_in
from xpiler.analysis.ranges import Facts
from xpiler.ir import expr as e
from xpiler.ir.types import I32, U32
from xpiler.passes.cleanup.base import sentence


def count_of_threads(x: e.Binary, facts: Facts) -> None:
    """That a number below which threads do something is not negative: as an unsigned one
    it would be larger than any of them."""
    a, b = x.a, x.b
    if not isinstance(a, e.Cast) or not isinstance(b, e.Cast) or x.op not in ("<", ">="):
        return
    count = facts.poly(b.x)
    ints = a.type == U32 and a.x.type == b.x.type == I32 and not facts.nonneg(count)
    if ints and names_in(a) & facts.axes.keys() and facts.nonneg(facts.poly(a.x)):
        facts.assume(f"{sentence(b.x)} is not negative", count)
