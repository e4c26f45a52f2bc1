"""Whether every access to an array stays in it: proved, or true under a bound on a parameter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from xpiler.analysis.affine import to_expr
from xpiler.analysis.effects import bounded, mutable_names, written_once
from xpiler.analysis.extremes import smaller
from xpiler.analysis.poly import Poly
from xpiler.analysis.ranges import Facts, Ledger
from xpiler.analysis.walker import Walker, after, inside
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function
from xpiler.ir.rewrite import walk
from xpiler.ir.text import show
from xpiler.ir.types import I64


@dataclass
class Bounds(Walker):
    """`sizes`: elements of the arrays of interest. After `check`: names that may be overrun,
    and for the others the sentences under which they are not."""

    sizes: Mapping[str, int]
    overrun: set[str] = field(default_factory=set)
    needs: dict[str, set[str]] = field(default_factory=dict)
    loops: tuple[s.For, ...] = ()

    def check(self, body: s.Body, params: tuple[e.Var, ...]) -> None:
        """Looks at every access in `body`."""
        f = Function("kernel", params, body)
        ledger = Ledger(allowed=False, alias_allowed=False)
        facts = Facts(mutable_names(f), ledger, {}, once=written_once(body))
        self.params = {p.name for p in params}
        self.run(f, replace(facts, numeric=bounded(body)))

    def body(self, body: s.Body, facts: Facts) -> s.Body:
        for st in body:
            self.stmt(st, facts)
            facts = after(st, facts)
            if isinstance(st, s.Decl) and st.init is not None and facts.fixed(st.var):
                for x in smaller(st.init) or ():
                    facts = facts.with_fact(facts.raw(x) - facts.raw(st.var))
        return body

    def stmt(self, st: s.Stmt, facts: Facts) -> s.Body:
        if not isinstance(st, s.For):
            return (self.descend(st, facts),)
        for x in (st.lo, st.hi, st.step):
            self.expr(x, facts)
        outer, self.loops = self.loops, (*self.loops, st)
        self.body(st.body, inside(st, facts))
        self.loops = outer
        return (st,)

    def expr(self, x: e.Expr, facts: Facts) -> e.Expr:
        for n in walk(x):
            if isinstance(n, e.Index):
                self._access(n, facts)
        return x

    def place(self, x: e.Expr, facts: Facts) -> e.Expr:
        return self.expr(x, facts)

    def _access(self, x: e.Index, facts: Facts) -> None:
        if not isinstance(x.base, e.Var) or x.base.name not in self.sizes:
            return
        name, size = x.base.name, self.sizes[x.base.name]
        at = facts.raw(x.index)
        if not facts.nonneg(at):
            self.overrun.add(name)
        elif not facts.nonneg(-at + (size - 1)):
            self._bounded_by_parameter(name, at, size, facts)

    def _bounded_by_parameter(self, name: str, at: Poly, size: int, facts: Facts) -> None:
        top = at
        for loop in reversed(self.loops):
            parts = top.split(loop.var.name)
            if parts is None:
                self.overrun.add(name)
                return
            if parts[0].terms:
                if not facts.nonneg(parts[0]):
                    self.overrun.add(name)
                    return
                top = top.substitute({loop.var.name: facts.raw(loop.hi) - 1})
        shown = to_expr(facts, top + 1, I64, checked=False)
        if shown is None or not top.atoms() <= self.params:
            self.overrun.add(name)
            return
        self.needs.setdefault(name, set()).add(f"{plainly(shown)} is at most {size}")


def plainly(x: e.Expr) -> str:
    """An integer expression without its conversions."""
    if isinstance(x, e.Cast):
        return plainly(x.x)
    if isinstance(x, e.Binary):
        return f"{plainly(x.a)} {x.op} {plainly(x.b)}"
    return show(x)
