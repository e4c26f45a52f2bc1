"""Loops of which the first and the last turn touch what all turns do, as far as hulls go."""

from __future__ import annotations

from dataclasses import dataclass, field

from xpiler.analysis.memo import by_identity
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import walk
from xpiler.ir.types import Array, Pointer, Scalar


@by_identity
def only_ends_matter(loop: s.For) -> bool:
    """Whether all addresses in the loop are linear in its variable, and nothing else follows it."""
    return _Loop({loop.var.name}, _data(loop.body)).body(loop.body)


def _data(body: s.Body) -> set[str]:
    """The integers that values in memory go into."""
    found: set[str] = set()
    writes = [n for st in body for n in walk(st) if isinstance(n, (s.Assign, s.Decl))]
    while True:
        before = len(found)
        for w in writes:
            target, value = (w.target, w.value) if isinstance(w, s.Assign) else (w.var, w.init)
            if isinstance(target, e.Var) and value is not None and _loads(value, found):
                found.add(target.name)
        if len(found) == before:
            return found


def _loads(x: e.Expr, data: set[str]) -> bool:
    return any(
        (isinstance(n, (e.Index, e.Field)) and not isinstance(n.type, (Array, Pointer)))
        or (isinstance(n, e.Var) and n.name in data)
        for n in walk(x)
    )


@dataclass
class _Loop:
    """`moving`: what is linear in the loop's variable; `data`: what memory decides; `own`: what is
    declared in the loop."""

    moving: set[str]
    data: set[str]
    own: set[str] = field(default_factory=set)

    def body(self, body: s.Body) -> bool:
        return all(map(self.statement, body))

    def statement(self, st: s.Stmt) -> bool:
        match st:
            case s.Decl():
                self.own.add(st.var.name)
                return st.init is None or self.value(st.var, st.init)
            case s.Assign() if isinstance(st.target, e.Var) and self.followed(st.target):
                return st.target.name in self.own and self.still(st.value)
            case s.Assign():
                return self.accesses(st.target) and self.accesses(st.value)
            case s.Scope():
                return self.body(st.body)
            case s.If():
                return self.still(st.cond) and self.body(st.then + st.orelse)
            case s.For():
                self.own.add(st.var.name)
                return all(map(self.still, (st.lo, st.hi, st.step))) and self.body(st.body)
            case s.While():
                return self.still(st.cond) and self.body(st.body + st.step)
        return False

    def followed(self, x: e.Var) -> bool:
        return _exact(x) and x.name not in self.data

    def value(self, var: e.Var, x: e.Expr) -> bool:
        """A declaration; what is linear in the variable moves with it."""
        if not self.followed(var):
            return self.accesses(x)
        if self.still(x):
            return True
        self.moving.add(var.name)
        return self.linear(x)

    def still(self, x: e.Expr) -> bool:
        """Whether `x` is the same in all turns, as far as the loop's variable goes."""
        lost = self.moving | self.data
        return not any(isinstance(n, e.Var) and n.name in lost for n in walk(x))

    def accesses(self, x: e.Expr) -> bool:
        """Whether each address in `x` is linear, and no call or choice depends on the variable."""
        return all(map(self.node, walk(x)))

    def node(self, n: object) -> bool:
        match n:
            case e.Index():
                behind = isinstance(n.base.type, Pointer)
                return self.linear(n.index) and (not behind or self.linear(n.base))
            case e.Select():
                return self.still(n.cond)
            case e.Binary() if n.op in ("&&", "||"):
                return self.still(n)
            case e.Call():
                return all(self.still(a) for a in n.args if _exact(a))
        return True

    def linear(self, x: e.Expr) -> bool:
        if self.still(x):
            return True
        match x:
            case e.Var():
                return x.name not in self.data
            case e.Cast():
                return self.linear(x.x)
            case e.Binary() if x.op in ("+", "-"):
                return self.linear(x.a) and self.linear(x.b)
            case e.Binary() if x.op == "*":
                return any(self.linear(a) and self.still(b) for a, b in ((x.a, x.b), (x.b, x.a)))
            case e.AddressOf():
                return self.place(x.x)
            case e.Index() if isinstance(x.type, Array):
                return self.place(x)
        return False

    def place(self, x: e.Expr) -> bool:
        if isinstance(x, e.Index):
            outer = self.place if isinstance(x.base.type, Array) else self.linear
            return outer(x.base) and self.linear(x.index)
        return isinstance(x, e.Var) or (isinstance(x, e.Field) and self.place(x.base))


def _exact(x: e.Expr) -> bool:
    t = x.type
    return isinstance(t, (Pointer, Array)) or (isinstance(t, Scalar) and not t.is_float)
