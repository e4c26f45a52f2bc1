"""The walk over a body that carries along the facts which hold at each statement."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from xpiler.analysis.pointers import learn
from xpiler.analysis.ranges import Facts
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function
from xpiler.ir.types import Pointer


class Walker:
    """Rebuilds a body front to back with the facts that hold at each statement.

    Subclasses override `stmt` (and call `descend` for the default), `expr` or `place`.
    """

    def run(self, f: Function, facts: Facts) -> Function:
        body = self.body(f.body, facts)
        return f if body is f.body else f.with_body(body)

    def body(self, body: s.Body, facts: Facts) -> s.Body:
        out: list[s.Stmt] = []
        same = True
        for st in body:
            new = self.stmt(st, facts)
            same = same and len(new) == 1 and new[0] is st
            out.extend(new)
            for n in new:
                facts = after(n, facts)
        return body if same else tuple(out)

    def stmt(self, st: s.Stmt, facts: Facts) -> s.Body:
        return (self.descend(st, facts),)

    def expr(self, x: e.Expr, facts: Facts) -> e.Expr:
        return x

    def place(self, x: e.Expr, facts: Facts) -> e.Expr:
        """A place that is written: only its indices (and a computed base) are expressions."""
        if isinstance(x, e.Index):
            loaded = isinstance(x.base.type, Pointer) and not isinstance(x.base, e.Var)
            base = self.expr(x.base, facts) if loaded else self.place(x.base, facts)
            return _changed(x, base=base, index=self.expr(x.index, facts))
        if isinstance(x, e.Field):
            return _changed(x, base=self.place(x.base, facts))
        return x if isinstance(x, e.Var) else self.expr(x, facts)

    def descend(self, st: s.Stmt, facts: Facts) -> s.Stmt:
        """`st` with its expressions and bodies rebuilt."""
        if isinstance(st, s.Decl):
            return _changed(st, init=self._opt(st.init, facts))
        if isinstance(st, s.Assign):
            return _changed(
                st, target=self.place(st.target, facts), value=self.expr(st.value, facts)
            )
        if isinstance(st, s.For):
            return self._for(st, facts)
        if isinstance(st, s.If):
            return _changed(
                st,
                cond=self.expr(st.cond, facts),
                then=self.body(st.then, facts.with_cond(st.cond, True)),
                orelse=self.body(st.orelse, facts.with_cond(st.cond, False)),
            )
        if isinstance(st, s.Scope):
            return _changed(st, body=self.body(st.body, facts))
        return self._rest(st, facts)

    def _for(self, st: s.For, facts: Facts) -> s.For:
        lo, hi = self.expr(st.lo, facts), self.expr(st.hi, facts)
        step = self.expr(st.step, facts)
        body = self.body(st.body, inside(st, facts))
        return _changed(st, lo=lo, hi=hi, step=step, body=body)

    def _rest(self, st: s.Stmt, facts: Facts) -> s.Stmt:
        if isinstance(st, s.While):
            inner = facts if st.do else facts.with_cond(st.cond, True)
            return _changed(
                st,
                cond=self.expr(st.cond, facts),
                body=self.body(st.body, inner),
                step=self.body(st.step, facts),
            )
        if isinstance(st, s.Switch):
            cases = tuple(_changed(c, body=self.body(c.body, facts)) for c in st.cases)
            same = all(a is b for a, b in zip(cases, st.cases, strict=True))
            return _changed(st, value=self.expr(st.value, facts), cases=st.cases if same else cases)
        if isinstance(st, (s.Return, s.Eval)):
            key = "value" if isinstance(st, s.Return) else "call"
            return _changed(st, **{key: self._opt(getattr(st, key), facts)})
        if isinstance(st, s.Instr):
            outs = tuple(self.place(x, facts) for x in st.outs)
            return _changed(st, outs=outs, ins=tuple(self.expr(x, facts) for x in st.ins))
        if isinstance(st, s.Launch):
            args = tuple(self.expr(x, facts) for x in st.args)
            return _changed(st, args=args)
        return st

    def _opt(self, x: e.Expr | None, facts: Facts) -> e.Expr | None:
        return None if x is None else self.expr(x, facts)


T = TypeVar("T")


def _changed(node: T, **new: object) -> T:
    """`node` with the fields that differ replaced; the same object where none does."""
    diff: dict[str, object] = {}
    for key, value in new.items():
        old = getattr(node, key)
        if isinstance(value, tuple) and isinstance(old, tuple) and len(value) == len(old):
            if any(a is not b for a, b in zip(value, old, strict=True)):
                diff[key] = value
        elif value is not old:
            diff[key] = value
    return replace(node, **diff) if diff else node  # type: ignore[type-var]


changed = _changed


def inside(st: s.For, facts: Facts) -> Facts:
    """What is known in the body of `st`."""
    inner = facts.with_loop(st.var, st.lo, st.hi)
    return inner.with_axis(st.var, st.hi) if st.kind == "parallel" else inner


def after(st: s.Stmt, facts: Facts) -> Facts:
    """What is known once `st` has run and control has reached the next statement."""
    if isinstance(st, s.Decl) and st.init is not None:
        facts = facts.with_def(st.var, st.init)
    if isinstance(st, (s.Decl, s.Instr)):
        return learn(st, facts)
    if isinstance(st, s.If) and st.then and not st.orelse and always_leaves(st.then):
        return facts.with_cond(st.cond, False)
    return facts


def always_leaves(body: s.Body) -> bool:
    """Whether control never runs off the end of `body`."""
    if not body:
        return False
    last = body[-1]
    if isinstance(last, (s.Return, s.Break, s.Continue)):
        return True
    if isinstance(last, s.If):
        return always_leaves(last.then) and always_leaves(last.orelse)
    return isinstance(last, s.Scope) and always_leaves(last.body)
