"""Expressions of one iteration, as expressions on registers that hold many iterations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from xpiler.analysis.atoms import UNSIGNED
from xpiler.analysis.effects import names_in
from xpiler.analysis.ranges import Facts
from xpiler.ir import expr as e
from xpiler.ir.intrinsics import math_functions
from xpiler.ir.rewrite import walk
from xpiler.ir.types import BOOL, F32, I32, I64, U32, Array, Pointer, Scalar, Vector
from xpiler.passes.lowering.vector.isa import Isa, Unsuitable

_OPERATIONS = {"+": "add", "-": "sub", "*": "mul", "/": "div", "&": "and", "|": "or", "^": "xor"}
_QUIET = {"same": 8, "==": 0, "<": 17, "<=": 18, "!=": 4, ">=": 29, ">": 30}
_SWAPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
_INTEGER = {"same": 0, "==": 0, "<": 1, "<=": 2, "!=": 4, ">=": 5, ">": 6}
NARROW = ("i8", "u8", "i16", "u16", "f16")


@dataclass
class Lanes:
    """The iterations `var`, `var + 1`, ... of a loop, `width` of them, those in `mask` (None: all).

    `private` are the variables of an iteration that have become registers (conditions: masks);
    `counting` those that grow by one from lane to lane and stay numbers, the first lane's. `facts`
    hold in the loop.
    """

    isa: Isa
    var: e.Var
    width: int
    wide: Scalar
    private: dict[str, e.Var] = field(default_factory=dict)
    varying: set[str] = field(default_factory=set)
    counting: set[str] = field(default_factory=set)
    facts: Facts | None = None
    unsure: int = 0  # > 0 where the first lane may be off
    idle: int = 0  # > 0 where perhaps no lane is on

    @contextmanager
    def perhaps(self, some: bool = False) -> Iterator[None]:
        """Where lanes may be off: all of them, or with `some` not all."""
        self.unsure += 1
        self.idle += not some
        try:
            yield
        finally:
            self.unsure -= 1
            self.idle -= not some

    # -- what varies ---------------------------------------------------------------------

    def uniform(self, x: e.Expr) -> bool:
        """Whether all lanes see one value."""
        return not names_in(x) & (self.varying | {self.var.name})

    def slope(self, x: e.Expr) -> int | None:
        """By how much the index `x` grows from lane to lane; None where not evenly."""
        if self.uniform(x):
            return 0
        if isinstance(x, e.Var):
            return 1 if x.name == self.var.name or x.name in self.counting else None
        if isinstance(x, e.Cast) and _integer(x.type) and _integer(x.x.type):
            return self.slope(x.x) if _keeps_order(x) or self._exact(x) else None
        if isinstance(x, e.Binary) and x.op in "+-*":
            a, b = self.slope(x.a), self.slope(x.b)
            if a is None or b is None or (_unsigned(x) and not self._exact(x)):
                return None
            if x.op == "*":
                return _scaled(a, x.b, b, x.a)
            return a + b if x.op == "+" else a - b
        return None

    def _exact(self, x: e.Cast | e.Binary) -> bool:
        """Whether `x`, of an unsigned type of 32 bits, does not wrap around (by assumption)."""
        if self.facts is None:
            return isinstance(x, e.Binary) and x.op != "-"
        if _scalar(x.type).bits < 32 or (isinstance(x, e.Cast) and _scalar(x.x.type).bits < 32):
            return False
        fits = self.facts.fits(self.facts.raw(x), x.type)
        return fits or (self.facts.ledger.unsigned and self.facts.ledger.assume(UNSIGNED))

    # -- values --------------------------------------------------------------------------

    def value(self, x: e.Expr, mask: e.Expr | None) -> e.Expr:
        """The register of the lanes' values of `x`."""
        t = x.type
        if not isinstance(t, Scalar) or t == BOOL:
            raise Unsuitable(f"values of type {t}")
        if self.uniform(x):
            return self.spread(x)
        if isinstance(x, e.Var):
            return self._variable(x)
        if isinstance(x, e.Index):
            return self.load(x, mask)
        if isinstance(x, e.Cast):
            return self._cast(x, mask)
        if isinstance(x, e.Binary):
            return self._binary(x, mask)
        if isinstance(x, e.Unary) and x.op == "-":
            return self._negative(x, mask)
        if isinstance(x, e.Select):
            return self._select(x, mask)
        if isinstance(x, e.Call):
            return self._call(x, mask)
        if isinstance(x, e.Bits) and self._same_width(x):
            return self.isa.call(f"bits_{_name(x.x.type)}", _scalar(t), (self.value(x.x, mask),),
                                 self.register(_scalar(t)))  # fmt: skip
        raise Unsuitable(f"{type(x).__name__.lower()} has no vector form")

    def _same_width(self, x: e.Bits) -> bool:
        return isinstance(x.x.type, Scalar) and x.x.type.bits == _scalar(x.type).bits

    def register(self, t: Scalar) -> Vector:
        return Vector(t, self.width)

    def lane_type(self, t: Scalar) -> Scalar:
        """The type of lanes in which values of `t` are computed."""
        if t.name in NARROW:
            t = F32 if t.name == "f16" else I32
        if self.isa.lanes(t) != self.width:
            raise Unsuitable(f"{t} beside lanes of {self.wide}")
        return t

    def spread(self, x: e.Expr) -> e.Expr:
        """One value in all lanes."""
        self.certain(x)
        t = self.lane_type(_scalar(x.type))
        one = x if x.type == t else e.Cast(x, t)
        if isinstance(one, e.Const) and one.value == 0 and not str(one.value).startswith("-"):
            return self.isa.call("zero", t, (), self.register(t))
        return self.isa.call("spread", t, (one,), self.register(t))

    def certain(self, x: e.Expr) -> None:
        """Raises Unsuitable for what may fail where no lane asks for it."""
        if self.idle and any(n for n in walk(x) if _may_fail(n) and not self._is_there(n)):
            raise Unsuitable("a value that may not be asked for")

    def asks(self, x: e.Expr) -> bool:
        """Whether `x` may fail and is the same for all lanes."""
        return _may_fail(x) and self.uniform(x) and not self._is_there(x)

    def _variable(self, x: e.Var) -> e.Expr:
        if x.name in self.private:
            found = self.private[x.name]
            if not isinstance(found.type, Vector):
                raise Unsuitable("a condition as a number")
            return found
        counts = x.name == self.var.name or x.name in self.counting
        if counts and x.type in (I32, U32) and self.width == 16:
            return self.isa.call("count_from", I32, (_as(x, I32),), self.register(_scalar(x.type)))
        raise Unsuitable(f"{x.name} varies")

    def within(self, x: e.Index) -> None:
        """Raises Unsuitable where a strip may begin beyond the end of an array.

        No lane would be on, but C knows no address there.
        """
        if self.unsure and isinstance(x.base.type, Array) and not self._there(x):
            raise Unsuitable("a strip that may begin beyond an array")

    def _there(self, x: e.Index) -> bool:
        """Whether an element's subscripts are in their ranges even where no lane is on."""
        if self.facts is None or not isinstance(x.base.type, Array) or x.base.type.size is None:
            return False
        at = self.facts.poly(x.index)
        inside = self.facts.nonneg(at) and self.facts.nonneg(-at + (x.base.type.size - 1))
        return inside and (isinstance(x.base, e.Var) or self._there_in(x.base))

    def _is_there(self, x: object) -> bool:
        return isinstance(x, e.Index) and self._there(x)

    def _there_in(self, base: e.Expr) -> bool:
        return isinstance(base, e.Index) and self._there(base)

    def load(self, x: e.Index, mask: e.Expr | None) -> e.Expr:
        """The lanes' elements of an array: consecutive ones."""
        if not self.uniform(x.base) or not isinstance(x.base.type, (Pointer, Array)):
            raise Unsuitable("an array for each lane")
        if self.slope(x.index) != 1:
            raise Unsuitable("elements that are not consecutive")
        self.within(x)
        t = _scalar(x.type)
        if t.name not in NARROW and self.isa.lanes(t) != self.width:
            raise Unsuitable(f"{t} beside lanes of {self.wide}")
        if t.name in NARROW and self.width != 16:
            raise Unsuitable(f"{t} beside lanes of {self.wide}")
        return self.isa.load(x, t, self.width, mask)

    def _cast(self, x: e.Cast, mask: e.Expr | None) -> e.Expr:
        source, to = _scalar(x.x.type), _scalar(x.type)
        if source == BOOL:
            m = self.condition(x.x, mask)
            one = self.spread(e.Const(1, self.lane_type(to)))
            zero = self.spread(e.Const(0, self.lane_type(to)))
            return self.isa.call("blend", self.lane_type(to), (m, zero, one), one.type)
        inner = self.value(x.x, mask)
        if source.name in NARROW and isinstance(x.x, e.Index):
            source = F32 if source.name == "f16" else I32
        elif source.name in NARROW:
            raise Unsuitable(f"narrow {source} in a register")
        if to.name in NARROW:
            raise Unsuitable(f"narrow {to} in a register")
        return self._converted(inner, source, to)

    def _converted(self, inner: e.Expr, source: Scalar, to: Scalar) -> e.Expr:
        if source == to:
            return inner
        if {source, to} <= {I32, U32}:
            return _retyped(inner, to, self.width)
        if self.isa.lanes(to) != self.width:
            raise Unsuitable(f"{to} beside lanes of {self.wide}")
        return self.isa.call(f"from_{source}", to, (inner,), self.register(to))

    def _binary(self, x: e.Binary, mask: e.Expr | None) -> e.Expr:
        t = _scalar(x.type)
        if t.name in NARROW or t == BOOL:
            raise Unsuitable(f"arithmetic of {t}")
        if x.op in ("<<", ">>"):
            if not self.uniform(x.b):
                raise Unsuitable("a shift by another count in each lane")
            op = "shift_left" if x.op == "<<" else "shift_right"
            return self.isa.call(op, t, (self.value(x.a, mask), _as(x.b, U32)), self.register(t))
        named = _OPERATIONS.get(x.op)
        if named is None:
            raise Unsuitable(f"operator {x.op}")
        a, b = self.value(x.a, mask), self.value(x.b, mask)
        return self.isa.call(named, t, (a, b), self.register(t))

    def _negative(self, x: e.Unary, mask: e.Expr | None) -> e.Expr:
        t = _scalar(x.type)
        if t.is_float:
            minus = self.spread(e.Const(-0.0, t, "-0.0f" if t == F32 else "-0.0"))
            return self.isa.call("sub", t, (minus, self.value(x.x, mask)), self.register(t))
        zero = self.spread(e.Const(0, t))
        return self.isa.call("sub", t, (zero, self.value(x.x, mask)), self.register(t))

    def _select(self, x: e.Select, mask: e.Expr | None) -> e.Expr:
        t = _scalar(x.type)
        if (extreme := self._extreme(x, mask)) is not None:
            return extreme
        m = self.condition(x.cond, mask)
        reads = any(isinstance(n, e.Index) for n in walk(x))
        on = self.isa.both(mask, m) if reads else mask
        off = self.isa.both(mask, self.isa.inverse(m)) if reads else mask
        with self.perhaps():
            a, b = self.value(x.a, on), self.value(x.b, off)
        t = self.lane_type(t)
        return self.isa.call("blend", t, (m, b, a), self.register(t))

    def _extreme(self, x: e.Select, mask: e.Expr | None) -> e.Expr | None:
        """`a > b ? a : b` is exactly what the instruction for maxima does; `<`: minima."""
        c = x.cond
        if not isinstance(c, e.Binary) or c.op not in "<>" or (c.a, c.b) != (x.a, x.b):
            return None
        t = _scalar(x.type)
        pair = (self.value(x.a, mask), self.value(x.b, mask))
        return self.isa.call("max" if c.op == ">" else "min", t, pair, self.register(t))

    def _call(self, x: e.Call, mask: e.Expr | None) -> e.Expr:
        t = _scalar(x.type)
        if x.func not in math_functions():
            raise Unsuitable(f"{x.func} is called")
        if x.func in ("min", "max") and t.is_float:
            # fmin and fmax drop a NaN, the instruction gives its second operand
            a, b = x.args
            if isinstance(a, e.Const) or _certain(a):
                a, b = b, a
            sure = (isinstance(b, e.Const) and b.value == b.value) or _certain(b)
            pair = (self.value(a, mask), self.value(b, mask))
            return self.isa.call(x.func if sure else f"{x.func}_numbers", t, pair, self.register(t))
        args = tuple(self.value(a, mask) for a in x.args)
        return self.isa.call(x.func, t, args, self.register(t))

    # -- conditions ------------------------------------------------------------------------

    def condition(self, x: e.Expr, mask: e.Expr | None) -> e.Expr:
        """The mask of the lanes where `x` holds."""
        if self.uniform(x):
            self.certain(x)
            return self.isa.uniform(x, self.width)
        if isinstance(x, e.Var) and x.name in self.private:
            return self.private[x.name]
        if isinstance(x, e.Unary) and x.op == "!":
            return self.isa.inverse(self.condition(x.x, mask))
        if isinstance(x, e.Binary) and x.op in ("&&", "||"):
            a = self.condition(x.a, mask)
            asks = any(isinstance(n, e.Index) for n in walk(x.b))
            other = a if x.op == "&&" else self.isa.inverse(a)
            with self.perhaps():
                b = self.condition(x.b, self.isa.both(mask, other) if asks else mask)
            joined = self.isa.both(a, b) if x.op == "&&" else self.isa.either(a, b)
            assert joined is not None
            return joined
        if isinstance(x, e.Binary) and x.op in e.COMPARISONS:
            return self._comparison(x, mask)
        raise Unsuitable(f"a condition by {type(x).__name__.lower()}")

    def _comparison(self, x: e.Binary, mask: e.Expr | None) -> e.Expr:
        t = _scalar(x.a.type)
        below = self._below(x)
        if below is not None:
            return below
        a, b = self.value(x.a, mask), self.value(x.b, mask)
        return self.compared(x.op, a, b, self.lane_type(t))

    def compared(self, op: str, a: e.Expr, b: e.Expr, t: Scalar) -> e.Expr:
        """The mask of the lanes where `a op b`; "same" also holds beside what is no number."""
        number = (_QUIET if t.is_float else _INTEGER)[op]
        how = e.Const(number, I32, _predicate(op, t))
        return self.isa.call("compare", t, (a, b, how), self.isa.mask_type(self.width))

    def _below(self, x: e.Binary) -> e.Expr | None:
        """`i < n` where i counts from lane to lane: so many lanes from the first."""
        op: str = x.op
        a, b = x.a, x.b
        if self.slope(a) == 0 and op in _SWAPPED:
            op, a, b = _SWAPPED[op], b, a
        if op not in _SWAPPED or not _integer(a.type) or not self.uniform(b):
            return None
        if self.slope(a) != 1 or _scalar(a.type).name == "u64":
            return None
        self.certain(a)
        self.certain(b)
        left: e.Expr = e.Binary("-", _as(b, I64), _as(a, I64), I64)
        if op in ("<=", ">"):
            left = e.Binary("+", left, e.Const(1, I64), I64)
        to = self.isa.mask_type(self.width)
        first = self.isa.call("first_lanes", to, (left,), to)
        return first if op in ("<", "<=") else self.isa.inverse(first)


