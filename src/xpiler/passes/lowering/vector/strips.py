"""One loop in strips of lanes: iterations that do not meet, or that only add up."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from xpiler.analysis.effects import assigned
from xpiler.analysis.walker import inside
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import fresh_name, walk
from xpiler.ir.types import BOOL, F32, F64, I32, I64, U32, U64, Pointer, Scalar, Vector
from xpiler.passes.lowering.vector.isa import Isa, Unsuitable
from xpiler.passes.lowering.vector.lanes import NARROW, Lanes

FUSED = "products that are added up may be rounded once with the sum (fused multiply-add)"


@dataclass
class Strip:
    """Rewrites the body of the loop over `lanes.var`."""

    isa: Isa
    lanes: Lanes
    taken: set[str]
    sums: dict[str, e.Var] = field(default_factory=dict)
    assumed: set[str] = field(default_factory=set)

    # -- statements ------------------------------------------------------------------------

    def body(self, body: s.Body, mask: e.Expr | None) -> s.Body:
        return tuple(x for st in body for x in self.stmt(st, mask))

    def stmt(self, st: s.Stmt, mask: e.Expr | None) -> s.Body:
        if isinstance(st, s.Decl):
            return self._declaration(st, mask)
        if isinstance(st, s.Assign):
            return (self._assignment(st, mask),)
        if isinstance(st, s.For):
            return (self._inner(st, mask),)
        if isinstance(st, s.If):
            return self._branch(st, mask)
        if isinstance(st, s.Scope):
            return (replace(st, body=self.body(st.body, mask)),)
        raise Unsuitable(f"{type(st).__name__.lower()} in the loop")

    def _declaration(self, st: s.Decl, mask: e.Expr | None) -> s.Body:
        t = st.var.type
        if st.space != "local":
            raise Unsuitable(f"a {t} for each iteration")
        if st.init is not None and isinstance(t, (Scalar, Pointer)) and self._stays(st):
            return (st,)
        if not isinstance(t, Scalar):
            raise Unsuitable(f"a {t} for each iteration")
        self.lanes.varying.add(st.var.name)
        if self._counts(st):
            self.lanes.counting.add(st.var.name)
            return (st,)
        if t == BOOL:
            if st.init is None:
                raise Unsuitable("a condition without a value")
            var = e.Var(st.var.name, self.isa.mask_type(self.lanes.width))
            value: e.Expr | None = self.lanes.condition(st.init, mask)
        else:
            var = e.Var(st.var.name, self.lanes.register(self.lanes.lane_type(t)))
            if t.name in NARROW and t.name != "f16" and st.init is not None:
                raise Unsuitable(f"a {t} for each iteration")
            if t.name == "f16":
                raise Unsuitable("a half for each iteration")
            value = None if st.init is None else self.lanes.value(st.init, mask)
        self.lanes.private[st.var.name] = var
        return (replace(st, var=var, init=value, const=False),)

    def _stays(self, st: s.Decl) -> bool:
        """Whether one value serves all lanes: it is never assigned and the same for all."""
        assert st.init is not None
        if self.lanes.uniform(st.init):
            self.lanes.certain(st.init)
        return self.lanes.uniform(st.init) and st.var.name not in self.changing

    def _counts(self, st: s.Decl) -> bool:
        """Whether the lanes have a number and those that follow it, which never change."""
        if st.init is None or st.var.name in self.changing or st.init.type != st.var.type:
            return False
        if st.var.type not in (I32, U32, I64, U64) or self.lanes.slope(st.init) != 1:
            return False
        self.lanes.certain(st.init)
        return True

    changing: frozenset[str] = frozenset()

    def _assignment(self, st: s.Assign, mask: e.Expr | None) -> s.Stmt:
        if isinstance(st.target, e.Index):
            return self._store(st, mask)
        if not isinstance(st.target, e.Var):
            raise Unsuitable("an assignment to part of a value")
        if st.target.name in self.sums:
            return self._added(st, mask)
        if st.target.name not in self.lanes.private:
            raise Unsuitable(f"{st.target.name} lives on from iteration to iteration")
        var = self.lanes.private[st.target.name]
        if not isinstance(var.type, Vector):
            if mask is not None and self.guarded:
                raise Unsuitable("a condition that is set on a condition")
            return replace(st, target=var, value=self.lanes.condition(_whole(st), mask), op="")
        value = self._combined(st, var, mask)
        if mask is not None and self.guarded:
            blend = (mask, var, value)
            value = self.isa.call("blend", var.type.elem, blend, var.type)
        return replace(st, target=var, value=value, op="")

    guarded: bool = False

    def _combined(self, st: s.Assign, var: e.Var, mask: e.Expr | None) -> e.Expr:
        """The new value; a product that is added to the variable is fused with the sum."""
        assert isinstance(var.type, Vector)
        t = var.type.elem
        whole = _whole(st)
        product = _added_product(whole, st.target)
        if product is not None and t in (F32, F64):
            self.assumed.add(FUSED)
            a, b = (self.lanes.value(x, mask) for x in (product.a, product.b))
            return self.isa.call("fma", t, (a, b, var), var.type)
        return self.lanes.value(whole, mask)

    def _store(self, st: s.Assign, mask: e.Expr | None) -> s.Stmt:
        target = st.target
        assert isinstance(target, e.Index)
        t = target.type
        if not isinstance(t, Scalar) or self.lanes.slope(target.index) != 1:
            raise Unsuitable("elements written that are not consecutive")
        if not self.lanes.uniform(target.base):
            raise Unsuitable("an array for each lane")
        self.lanes.within(target)
        whole = _whole(st)
        if t.name == "f16" and not isinstance(whole, e.Cast):
            raise Unsuitable("halves that are only moved")
        value = self.lanes.value(_widened(whole), mask)
        assert isinstance(value.type, Vector)
        want = self.lanes.lane_type(t)
        if value.type.elem.bits != want.bits or value.type.elem.is_float != want.is_float:
            raise Unsuitable(f"{value.type.elem} stored as {t}")
        return s.Eval(self.isa.store(target, t, value, mask), loc=st.loc, comments=st.comments)

    def _inner(self, st: s.For, mask: e.Expr | None) -> s.Stmt:
        for x in (st.lo, st.hi, st.step):
            if not self.lanes.uniform(x):
                raise Unsuitable("an inner loop of another length in each lane")
            self.lanes.certain(x)
        if st.kind == "parallel":
            st = replace(st, kind="serial")
        outer = self.lanes.facts
        self.lanes.facts = None if outer is None else inside(st, outer)
        body = self.body(st.body, mask)
        self.lanes.facts = outer
        return replace(st, body=body)

    def _branch(self, st: s.If, mask: e.Expr | None) -> s.Body:
        if self.lanes.uniform(st.cond):
            return (replace(st, then=self.body(st.then, mask), orelse=self.body(st.orelse, mask)),)
        on = e.Var(fresh_name("on", self.taken), self.isa.mask_type(self.lanes.width))
        test = self.isa.both(mask, self.lanes.condition(st.cond, mask))
        self.lanes.varying.add(on.name)
        out: list[s.Stmt] = [s.Decl(on, test, loc=st.loc, comments=st.comments)]
        before, self.guarded = self.guarded, True
        out += self._under(st.then, on)
        if st.orelse:
            rest = self.isa.both(mask, self.isa.inverse(on))
            off = e.Var(fresh_name("off", self.taken), on.type)
            self.lanes.varying.add(off.name)
            out += [s.Decl(off, rest), *self._under(st.orelse, off)]
        self.guarded = before
        return tuple(out)

    def _under(self, body: s.Body, on: e.Var) -> s.Body:
        """`body` for the lanes that are on; what might fail is only asked for if some are."""
        asks = any(self.lanes.asks(n) for n in walk(body) if isinstance(n, e.Expr))
        with self.lanes.perhaps(some=asks):
            done = self.body(body, on)
        if not asks:
            return done
        some = e.compare("!=", on, e.Const(0, on.type))
        return (s.If(some, done),)

    # -- sums -------------------------------------------------------------------------------

    def _added(self, st: s.Assign, mask: e.Expr | None) -> s.Stmt:
        """`acc op= x` on the accumulator's lanes; those that are off keep what they have."""
        assert isinstance(st.target, e.Var)
        acc = self.sums[st.target.name]
        assert isinstance(acc.type, Vector)
        t = acc.type.elem
        op, x = accumulation(st) or ("", st.value)
        if op == "sum" and t in (F32, F64) and isinstance(x, e.Binary) and x.op == "*":
            a, b = self.lanes.value(x.a, mask), self.lanes.value(x.b, mask)
            self.assumed.add(FUSED)
            three = (a, b, acc) if mask is None else (a, b, acc, mask)
            value = self.isa.call("fma" if mask is None else "fma_masked", t, three, acc.type)
        elif op == "sum":
            v = self.lanes.value(x, mask)
            args: tuple[e.Expr, ...] = (acc, v) if mask is None else (acc, mask, acc, v)
            value = self.isa.call("add" if mask is None else "add_masked", t, args, acc.type)
        elif op in ("max", "min"):
            v = self.lanes.value(x, mask)
            args = (v, acc) if mask is None else (acc, mask, v, acc)
            value = self.isa.call(op if mask is None else f"{op}_masked", t, args, acc.type)
        else:
            raise Unsuitable("a value that lives on in another way")
        return replace(st, target=acc, value=value, op="")


