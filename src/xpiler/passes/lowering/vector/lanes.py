"""Expressions of one iteration, as expressions on registers that hold many iterations."""

from __future__ import annotations

from dataclasses import dataclass, field

from xpiler.analysis.effects import names_in
from xpiler.ir import expr as e
from xpiler.ir.intrinsics import math_functions
from xpiler.ir.rewrite import walk
from xpiler.ir.types import BOOL, F32, I32, U32, Array, Pointer, Scalar, Vector
from xpiler.passes.lowering.vector.isa import Isa, Unsuitable

_OPERATIONS = {"+": "add", "-": "sub", "*": "mul", "/": "div", "&": "and", "|": "or", "^": "xor"}
_QUIET = {"==": 0, "<": 17, "<=": 18, "!=": 4, ">=": 29, ">": 30}
_INTEGER = {"==": 0, "<": 1, "<=": 2, "!=": 4, ">=": 5, ">": 6}
NARROW = ("i8", "u8", "i16", "u16", "f16")


@dataclass
class Lanes:
    """The iterations `var`, `var + 1`, ... of a loop, `width` of them, those in `mask` (None: all).

    `private` are the variables of an iteration that have become registers (conditions: masks).
    """

    isa: Isa
    var: e.Var
    width: int
    wide: Scalar
    private: dict[str, e.Var] = field(default_factory=dict)
    varying: set[str] = field(default_factory=set)
    unsure: int = 0  # > 0 where perhaps no lane is on

    # -- what varies ---------------------------------------------------------------------

    def uniform(self, x: e.Expr) -> bool:
        """Whether all lanes see one value."""
        return not names_in(x) & (self.varying | {self.var.name})

    def slope(self, x: e.Expr) -> int | None:
        """By how much the index `x` grows from lane to lane; None where not evenly."""
        if self.uniform(x):
            return 0
        if isinstance(x, e.Var):
            return 1 if x.name == self.var.name else None
        if isinstance(x, e.Cast) and _integer(x.type) and _integer(x.x.type):
            return self.slope(x.x) if _keeps_order(x) else None
        if isinstance(x, e.Binary) and x.op in "+-*":
            a, b = self.slope(x.a), self.slope(x.b)
            if a is None or b is None or (x.op == "-" and _unsigned(x)):
                return None
            if x.op == "*":
                return _scaled(a, x.b, b, x.a)
            return a + b if x.op == "+" else a - b
        return None

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
        if self.unsure and any(map(_may_fail, walk(x))):
            raise Unsuitable("a value that may not be asked for")

    def _variable(self, x: e.Var) -> e.Expr:
        if x.name in self.private:
            found = self.private[x.name]
            if not isinstance(found.type, Vector):
                raise Unsuitable("a condition as a number")
            return found
        if x.name == self.var.name and x.type in (I32, U32) and self.width == 16:
            return self.isa.call("count_from", I32, (_as(x, I32),), self.register(_scalar(x.type)))
        raise Unsuitable(f"{x.name} varies")

    def within(self, x: e.Index) -> None:
        """Raises Unsuitable where a strip may begin beyond the end of an array.

        No lane would be on, but C knows no address there.
        """
        if self.unsure and isinstance(x.base.type, Array):
            raise Unsuitable("a strip that may begin beyond an array")

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
        self.unsure += 1
        a, b = self.value(x.a, on), self.value(x.b, off)
        self.unsure -= 1
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

    def _counts(self, x: e.Binary) -> bool:
        """Whether `x` asks if the loop's variable is below an end that it never passes far."""
        a = x.a.x if isinstance(x.a, e.Cast) and _keeps_order(x.a) else x.a
        signed = _scalar(x.a.type).is_signed and _scalar(x.a.type).bits == 64
        return a == self.var and self.uniform(x.b) and signed

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
            self.unsure += 1
            b = self.condition(x.b, self.isa.both(mask, other) if asks else mask)
            self.unsure -= 1
            joined = self.isa.both(a, b) if x.op == "&&" else self.isa.either(a, b)
            assert joined is not None
            return joined
        if isinstance(x, e.Binary) and x.op in e.COMPARISONS:
            return self._comparison(x, mask)
        raise Unsuitable(f"a condition by {type(x).__name__.lower()}")

    def _comparison(self, x: e.Binary, mask: e.Expr | None) -> e.Expr:
        t = _scalar(x.a.type)
        if x.op == "<" and t.is_integer and self._counts(x):
            left = e.Binary("-", x.b, x.a, t)
            to = self.isa.mask_type(self.width)
            return self.isa.call("first_lanes", to, (left,), to)
        a, b = self.value(x.a, mask), self.value(x.b, mask)
        t = self.lane_type(t)
        number = (_QUIET if t.is_float else _INTEGER)[x.op]
        how = e.Const(number, I32, _predicate(x.op, t))
        return self.isa.call("compare", t, (a, b, how), self.isa.mask_type(self.width))


# -- helpers ----------------------------------------------------------------------------


_FLOAT_NAMES = {
    "==": "EQ_OQ",
    "<": "LT_OQ",
    "<=": "LE_OQ",
    "!=": "NEQ_UQ",
    ">=": "GE_OQ",
    ">": "GT_OQ",
}
_INT_NAMES = {"==": "EQ", "<": "LT", "<=": "LE", "!=": "NE", ">=": "NLT", ">": "NLE"}


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
