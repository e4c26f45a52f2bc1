"""Expressions for all lanes of a piece at once: instructions where there are some, else a loop."""

from __future__ import annotations

from dataclasses import replace

from xpiler.analysis.effects import names_in
from xpiler.analysis.ranges import Facts, is_int
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import map_children
from xpiler.ir.types import BOOL, F32, I32, U32, Array, Pointer, Scalar, Type
from xpiler.passes.lowering.tasks import ops
from xpiler.passes.lowering.tasks.build import (
    ZERO,
    NotVector,
    at,
    call,
    cast,
    const,
    copy,
    is_const,
    least,
    less,
    most,
    mul,
    real,
)  # fmt: skip
from xpiler.passes.lowering.tasks.conditions import Conditions
from xpiler.passes.lowering.tasks.conversions import NUMBERS, WRAPS
from xpiler.passes.lowering.tasks.exchange import exchanged
from xpiler.passes.lowering.tasks.functions import COMPOSED, FLOATS
from xpiler.passes.lowering.tasks.lanes import Lanes, Value, Vec, has_load
from xpiler.passes.lowering.tasks.ranges import as_range

FAR = 200
"""Cycles, roughly, that one element of the device's memory takes by itself."""


BITS = {"&": "__bang_band", "|": "__bang_bor", "^": "__bang_bxor", "<<": "", ">>": ""}


