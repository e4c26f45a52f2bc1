"""Bounds of variables that count now and then: `if (...) y[k++] = ...` in a loop has `k <= i`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from xpiler.analysis.effects import assigned
from xpiler.analysis.poly import Poly, atom
from xpiler.analysis.ranges import Facts, is_int
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import walk


@dataclass
class Counts:
    """What is known of counters where a walk has come to.

    `starts` are their values as long as nothing has changed them, `limits` what they are at most
    in this iteration, until its step.
    """

    starts: dict[str, int] = field(default_factory=dict)
    limits: dict[str, Poly] = field(default_factory=dict)

    def learn(self, st: s.Stmt, rest: s.Body, facts: Facts) -> Facts:
        """`facts` behind `st`, which `rest` follows: what a copy of a counter is at most."""
        if isinstance(st, s.Decl) and isinstance(st.init, e.Const) and is_int(st.var.type):
            if int(st.init.value) >= 0:
                self.starts[st.var.name] = int(st.init.value)
        elif isinstance(st, s.Decl) and isinstance(st.init, e.Var):
            facts = self._copied(st.var, st.init, rest, facts)
        for name in assigned((st,)):
            self.starts.pop(name, None)
            self.limits.pop(name, None)
        return facts

    def _copied(self, w: e.Var, v: e.Var, rest: s.Body, facts: Facts) -> Facts:
        top = self.limits.get(v.name)
        if top is None or w.name in facts.mutable or w.type != v.type:
            return facts
        if not any(_step(st, v.name) for st in rest):
            return facts
        facts.poly(w)
        least = facts.numeric.get(v.name)
        if least is not None:
            facts = facts.with_fact(atom(w.name) - least[0])
        return facts.with_fact(top - atom(w.name))

    @contextmanager
    def within(self, loop: s.For | s.While, facts: Facts) -> Iterator[None]:
        """In the body of `loop`, where `facts` hold."""
        outer, starts = self.limits, dict(self.starts)
        found = {}
        if isinstance(loop, s.For) and isinstance(loop.step, e.Const):
            found = self._stepped(loop, facts)
        elif isinstance(loop, s.While) and not loop.do:
            found = _below(loop.cond, facts)
        changed = assigned(loop.body)
        self.limits = {n: p for n, p in outer.items() if n not in changed} | found
        self.starts = {n: k for n, k in starts.items() if n not in changed}
        try:
            yield
        finally:
            self.limits, self.starts = outer, starts

    def _stepped(self, loop: s.For, facts: Facts) -> dict[str, Poly]:
        out = {}
        for name in assigned(loop.body) & set(self.starts):
            steps = [n for n in walk(loop.body) if isinstance(n, s.Assign) and _is(n.target, name)]
            step = _step(steps[0], name) if len(steps) == 1 else 0
            inner = any(
                name in assigned(n.body) for n in walk(loop.body) if isinstance(n, (s.For, s.While))
            )
            lent = any(isinstance(n, e.AddressOf) and _is(n.x, name) for n in walk(loop.body))
            if step and not inner and not lent:
                turn = facts.poly(loop.var) - facts.poly(loop.lo)
                out[name] = turn * step + self.starts[name]
        return out


def _is(x: e.Expr, name: str) -> bool:
    return isinstance(x, e.Var) and x.name == name


def _step(st: s.Stmt, name: str) -> int:
    """The constant that `st` adds to the variable; 0 where it does anything else."""
    if not isinstance(st, s.Assign) or st.op != "+" or not _is(st.target, name):
        return 0
    by = st.value.value if isinstance(st.value, e.Const) else 0
    return int(by) if by > 0 else 0


def _below(cond: e.Expr, facts: Facts) -> dict[str, Poly]:
    """`v < n` at the head of an iteration."""
    if isinstance(cond, e.Binary) and cond.op == "<" and isinstance(cond.a, e.Var):
        top = facts.poly(cond.b) - 1 if is_int(cond.b.type) else None
        if top is not None and facts.stable(top):
            return {cond.a.name: top}
    return {}
