"""Whether a loop nest is what an instruction form stands for, and with which operands.

The two statements are compared node by node: sums and products also with their operands swapped, a
fused multiply-add also with a product and a sum. An array operand of the form fits any place whose
index differs by an amount that the loops do not change: that amount is the operand's address.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from xpiler.analysis.affine import to_expr
from xpiler.analysis.poly import Poly, atom
from xpiler.analysis.ranges import Facts
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import rewrite_exprs, substitute, walk
from xpiler.ir.types import Array, Pointer
from xpiler.passes.steps.forms_of import Form

FUSED = "a product that is added may be rounded together with the sum"
COMMUTES = frozenset(("+", "*", "&", "|", "^"))


@dataclass(frozen=True)
class Operand:
    """Where an array operand starts: `base[offset]`; or the value of a plain one.

    `start` is the index of the loop's first iteration, as the source computes it.
    """

    base: e.Expr
    offset: Poly | None = None
    start: e.Expr | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Match:
    """Operands by the form's parameter names, and what has to be taken for granted."""

    operands: dict[str, Operand] = field(default_factory=dict)
    assumed: frozenset[str] = frozenset()

    def bound(self, name: str, operand: Operand) -> Match | None:
        """Also with this operand; None where the parameter has another one."""
        old = self.operands.get(name)
        if old is not None:
            return self if old == operand else None
        return replace(self, operands={**self.operands, name: operand})

    def assuming(self, sentence: str) -> Match:
        return replace(self, assumed=self.assumed | {sentence})


def _parts(x: e.Expr) -> tuple[object, tuple[e.Expr, ...]]:
    """What an operation is, and its operands; (None, ()) for places and other leaves."""
    if isinstance(x, e.Const):
        return ("const", x.value), ()
    if isinstance(x, (e.Binary, e.Unary)):
        return (type(x), x.op), (x.a, x.b) if isinstance(x, e.Binary) else (x.x,)
    if isinstance(x, e.Call):
        return ("call", x.func, x.fast), x.args
    if isinstance(x, e.Select):
        return "select", (x.cond, x.a, x.b)
    return ("cast", (x.x,)) if isinstance(x, e.Cast) else (None, ())