# -- helpers ----------------------------------------------------------------------------


_FLOAT_NAMES = {
    "same": "EQ_UQ",
    "==": "EQ_OQ",
    "<": "LT_OQ",
    "<=": "LE_OQ",
    "!=": "NEQ_UQ",
    ">=": "GE_OQ",
    ">": "GT_OQ",
}
_INT_NAMES = {"same": "EQ", "==": "EQ", "<": "LT", "<=": "LE", "!=": "NE", ">=": "NLT", ">": "NLE"}


def _predicate(op: str, t: Scalar) -> str:
    return f"_CMP_{_FLOAT_NAMES[op]}" if t.is_float else f"_MM_CMPINT_{_INT_NAMES[op]}"


def _certain(x: e.Expr) -> bool:
    """Whether a value is surely a number: a converted integer."""
    return isinstance(x, e.Cast) and isinstance(x.x.type, Scalar) and x.x.type.is_integer


def _may_fail(n: object) -> bool:
    """Whether evaluating a node can fault: reads of memory, integer division."""
    division = isinstance(n, e.Binary) and n.op in ("/", "%") and _integer(n.type)
    return isinstance(n, e.Index) or (division and not isinstance(n.b, e.Const))  # type: ignore[attr-defined]


def _scalar(t: object) -> Scalar:
    if not isinstance(t, Scalar):
        raise Unsuitable(f"values of type {t}")
    return t