def _whole(st: s.Assign) -> e.Expr:
    if not st.op:
        return st.value
    return e.Binary(st.op, st.target, st.value, st.target.type)


def _widened(x: e.Expr) -> e.Expr:
    """What is stored in a narrow element, before it was made narrow."""
    narrow = isinstance(x.type, Scalar) and x.type.name in NARROW
    cast = isinstance(x, e.Cast) and isinstance(x.x.type, Scalar) and x.x.type.bits >= 32
    return x.x if narrow and cast else x  # type: ignore[attr-defined]


def _added_product(x: e.Expr, target: e.Expr) -> e.Binary | None:
    """`a * b` of `target + a * b`."""
    if not isinstance(x, e.Binary) or x.op != "+":
        return None
    for own, other in ((x.a, x.b), (x.b, x.a)):
        if own == target and isinstance(other, e.Binary) and other.op == "*":
            return other
    return None


def accumulation(st: s.Assign) -> tuple[str, e.Expr] | None:
    """(kind, operand) of `s += x`, `s = s + x`, `s = max(s, x)`, `s = x > s ? x : s`."""
    x = st.value
    if st.op == "+":
        return "sum", x
    if st.op:
        return None
    if isinstance(x, e.Binary) and x.op == "+" and st.target in (x.a, x.b):
        return "sum", x.b if x.a == st.target else x.a
    if isinstance(x, e.Call) and x.func in ("max", "min") and st.target in x.args:
        return x.func, x.args[1] if x.args[0] == st.target else x.args[0]
    if isinstance(x, e.Select) and isinstance(x.cond, e.Binary) and x.cond.op in ("<", ">"):
        return _chosen(st.target, x, x.cond)
    return None


def _chosen(target: e.Expr, x: e.Select, cond: e.Binary) -> tuple[str, e.Expr] | None:
    if target not in (x.a, x.b) or {repr(cond.a), repr(cond.b)} != {repr(x.a), repr(x.b)}:
        return None
    if x.b != target and isinstance(target.type, Scalar) and target.type.is_float:
        return None  # `s > x ? s : x` forgets a number beside a NaN
    larger = (cond.a == x.a) == (cond.op == ">")
    return ("max" if larger else "min"), x.b if x.a == target else x.a


def private_scalars(body: s.Body) -> frozenset[str]:
    """Variables declared inside that some statement assigns afterwards."""
    own = {n.var.name for n in walk(body) if isinstance(n, s.Decl)}
    return frozenset(own & assigned(body))