@dataclass(frozen=True)
class Matcher:
    """Compares a form with the statement inside `loops`; `facts` hold at that statement."""

    form: Form
    loops: tuple[s.For, ...]
    facts: Facts

    def statement(self, store: s.Assign) -> Match | None:
        """The operands under which the form does what `store` does; None where there are none."""
        mine = self.form.store
        for first in self.expressions(mine.target, store.target, Match()):
            for found in self.expressions(mine.value, store.value, first):
                if set(found.operands) == {p.name for p in self.form.params}:
                    return found
        return None

    def total(self, store: s.Assign) -> Match | None:
        """As `statement`, for a form that gives back a sum: what is added must agree."""
        mine, theirs = self.form.store.value, store.value
        if not (isinstance(mine, e.Binary) and isinstance(theirs, e.Binary)):
            return None
        if mine.op != "+" or theirs.op != "+" or mine.a != self.form.result:
            return None
        for rest in [
            x for x, y in ((theirs.b, theirs.a), (theirs.a, theirs.b)) if y == store.target
        ]:
            for found in self.expressions(mine.b, rest, Match()):
                if set(found.operands) == {p.name for p in self.form.params}:
                    return found
        return None

    def expressions(self, p: e.Expr, u: e.Expr, so_far: Match) -> Iterator[Match]:
        """Every way in which `u` is an instance of the form's `p`."""
        if isinstance(p, e.Index) and isinstance(p.base, e.Var):
            found = self._element(p, p.base, u, so_far)
            if found is not None:
                yield found
            return
        if isinstance(p, e.Var):
            found = self._value(p, u, so_far)
            if found is not None:
                yield found
            return
        yield from self._operation(p, u, so_far)

    def _element(self, p: e.Index, param: e.Var, u: e.Expr, so_far: Match) -> Match | None:
        if not isinstance(u, e.Index) or u.type != p.type or self._moves(u.base):
            return None
        if not isinstance(u.base.type, (Pointer, Array)):
            return None
        wanted = self.form.facts.poly(p.index)
        for mine, theirs in zip(self.form.loops, self.loops, strict=True):
            number = atom(theirs.var.name) - self.facts.poly(theirs.lo)
            wanted = wanted.substitute({mine.var.name: number})
        offset = self.facts.poly(u.index) - wanted
        if any(self.facts.inside_of(a) & self._names for a in offset.atoms()):
            return None
        first = {lp.var.name: lp.lo for lp in self.loops}
        whole = self.form.facts.poly(p.index)
        if any(m and not set(m) & {lp.var.name for lp in self.form.loops} for m in whole.terms):
            return None
        start = _folded(substitute(u.index, first)) if not whole.terms.get((), 0) else None
        return so_far.bound(param.name, Operand(u.base, offset, start))

    @property
    def _names(self) -> set[str]:
        return {lp.var.name for lp in self.loops}

    def _moves(self, x: e.Expr) -> bool:
        """Whether the loops change the value of `x`."""
        return any(isinstance(n, e.Var) and n.name in self._names for n in walk(x))

    def _value(self, p: e.Var, u: e.Expr, so_far: Match) -> Match | None:
        known = any(p == x for x in self.form.params)
        if not known or u.type != p.type or self._moves(u):
            return None
        return so_far.bound(p.name, Operand(u))

    def _operation(self, p: e.Expr, u: e.Expr, so_far: Match) -> Iterator[Match]:
        if isinstance(p, e.Call) and p.func == "fma":
            yield from self._fused(p, u, so_far)
        (head, ps), (theirs, us) = _parts(p), _parts(u)
        if head is None or head != theirs or p.type != u.type or len(ps) != len(us):
            return
        yield from self._all(ps, us, so_far)
        if isinstance(p, e.Binary) and p.op in COMMUTES:
            yield from self._all(ps, (us[1], us[0]), so_far)

    def _fused(self, p: e.Call, u: e.Expr, so_far: Match) -> Iterator[Match]:
        """A fused multiply-add in the place of a product and a sum: rounded once, not twice."""
        if not isinstance(u, e.Binary) or u.op != "+":
            return
        for product, rest in ((u.a, u.b), (u.b, u.a)):
            if isinstance(product, e.Binary) and product.op == "*":
                loose = so_far.assuming(FUSED)
                yield from self._all(p.args, (product.a, product.b, rest), loose)
                yield from self._all(p.args, (product.b, product.a, rest), loose)

    def _all(
        self, ps: tuple[e.Expr, ...], us: tuple[e.Expr, ...], so_far: Match
    ) -> Iterator[Match]:
        if not ps:
            yield so_far
            return
        for found in self.expressions(ps[0], us[0], so_far):
            yield from self._all(ps[1:], us[1:], found)


def _folded(x: e.Expr) -> e.Expr:
    """Without the zeros that a loop's start has left in sums."""

    def one(n: e.Expr) -> e.Expr:
        if isinstance(n, e.Binary) and n.op == "+" and n.type == n.a.type:
            if isinstance(n.b, e.Const) and n.b.value == 0:
                return n.a
            return n.b if isinstance(n.a, e.Const) and n.a.value == 0 else n
        return n

    found: e.Expr = rewrite_exprs(x, one)
    return found


def argument(operand: Operand, param: e.Var, facts: Facts) -> e.Expr | None:
    """The operand as an argument of the form; None where its address cannot be written."""
    if operand.offset is None:
        return operand.base
    index = operand.start
    if index is not None:
        index = to_expr(facts, operand.offset, index.type) or index
    if index is None or not isinstance(operand.base.type, (Pointer, Array)):
        return None
    assert isinstance(param.type, Pointer)
    place = e.Index(operand.base, index, operand.base.type.elem)
    return e.AddressOf(place, Pointer(operand.base.type.elem, param.type.const))