class Values(Conditions):
    """Evaluates expressions; a result that is no `Vec` is the same for all lanes."""

    def value(self, x: e.Expr, facts: Facts, want: Vec | None = None) -> Value:
        """The value of `x` in the active lanes, in `want` if that is given and `x` varies."""
        x = self.expanded(x)
        if not self.varies(x):
            if self.mask is not None and has_load(x):
                return self.by_lane(x, facts, want)
            return x
        if isinstance(x, e.Var) and x.name in self.flags:
            return self.condition(x, facts, want)
        if isinstance(x, e.Var):
            return (
                Vec(x.type, self.vectors[x.name])
                if x.name in self.vectors
                else self.by_lane(x, facts, want)
            )
        if isinstance(x, e.Index):
            return self._element(x, facts, want)
        if isinstance(x, e.Select):
            return self._select(x, facts, want)
        if isinstance(x, e.Cast):
            return self._cast(x, facts, want)
        if isinstance(x, e.Binary):
            return self._binary(x, facts, want)
        if isinstance(x, e.Unary) and x.op == "-" and x.type in FLOATS:
            a = self.vec(x.x, facts)
            return self._result(want, (a,), x.type, "__bang_mul_scalar", a, real(-1, x.type))
        if isinstance(x, e.Call):
            return self._call(x, facts, want)
        return self.by_lane(x, facts, want)

    def vec(self, x: e.Expr, facts: Facts, want: Vec | None = None) -> Vec:
        """As `value`, in a vector also where it is the same for all lanes."""
        v = self.value(x, facts, want)
        return v if isinstance(v, Vec) else self.filled(v, want)

    def into(self, x: e.Expr, facts: Facts, want: Vec) -> None:
        """The value of `x` in `want`."""
        self.settle(self.vec(x, facts, want), want)

    def settle(self, v: Vec, want: Vec) -> None:
        """A value that may lie elsewhere, in `want`."""
        if v != want:
            self.emit(copy(self.operand(want), self.operand(v), self.size, want.elem, "NRAM2NRAM"))
            self.drop(v)

    # -- plain operations -----------------------------------------------------------------------

    def _binary(self, x: e.Binary, facts: Facts, want: Vec | None) -> Value:
        if x.type == BOOL:
            return self.condition(x, facts, want)
        if x.type == U32 and x.op in ("+", "-", "*"):
            return self._wrapping(x, facts, want)
        if x.op in BITS and x.type in (I32, U32) and not self._only_counts(x):
            found = self._on_bits(x, facts, want)
            if found is not None:
                return found
        plain = x.type in FLOATS or (x.type == I32 and x.op in ("+", "-", "*"))
        if not plain or x.op not in ops.VECTOR or self._only_counts(x):
            return self.by_lane(x, facts, want)
        angle = _one_and_tanh(x)
        if angle is not None and x.type == F32:
            return self.one_and_tanh(self.vec(angle, facts))
        a = self.value(x.a, facts)
        b = self.value(x.b, facts)
        if isinstance(a, Vec) and isinstance(b, Vec):
            return self._result(want, (a, b), x.type, ops.VECTOR[x.op], a, b)
        if isinstance(a, Vec):
            return self._result(want, (a,), x.type, ops.SCALAR[x.op], a, b)
        if not isinstance(b, Vec):
            return self.by_lane(x, facts, want)
        if x.op in ("+", "*"):
            return self._result(want, (b,), x.type, ops.SCALAR[x.op], b, a)
        if x.op == "-":
            out = self._result(want, (b,), x.type, "__bang_mul_scalar", b, _number(-1, x.type))
            return self._result(out, (), x.type, "__bang_add_scalar", out, a)
        if is_const(a, 1) and x.type == F32:
            return self._result(want, (b,), x.type, "__bang_recip", b)
        return self._result(want, (b,), x.type, "__bang_div", self._kept(self.filled(a)), b)

    def _wrapping(self, x: e.Binary, facts: Facts, want: Vec | None) -> Value:
        """Unsigned sums and products: the bits are those of signed ones."""
        if self._only_counts(x) or not facts.ledger.assume(WRAPS):
            return self.by_lane(x, facts, want)
        as_signed = e.Binary(x.op, cast(x.a, I32), cast(x.b, I32), I32)
        back = None if want is None or want.buffer is None else replace(want, elem=I32)
        v = self.value(as_signed, facts, back)
        return replace(v, elem=U32) if isinstance(v, Vec) else cast(v, U32)

    def _on_bits(self, x: e.Binary, facts: Facts, want: Vec | None) -> Vec | None:
        """Bits of 32-bit integers: both sides, one side and a number, or shifted alike."""
        if self.varies(x.b) and x.op in ("<<", ">>"):
            return None
        back = None if want is None or want.buffer is None else replace(want, elem=I32)
        a, b = (self.value(cast(side, I32), facts) for side in (x.a, x.b))
        if not isinstance(a, Vec):
            a, b = b, a
        assert isinstance(a, Vec)
        if x.op in ("<<", ">>"):
            name = "__bang_sll" if x.op == "<<" else "__bang_sra"
            if x.type == U32:
                name = name.replace("sra", "srl")
            out = self._target(back, (a,), I32)
            t = U32 if name == "__bang_srl" else I32
            places = [e.Cast(self.operand(v), Pointer(t)) for v in (out, a)]
            self.emit(call(name, *places, b, self.size))  # type: ignore[arg-type]
        elif isinstance(b, Vec):
            out = self.bitwise(BITS[x.op], self._target(back, (a, b), I32), a, b)
        else:
            out = self._result(back, (a,), I32, f"{BITS[x.op]}_scalar", a, b)
        self.drop(*(v for v in (a, b) if isinstance(v, Vec) and v != out))
        return replace(out, elem=x.type)

    def _kept(self, v: Vec) -> Vec:
        return replace(v, temp=False)

    def _call(self, x: e.Call, facts: Facts, want: Vec | None) -> Value:
        extreme = x.func in ops.EXTREME and len(x.args) == 2
        if extreme and (x.type in FLOATS or self._integers(x.args[0], x.args[1])):
            return self._extreme(x, facts, want)
        if x.type not in FLOATS:
            return self.by_lane(x, facts, want)
        if x.func == "fma" and x.type != F32:  # rounds once
            a, b, c = (cast(arg, F32) for arg in x.args)
            wide = e.Binary("+", e.Binary("*", a, b, F32), c, F32)
            return self._cast(e.Cast(wide, x.type), facts, want)
        if x.func == "fma" and _cancels(x):
            return self.by_lane(x, facts, want)
        if x.func == "fma":
            whole = e.Binary("+", e.Binary("*", x.args[0], x.args[1], x.type), x.args[2], x.type)
            return self._binary(whole, facts, want)
        if x.func == "div":
            return self._binary(e.Binary("/", x.args[0], x.args[1], x.type), facts, want)
        made = self._function(x, facts)
        return made if made is not None else self.by_lane(x, facts, want)

    def _extreme(self, x: e.Call, facts: Facts, want: Vec | None) -> Value:
        a, b = self.value(x.args[0], facts), self.value(x.args[1], facts)
        if isinstance(a, Vec) and isinstance(b, Vec):
            return self._result(want, (a, b), x.type, f"__bang_{ops.EXTREME[x.func]}", a, b)
        if not isinstance(a, Vec):
            a, b = b, a
        if not isinstance(a, Vec):
            return self.by_lane(x, facts, want)
        return self._result(want, (a,), x.type, ops.EXTREME_SCALAR[x.func], a, b)

    # -- functions ------------------------------------------------------------------------------

    def _function(self, x: e.Call, facts: Facts) -> Vec | None:
        """A function of one argument by instructions on floats; None where there are none."""
        if len(x.args) != 1 or x.func not in {*ops.UNARY, *COMPOSED}:
            return None
        a = self.vec(x.args[0], facts)
        out = self.of_float(x.func, self.converted(a, F32) if a.elem != F32 else a)
        return out if x.type == F32 else self.converted(out, x.type)

    # -- conversions ----------------------------------------------------------------------------

    def _cast(self, x: e.Cast, facts: Facts, want: Vec | None) -> Value:
        source, t = x.x.type, x.type
        low = _low_word(x.x)
        if t in (I32, U32) and low != x.x:
            return self.value(cast(low, t), facts, want)
        if source == BOOL and t in NUMBERS:
            return self.converted(self.condition(x.x, facts), t, want)
        known = source in NUMBERS and t in NUMBERS
        if not known or self._only_counts(x.x) or self._unsigned_float(x, facts):
            return self.by_lane(x, facts, want)
        return self.converted(self.vec(x.x, facts), t, want)

    def _unsigned_float(self, x: e.Cast, facts: Facts) -> bool:
        """Whether large unsigned numbers meet floats, which no instruction converts."""
        if x.type == U32:
            return x.x.type in FLOATS
        if x.x.type != U32 or x.type not in FLOATS:
            return False
        top = facts.interval(facts.poly(x.x))[1]
        return top is None or top >= 1 << 31

    # -- choices ----------------------------------------------------------------------------------

    def _select(self, x: e.Select, facts: Facts, want: Vec | None) -> Value:
        extreme = _as_extreme(x)
        if extreme is not None and (x.type in FLOATS or self._integers(x.a, x.b)):
            return self._extreme(extreme, facts, want)
        open_ = self.mask is not None and has_load(x) and not self.safe(x, facts)
        if x.type not in (*FLOATS, I32) or open_:
            return self.by_lane(x, facts, want)
        if x.type == I32 and self._only_counts(x):
            return self.by_lane(x, facts, want)
        if not self.varies(x.cond):
            return self._uniform_choice(x, facts, want)
        found = as_range(self, x.cond, facts)
        if found is not None:
            return self._by_range(x, facts, want)
        cond, before = self.expanded(x.cond), self.data_only
        mask = self.chosen(cond, facts)
        self.data_only = (self.mask is None or before) and not self.on_index(cond)
        try:
            if not all(self.safe(arm, facts) for arm in (x.a, x.b)):
                return self._by_mask(mask, x, facts, want)
            a, b = self.value(x.a, facts), self.value(x.b, facts)
        finally:
            self.data_only = before
        return self.blend(mask, a, b, x.type, want)

    def _by_mask(self, bits: Vec, x: e.Select, facts: Facts, want: Vec | None) -> Vec:
        """A choice lane by lane: only the chosen side is loaded."""
        lane = self.counter()
        out = want if want is not None and want.buffer is not None else self.temp(x.type)
        held = e.compare("!=", self.element(bits, lane), ZERO)
        arms = [self.in_lane(self.expanded(a), lane, facts, sure=False) for a in (x.a, x.b)]
        assign = s.Assign(self.element(out, lane), e.Select(held, arms[0], arms[1], x.type))
        self.per_lane(lane, assign, weight=2)
        self.drop(bits)
        return out

    def safe(self, x: e.Expr, facts: Facts) -> bool:
        """Whether `x` may be evaluated in lanes that do not ask for it: it loads nothing new."""
        x = self.expanded(x)
        if isinstance(x, e.Index) and isinstance(x.base.type, (Pointer, Array)):
            return x in self.loaded or self._in_vectors(x) or self._in_row(x, facts)
        from xpiler.ir.rewrite import children

        return all(self.safe(c, facts) for c in children(x) if isinstance(c, e.Expr))

    def _in_row(self, x: e.Index, facts: Facts) -> bool:
        """Whether `x` is an element of a row that may be read as a whole."""
        w = self.where(x, facts) if self.data_only and isinstance(x.type, Scalar) else None
        return w is not None and bool(w.stride.terms) and (w.near or self.whole_rows(facts))

    def _in_vectors(self, x: e.Index) -> bool:
        base: e.Expr = x
        while isinstance(base, e.Index):
            base = base.base
        return isinstance(base, e.Var) and base.name in self.arrays

    def blend(self, bits: Vec, a: Value, b: Value, t: Type, want: Vec | None = None) -> Vec:
        """a where the bits are set, else b: nothing is computed with unwanted values."""
        if t not in (F32, I32):
            a, b = (self.converted(self.filled_or(v), F32) for v in (a, b))
            return self.converted(self.blend(bits, a, b, F32), t, want)
        out = self.mixed(bits, a, b, t, want)
        self.drop(bits)
        return out

    def _uniform_choice(self, x: e.Select, facts: Facts, want: Vec | None) -> Vec:
        out = want if want is not None and not _mentions(self, x, want) else self.temp(x.type)
        then = self.nested(lambda: self.into(x.a, facts.with_cond(x.cond), out))
        other = self.nested(lambda: self.into(x.b, facts.with_cond(x.cond, False), out))
        self.out.append(s.If(x.cond, then, other))
        return out

    def _by_range(self, x: e.Select, facts: Facts, want: Vec | None) -> Vec:
        """The second value everywhere (or outside the range only), the first within."""
        found = as_range(self, x.cond, facts)
        assert found is not None
        out = want if want is not None and not _mentions(self, x, want) else self.temp(x.type)
        other = self.expanded(x.b)
        lo, hi = self.bounds(found.lo, found.hi)
        before, self.data_only = self.data_only, False
        sure = self.safe(other, facts)
        self.data_only = before
        if has_load(other) and not sure:
            if found.uniform:
                raise NotVector("a choice between two loads by several conditions")
            for a, b in ((self.lo, least(lo, self.hi)), (most(hi, self.lo), self.hi)):
                self.within(a, b, [], lambda: self.into(other, facts, out))
        else:
            self.into(other, facts, out)
        inner = facts.with_cond(x.cond)
        self.within(lo, hi, found.uniform, lambda: self.into(x.a, inner, out))
        return out

    def bounds(self, lo: e.Expr, hi: e.Expr) -> tuple[e.Expr, e.Expr]:
        """The ends of a range, named where they are long."""
        return self._named("first", lo), self._named("last", hi)

    def _named(self, stem: str, x: e.Expr) -> e.Expr:
        from xpiler.ir.rewrite import fresh_name

        if isinstance(x, (e.Const, e.Var)):
            return x
        var = e.Var(fresh_name(stem, self.arena.taken), I32)
        self.out.append(s.Decl(var, x, const=True))
        return var

    def within(self, lo: e.Expr, hi: e.Expr, uniform: list[e.Expr], run: object) -> None:
        """Run with fewer lanes active, where there are any."""
        if isinstance(lo, e.Const) and isinstance(hi, e.Const) and lo.value >= hi.value:
            return
        old = self.lo, self.hi
        cond: e.Expr | None = None
        certain = (lo, hi) == old or (isinstance(lo, e.Const) and isinstance(hi, e.Const))
        for part in [*uniform, *([] if certain else [less(lo, hi)])]:
            cond = part if cond is None else e.Binary("&&", cond, part, BOOL)
        self.lo, self.hi = lo, hi
        body = self.nested(run)
        self.lo, self.hi = old
        if cond is None:
            self.out.extend(body)
        elif body:
            self.out.append(s.If(cond, body))

    def nested(self, run: object) -> s.Body:
        """The statements that `run` emits; what it loads is not there afterwards."""
        out, loaded = self.out, dict(self.loaded)
        self.out = []
        run()  # type: ignore[operator]
        body, self.out = tuple(self.out), out
        self.loaded = {k: v for k, v in loaded.items() if self.loaded.get(k) == v}
        return body

    # -- memory -----------------------------------------------------------------------------------

    def _element(self, x: e.Index, facts: Facts, want: Vec | None) -> Value:
        slot = self.slot(x, facts)
        if slot is not None:
            return slot
        if isinstance(x.index, e.Select) and not has_load(x.index):
            i = x.index
            arms = [replace(x, index=arm) for arm in (i.a, i.b)]
            return self.value(e.Select(i.cond, arms[0], arms[1], x.type), facts, want)
        found = self.load(x, facts) if isinstance(x.type, Scalar) else None
        found = found or exchanged(self, x, facts)
        return found if found is not None else self.by_lane(x, facts, want)

    def slot(self, x: e.Expr, facts: Facts) -> Vec | None:
        """An element of an array that every lane has for itself."""
        index: e.Expr | None = None
        base, scale = x, 1
        while isinstance(base, e.Index):
            term = mul(cast(base.index, I32), const(scale))
            index = term if index is None else e.Binary("+", term, index, I32)
            if not isinstance(base.base.type, Array) or base.base.type.size is None:
                return None
            scale *= base.base.type.size
            base = base.base
        if not isinstance(base, e.Var) or base.name not in self.arrays:
            return None
        assert index is not None
        index = self.expanded(index)
        if self.varies(index):
            raise NotVector("an array of each lane with an index that varies")
        return Vec(x.type, self.arrays[base.name], offset=mul(index, const(self.width)))

    # -- a loop over the lanes ------------------------------------------------------------------

    def by_lane(self, x: e.Expr, facts: Facts, want: Vec | None = None) -> Vec:
        """The value of `x` by a scalar loop; what can be copied is copied before."""
        if not isinstance(x.type, Scalar) or x.type.name == "void":
            raise NotVector("a value that is no number")
        if x.type == BOOL:
            return self.condition(x, facts, want)
        lane = self.counter()
        out = want if want is not None and want.buffer is not None else self.temp(x.type)
        value = self.in_lane(x, lane, facts)
        assign: s.Stmt = s.Assign(self.element(out, lane), value)
        if self.mask is not None:
            assign = s.If(e.compare("!=", at(self.mask, lane), ZERO), (assign,))
        self.per_lane(lane, assign, weight=3 if x.type in FLOATS else 1)
        return out

    def in_lane(self, x: e.Expr, lane: e.Expr, facts: Facts, sure: bool = True) -> e.Expr:
        """`x` (expanded) as a scalar expression for one lane; `sure`: it is always evaluated."""
        if isinstance(x, e.Var):
            if x.name in self.flags:
                return e.compare("!=", at(self.vectors[x.name], lane), ZERO)
            if x.name in self.vectors:
                return at(self.vectors[x.name], lane)
            return self.point(lane) if x == self.var else x
        if isinstance(x, e.Index) and isinstance(x.base.type, (Pointer, Array)):
            return self._element_in_lane(x, lane, facts, sure)
        if isinstance(x, e.Select) or (isinstance(x, e.Binary) and x.op in e.LOGICAL):
            first = x.cond if isinstance(x, e.Select) else x.a
            return map_children(x, lambda c: self.in_lane(c, lane, facts, sure and c is first))
        return map_children(x, lambda c: self.in_lane(c, lane, facts, sure))

    def _element_in_lane(self, x: e.Index, lane: e.Expr, facts: Facts, sure: bool) -> e.Expr:
        slot = self.slot(x, facts)
        if slot is not None:
            return self.element(slot, lane)
        known = x in self.loaded and self.loaded[x][:2] == (ZERO, self.count)
        usable = (sure and self.mask is None) or known
        if usable and self.varies(x) and isinstance(x.type, Scalar):
            found = self.load(x, facts)
            if found is not None:
                return self.element(found, lane)
        self.cost += self.times * self.usual * FAR
        return map_children(x, lambda c: self.in_lane(c, lane, facts, sure))


