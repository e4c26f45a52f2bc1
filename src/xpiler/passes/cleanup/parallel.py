"""Keeps the mark "parallel" only on outermost loops whose iterations are proved independent."""

from __future__ import annotations

from dataclasses import dataclass, replace

from xpiler.analysis.dependence import independent
from xpiler.analysis.purity import pure_functions
from xpiler.analysis.ranges import Facts
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import rewrite_stmts
from xpiler.passes.cleanup.base import Context, Walker, each_function

SHORT = 64
"""Constant trip counts up to this are not worth threads inside another loop."""


@dataclass(frozen=True)
class Parallel:
    """Proves and marks; all other loops become serial.

    Raising's own mark means "in any order, as the source has no race"; the mark that this pass
    leaves is proved from the accesses, with the aliasing assumptions that it records; and with
    the one that a launch's unsigned subscripts (`blockIdx.x * n`) do not wrap, where it takes that.
    """

    name: str = "parallel"

    def apply(self, program: Program, ctx: Context) -> Program:
        pure = pure_functions(program)

        def one(f: Function) -> Function:
            return _Marker(pure).run(f, ctx.facts(f))

        return each_function(program, one)


class _Marker(Walker):
    """Looks for provable loops from the outside inwards, among those that raising made."""

    def __init__(self, pure: frozenset[str]) -> None:
        self.pure = pure
        self.depth = 0

    def stmt(self, st: s.Stmt, facts: Facts) -> s.Body:
        if not isinstance(st, s.For):
            return (self.descend(st, facts),)
        mark = facts.mark()
        if self._worthwhile(st, facts) and _apart(st, facts, self.pure):
            body = rewrite_stmts(st.body, _serial)
            same = body is st.body and st.kind == "parallel"
            return (st if same else replace(st, body=body, kind="parallel"),)
        facts.forget(mark)
        if st.kind != "parallel":
            return (rewrite_stmts(st, _serial),)
        new = replace(st, kind="serial")
        return (replace(new, body=self._inner(st, facts)),)

    def _worthwhile(self, st: s.For, facts: Facts) -> bool:
        """Short inner loops stay serial: starting threads would cost more than they do."""
        if st.kind not in ("parallel", "serial"):
            return False
        trips = (facts.poly(st.hi) - facts.poly(st.lo)).constant
        return trips is None or trips > SHORT or not self.depth

    def _inner(self, st: s.For, facts: Facts) -> s.Body:
        self.depth += 1
        found = self.descend(st, facts)
        self.depth -= 1
        assert isinstance(found, s.For)
        return found.body


def _apart(st: s.For, facts: Facts, pure: frozenset[str]) -> bool:
    """Whether the iterations are independent; of a launch's, unsigned subscripts do not wrap."""
    ledger = facts.ledger
    ledger.unsigned = st.kind == "parallel"
    try:
        return independent(st, facts, pure)
    finally:
        ledger.unsigned = False


def _serial(st: s.Stmt) -> s.Stmt:
    return replace(st, kind="serial") if isinstance(st, s.For) and st.kind == "parallel" else st