def _name(t: object) -> str:
    return str(_scalar(t))


def _integer(t: object) -> bool:
    return isinstance(t, Scalar) and t.is_integer


def _unsigned(x: e.Expr) -> bool:
    t = x.type
    return isinstance(t, Scalar) and not t.is_signed and t.bits < 64


def _keeps_order(x: e.Cast) -> bool:
    """Whether consecutive numbers stay consecutive: no wrap around in 32 bits."""
    to, source = _scalar(x.type), _scalar(x.x.type)
    if source.bits < 32 or to.bits < 32:
        return False
    return to.bits == 64 or to == source or to.is_signed


def _scaled(a: int, factor_of_a: e.Expr, b: int, factor_of_b: e.Expr) -> int | None:
    """The slope of a product of factors with slopes `a` and `b`."""
    if a and b:
        return None
    if not a and not b:
        return 0
    factor, slope = (factor_of_a, a) if a else (factor_of_b, b)
    return slope * int(factor.value) if isinstance(factor, e.Const) else None


def _as(x: e.Expr, t: Scalar) -> e.Expr:
    return x if x.type == t else e.Cast(x, t)


def _retyped(x: e.Expr, t: Scalar, lanes: int) -> e.Expr:
    """The same register, its lanes read with or without a sign."""
    if isinstance(x, e.Call):
        return e.Call(x.func, x.args, Vector(t, lanes), x.fast)
    if isinstance(x, e.Var):
        return e.Var(x.name, Vector(t, lanes))
    raise Unsuitable("a register of another sign")