def _one_and_tanh(x: e.Binary) -> e.Expr | None:
    """u where `x` is 1 + tanh(u), which cancels the digits that tanh has."""
    for one, f in ((x.a, x.b), (x.b, x.a)):
        if x.op == "+" and is_const(one, 1) and isinstance(f, e.Call) and f.func == "tanh":
            return f.args[0]
    return None


def _low_word(x: e.Expr) -> e.Expr:
    """Sums and products in 64 bits of which only 32 are wanted, in 32 bits."""
    wide = getattr(x.type, "bits", 0) == 64 and is_int(x.type)
    if wide and isinstance(x, e.Cast) and is_int(x.x.type) and x.x.type != BOOL:
        return cast(_low_word(x.x), U32)
    if wide and isinstance(x, e.Binary) and x.op in ("+", "-", "*"):
        return e.Binary(x.op, cast(_low_word(x.a), U32), cast(_low_word(x.b), U32), U32)
    return x


def _cancels(x: e.Call) -> bool:
    """a b + a and the like: where b is near -1, the product's rounding is all that is left."""
    a, b, c = (_unsigned(arg) for arg in x.args)
    return c in (a, b)


def _unsigned(x: e.Expr) -> e.Expr:
    return _unsigned(x.x) if isinstance(x, e.Unary) and x.op == "-" else x


def _number(value: int, t: Type) -> e.Const:
    return const(value) if is_int(t) else real(value, t)


def _mentions(lanes: Lanes, x: e.Expr, want: Vec) -> bool:
    """Whether `want` may be read in `x`."""
    if want.place is not None:
        return bool(names_in(want.place) & names_in(lanes.expanded(x)))
    names = names_in(lanes.expanded(x))
    return any(v == want.buffer and n in names for n, v in lanes.vectors.items())


def _as_extreme(x: e.Select) -> e.Call | None:
    """`a > b ? a : b` as a maximum, and so on (they differ only where something is no number)."""
    c = x.cond
    if not (isinstance(c, e.Binary) and c.op in ("<", "<=", ">", ">=")):
        return None
    if {c.a, c.b} != {x.a, x.b} or c.a == c.b:
        return None
    greater = c.op in (">", ">=")
    func = "max" if (c.a == x.a) == greater else "min"
    return e.Call(func, (x.a, x.b), x.type)
