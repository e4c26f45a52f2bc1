"""Conditions for all lanes of a piece at once: as numbers, or as all bits or none."""

from __future__ import annotations

from xpiler.analysis.effects import names_in
from xpiler.analysis.ranges import Facts, is_int
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import walk
from xpiler.ir.types import F32, I32, U32
from xpiler.passes.lowering.tasks import ops
from xpiler.passes.lowering.tasks.build import ONE, ZERO, call, cast, const, copy, real
from xpiler.passes.lowering.tasks.functions import FLOATS, Functions
from xpiler.passes.lowering.tasks.lanes import Value, Vec, has_load


class Conditions(Functions):
    """Evaluates conditions; what they compare is evaluated by `Values`."""

    def value(self, x: e.Expr, facts: Facts, want: Vec | None = None) -> Value:
        raise NotImplementedError

    def in_lane(self, x: e.Expr, lane: e.Expr, facts: Facts, sure: bool = True) -> e.Expr:
        raise NotImplementedError

    def safe(self, x: e.Expr, facts: Facts) -> bool:
        raise NotImplementedError

    def nested(self, run: object) -> s.Body:
        raise NotImplementedError

    def settle(self, v: Vec, want: Vec) -> None:
        raise NotImplementedError

    # -- conditions -------------------------------------------------------------------------------

    def condition(self, x: e.Expr, facts: Facts, want: Vec | None = None) -> Vec:
        """1.0 in the lanes in which `x` (expanded) holds, 0.0 in the others."""
        if want is not None and want.elem != F32:
            return self.as_flags(self.chosen(x, facts), want)
        if isinstance(x, e.Var) and x.name in self.flags:
            ones = self.chosen(x, facts)
            ones = self._result(ones, (), I32, "__bang_mul_scalar", ones, const(-1))
            return self.converted(ones, F32, want)
        if isinstance(x, e.Binary) and x.op in e.LOGICAL and not self.varies(x.a):
            return self._decided(x, facts, want)
        if isinstance(x, e.Binary) and x.op in e.LOGICAL and self._both(x, facts):
            a, b = self.condition(x.a, facts), self.condition(x.b, facts)
            name = "__bang_and" if x.op == "&&" else "__bang_or"
            return self._result(want, (a, b), F32, name, a, b)
        if isinstance(x, e.Unary) and x.op == "!":
            a = self.condition(x.x, facts)
            return self._result(want, (a,), F32, "__bang_not", a)
        if isinstance(x, e.Binary) and x.op in ops.COMPARE and x.a.type in FLOATS:
            return self._compared(x, facts, want)
        if isinstance(x, e.Binary) and x.op in ops.COMPARE and self._integers(x.a, x.b, x.op):
            return self._compared_integers(x, facts, want)
        lane = self.counter()
        out = want or self.temp(F32)
        held = self.in_lane(x, lane, facts)
        one = e.Select(held, real(1, F32), real(0, F32), F32)
        self.per_lane(lane, s.Assign(self.element(out, lane), one))
        return out

    def _decided(self, x: e.Binary, facts: Facts, want: Vec | None) -> Vec:
        """Where the first condition is the same in all lanes, the second is asked for or not."""
        out = want or self.temp(F32)
        asked = facts.with_cond(x.a, x.op == "&&")
        more = self.nested(lambda: self.settle(self.condition(x.b, asked, out), out))
        done = self.nested(lambda: self.filled(real(0 if x.op == "&&" else 1, F32), out))
        then, other = (more, done) if x.op == "&&" else (done, more)
        self.out.append(s.If(x.a, then, other))
        return out

    def _both(self, x: e.Binary, facts: Facts) -> bool:
        """Whether the second condition may be asked for where the first one decides: it reads
        nothing that the first one does not read."""
        a, before = self.expanded(x.a), self.data_only
        first = {n for n in walk(a) if isinstance(n, e.Index)}
        more = {n for n in walk(self.expanded(x.b)) if isinstance(n, e.Index)} - first
        self.data_only = (self.mask is None or before) and not self.on_index(a)
        sure = all(self.safe(n, facts) for n in more)
        self.data_only = before
        return sure

    def _compared(self, x: e.Binary, facts: Facts, want: Vec | None) -> Vec:
        a, b = self.value(x.a, facts), self.value(x.b, facts)
        op: str = x.op
        if not isinstance(a, Vec):
            a, b, op = b, a, ops.SWAPPED[op]
        if not isinstance(a, Vec):
            return self.filled(e.Select(x, real(1, F32), real(0, F32), F32), want)
        a = self.converted(a, F32)
        name = f"__bang_{ops.COMPARE[op]}"
        if isinstance(b, Vec):
            b = self.converted(b, F32)
            return self._result(want, (a, b), F32, name, a, b)
        return self._result(want, (a,), F32, f"{name}_scalar", a, cast(b, F32))

    def _integers(self, a: e.Expr, b: e.Expr, op: str = "<") -> bool:
        """Whether two 32-bit integers are compared, not only counters."""
        both = a.type == b.type and (a.type == I32 or (a.type == U32 and op in ("==", "!=")))
        return both and not (self._only_counts(a) and self._only_counts(b))

    def _compared_integers(self, x: e.Binary, facts: Facts, want: Vec | None) -> Vec:
        return self.converted(self._one_for_integers(x, facts), F32, want)

    def _one_for_integers(self, x: e.Binary, facts: Facts, want: Vec | None = None) -> Vec:
        """1 in the lanes in which a comparison of integers holds, 0 in the others."""
        op: str = x.op
        a, b = (self.value(cast(side, I32), facts) for side in (x.a, x.b))
        if not isinstance(a, Vec):
            a, b, op = b, a, ops.SWAPPED[op]
        if not isinstance(a, Vec):
            return self.filled(e.Select(x, ONE, ZERO, I32), want)
        if not isinstance(b, Vec) and op in ("==", "!="):
            return self._result(want, (a,), I32, f"__bang_{ops.COMPARE[op]}_scalar", a, b)
        b = b if isinstance(b, Vec) else self.filled(b)
        return self._result(want, (a, b), I32, f"__bang_{ops.COMPARE[op]}", a, b)

    def chosen(self, x: e.Expr, facts: Facts, want: Vec | None = None) -> Vec:
        """All bits set in the lanes in which `x` (expanded) holds, none in the others."""
        if isinstance(x, e.Var) and x.name in self.flags:
            out, held = want or self.temp(I32), Vec(I32, self.vectors[x.name])
            self.emit(copy(self.operand(out), self.operand(held), self.size, I32, "NRAM2NRAM"))
            return out
        if isinstance(x, e.Unary) and x.op == "!":
            a = self.chosen(x.x, facts, want)
            return self.bitwise("__bang_bnot", a, a)
        both = isinstance(x, e.Binary) and x.op in e.LOGICAL and self._asks_integers(x)
        if isinstance(x, e.Binary) and both and self._both(x, facts):
            a, b = self.chosen(x.a, facts, want), self.chosen(x.b, facts)
            self.bitwise("__bang_band" if x.op == "&&" else "__bang_bor", a, a, b)
            self.drop(b)
            return a
        if self._asks_integers(x) and isinstance(x, e.Binary) and x.op in ops.COMPARE:
            ones = self._one_for_integers(x, facts, want)
        elif not self._compares(x):
            out, lane = want or self.temp(I32), self.counter()
            bits = e.Select(self.in_lane(x, lane, facts), const(-1), ZERO, I32)
            self.per_lane(lane, s.Assign(self.element(out, lane), bits))
            return out
        else:
            mask = self.condition(x, facts)
            ones = want or self.temp(I32)
            args = (self.operand(ones), self.operand(mask), self.size, ZERO)
            self.emit(call("__bang_float2int32_tz", *args))
            self.drop(mask)
        return self._result(ones, (), I32, "__bang_mul_scalar", ones, const(-1))

    def _compares(self, x: e.Expr) -> bool:
        """Whether a condition is a comparison of floats, or several."""
        if isinstance(x, e.Binary) and x.op in e.LOGICAL:
            return True
        return isinstance(x, e.Binary) and x.op in ops.COMPARE and x.a.type in FLOATS

    def _asks_integers(self, x: e.Expr) -> bool:
        """Whether a condition compares integers somewhere."""
        x = self.expanded(x)
        if isinstance(x, e.Binary) and x.op in e.LOGICAL:
            return self._asks_integers(x.a) or self._asks_integers(x.b)
        if isinstance(x, e.Unary) and x.op == "!":
            return self._asks_integers(x.x)
        return isinstance(x, e.Binary) and x.op in ops.COMPARE and self._integers(x.a, x.b, x.op)

    def _only_counts(self, x: e.Expr) -> bool:
        """Integer arithmetic on the loop variable alone: a scalar loop does it as well."""
        return is_int(x.type) and not has_load(x) and not self._reads_vectors(x)

    def _reads_vectors(self, x: e.Expr) -> bool:
        return bool(names_in(x) & set(self.vectors))


__all__ = ["Conditions"]
