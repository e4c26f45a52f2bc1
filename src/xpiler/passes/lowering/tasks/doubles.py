"""Doubles as pairs of floats: a core has no double precision, so what passes through it is a sum.

A pair is a float and what is missing to the value, together 48 bits; the sums and products below
are the classic ones of Dekker ("A floating-point technique for extending the available precision",
Numer. Math. 18, 1971) and Knuth. Functions (exp, sqrt) are those of floats: what they give is good
to a float's digits, and may not be handed to functions that want more. This is done where no array
in memory, struct or integer comes of a double; it is an assumption, not the same arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

import numpy as np

from xpiler.analysis.effects import names_in, root
from xpiler.analysis.ranges import is_int
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.intrinsics import math_functions
from xpiler.ir.program import Function
from xpiler.ir.rewrite import children, fresh_name, map_children, rewrite_stmts, walk
from xpiler.ir.types import BOOL, F32, F64, Array, Scalar, Type

PAIRS = "in pairs of floats (48 bits, none beyond a float) what the source has in double"
"""What is assumed of a function; it is not the same arithmetic."""
SMALLEST = float(np.finfo(np.float32).tiny)
SPLITTER = 4097.0
EXACT_BITS = 16
"""Integers up to this width are exact in float, whatever they are."""
LOW = (1 << 24) - 1
"""The bits of an integer that become a float by themselves."""
WHOLE = frozenset({"floor", "ceil", "trunc", "round", "rint"})
EXACT = WHOLE | {"min", "max", "fma", "div", "rcp", "abs", "copysign"}
"""Functions whose values are as good as their arguments."""
TAME = frozenset(
    ("sqrt", "rsqrt", "cbrt", "rcbrt", "hypot", "atan", "atan2", "asinh", "tanh", "erf",
     "log", "log2", "log10", "log1p", "saturate")
)  # fmt: skip
"""Functions that do not magnify the error of an argument (logarithms: in the sum they are in)."""
STEEP = {"exp": None, "sin": "cos", "cos": "sin"}
"""Functions that do, with what their derivative is."""
LARGE = frozenset({"exp", "exp2", "exp10", "expm1", "pow", "sinh", "cosh"})
"""Functions that overflow where doubles do not."""


class Stays(Exception):
    """Doubles that a pair of floats cannot stand for; the message says which."""


def in_floats(f: Function, taken: set[str], split: bool) -> Function:
    """`f` with pairs of floats for its doubles; raises Stays.

    `split`: two arguments are handed over for one that is a double, else it is read as a float.
    """
    for n in walk(f.body):
        _check(n)
    pairs = _Pairs(taken, _rough(f.body), any(map(_may_be_infinite, walk(f.body))))
    head: list[s.Stmt] = []
    params: list[e.Var] = []
    for p in f.params:
        both: tuple[e.Var, ...] = pairs.argument(p) if p.type == F64 else (p,)
        params += both if split else (p,)
        if not split and p.type == F64:
            values = e.Cast(p, F32), _number(0.0)
            head += [s.Decl(v, value) for v, value in zip(both, values, strict=True)]
    return replace(f, params=tuple(params), body=_used((*head, *pairs.body(f.body))))


def launched(body: s.Body, kernels: Mapping[str, Function]) -> s.Body:
    """Launches of the `kernels`, whose doubles are handed over as floats now."""

    def one(st: s.Stmt) -> s.Stmt:
        if not isinstance(st, s.Launch) or st.kernel not in kernels:
            return st
        old = kernels[st.kernel].params
        args = [_halves(a) if p.type == F64 else (a,) for a, p in zip(st.args, old, strict=True)]
        return replace(st, args=tuple(x for both in args for x in both))

    out: s.Body = rewrite_stmts(body, one)
    return out


def _halves(x: e.Expr) -> tuple[e.Expr, e.Expr]:
    high = e.Cast(x, F32)
    return high, e.Cast(e.Binary("-", x, e.Cast(high, F64), F64), F32)


def _check(n: object) -> None:
    """Raises Stays where a node is more than arithmetic on local doubles."""
    if isinstance(n, s.Instr) and any(x.type == F64 for x in (*n.outs, *n.ins)):
        raise Stays(f"{n.name} works on a double")
    if isinstance(n, (s.For, s.While)) and any(_has_double(x) for x in _heads(n)):
        raise Stays("a loop ends by a double")
    if not isinstance(n, e.Expr):
        return
    if n.type != F64 and _of_doubles(n.type) and not _is_local(n.type):
        raise Stays(f"a {n.type} holds doubles")
    if n.type == F64 and isinstance(n, (e.Field, e.Bits)):
        raise Stays("a struct or bits of a double")
    parts = [c for c in children(n) if isinstance(c, e.Expr)]
    if not any(c.type == F64 for c in parts):
        return
    asks = isinstance(n, e.Call) and n.func.startswith("is")
    if isinstance(n, e.Bits) or (is_int(n.type) and isinstance(n, (e.Cast, e.Call)) and not asks):
        raise Stays("a double becomes an integer")
    if isinstance(n, e.Call) and n.func not in math_functions():
        raise Stays(f"{n.func} takes a double")
    if isinstance(n, e.Binary) and n.op in e.COMPARISONS and _only_counts(n):
        raise Stays("integers are compared as doubles")


def _only_counts(n: e.Expr) -> bool:
    """Whether numbers are made of integers alone, and not by a conversion alone."""
    floats = any(isinstance(x, e.Expr) and _is_float(x.type) for x in walk(n))
    return not floats and any(isinstance(x, (e.Binary, e.Call)) and x.type == F64 for x in walk(n))


def _is_float(t: Type) -> bool:
    return isinstance(t, Scalar) and t.is_float and t != F64


def _of_doubles(t: Type) -> bool:
    while not isinstance(t, Scalar) and hasattr(t, "elem"):
        t = t.elem
    return t == F64


def _is_local(t: Type) -> bool:
    """Whether a type is an array of numbers, which variables of a core are."""
    while isinstance(t, Array):
        t = t.elem
    return isinstance(t, Scalar)


def _has_double(x: e.Expr) -> bool:
    return any(isinstance(n, e.Expr) and n.type == F64 for n in walk(x))


def _heads(st: s.Stmt) -> list[e.Expr]:
    return [c for c in children(st) if isinstance(c, e.Expr)]


def _loads(x: e.Expr) -> bool:
    return any(isinstance(n, e.Index) for n in walk(x))


def _may_fail(x: e.Expr) -> bool:
    """Whether `x` may only be evaluated where it is asked for."""
    divides = (n for n in walk(x) if isinstance(n, e.Binary) and n.op in ("/", "%"))
    return _loads(x) or any(is_int(n.type) and not isinstance(n.b, e.Const) for n in divides)


def _may_be_infinite(n: object) -> bool:
    if isinstance(n, e.Const) and isinstance(n.value, float):
        return abs(n.value) > float(np.finfo(np.float32).max)
    return isinstance(n, e.Call) and n.type == F64 and n.func in LARGE


def _rough(body: s.Body) -> frozenset[str]:
    """Doubles that come of functions, which are only good to a float's digits."""
    found: set[str] = set()
    while True:
        size = len(found)
        for n in walk(body):
            if isinstance(n, s.Assign) and n.target.type == F64 and _is_rough(n.value, found):
                found.add(root(n.target))
            elif isinstance(n, s.Decl) and n.init is not None and _is_rough(n.init, found):
                found |= {n.var.name} if n.var.type == F64 else set()
        if len(found) == size:
            return frozenset(found)


def _is_rough(x: e.Expr, rough: AbstractSet[str]) -> bool:
    of_function = any(
        isinstance(n, e.Call) and n.type == F64 and n.func not in EXACT for n in walk(x)
    )
    return of_function or bool(names_in(x) & rough)


@dataclass(frozen=True)
class Pair:
    """A value as a sum of two floats, each a variable, an element or a constant."""

    h: e.Expr
    l: e.Expr | None = None  # noqa: E741 (high and low)

    @property
    def low(self) -> e.Expr:
        return _number(0.0) if self.l is None else self.l


@dataclass
class _Pairs:
    """Rewrites one kernel's statements; `made` has what stands for its doubles.

    `rough` are doubles that are only good to a float's digits; `guarded`: some may be infinite.
    """

    taken: set[str]
    rough: frozenset[str]
    guarded: bool
    made: dict[str, tuple[e.Var, e.Var]] = field(default_factory=dict)
    out: list[s.Stmt] = field(default_factory=list)

    # -- statements ---------------------------------------------------------------------------

    def argument(self, p: e.Var) -> tuple[e.Var, e.Var]:
        """The variables for an argument."""
        self.made[p.name] = both = self._named(p.name, F32)
        return both

    def _named(self, name: str, t: Type) -> tuple[e.Var, e.Var]:
        stem = name.split(".")[0]
        first, second = (fresh_name(f"{stem}_{n}", self.taken) for n in ("high", "low"))
        return e.Var(first, t), e.Var(second, t)

    def body(self, body: s.Body) -> s.Body:
        outer, self.out = self.out, []
        for st in body:
            self.statement(st)
        done, self.out = tuple(self.out), outer
        return done

    def statement(self, st: s.Stmt) -> None:
        if isinstance(st, s.Decl) and _of_doubles(st.var.type):
            self._declare(st)
        elif isinstance(st, s.Assign) and st.target.type == F64:
            value = e.Binary(st.op, st.target, st.value, F64) if st.op else st.value
            to, new = self._place(st.target), self.pair(value)
            self.out += [s.Assign(to[0], new.h, loc=st.loc, comments=st.comments),
                         s.Assign(to[1], new.low)]  # fmt: skip
        else:
            self.out.append(map_children(st, self._child))

    def _child(self, n: object) -> object:
        if isinstance(n, e.Expr):
            return self.plainly(n)
        if isinstance(n, s.Case):
            return replace(n, body=self.body(n.body))
        assert isinstance(n, s.Stmt)
        return self.body((n,))

    def _declare(self, st: s.Decl) -> None:
        t = _narrowed(st.var.type)
        self.made[st.var.name] = h, low = self._named(st.var.name, t)
        if st.init is None:
            self.out += [replace(st, var=h), s.Decl(low, space=st.space)]
            return
        if isinstance(t, Array):
            raise Stays("an array of doubles with values")
        new = self.pair(st.init)
        self.out += [replace(st, var=h, init=new.h), s.Decl(low, new.low, const=st.const)]

    def _place(self, x: e.Expr) -> tuple[e.Expr, e.Expr]:
        """The two places for one of a double."""
        if isinstance(x, e.Var) and x.name in self.made:
            return self.made[x.name]
        if isinstance(x, e.Index):
            h, low = self._place(x.base)
            index, t = self.plainly(x.index), _narrowed(x.type)
            return e.Index(h, index, t), e.Index(low, index, t)
        raise Stays("a double that is no variable")

    # -- expressions --------------------------------------------------------------------------

    def plainly(self, x: e.Expr) -> e.Expr:
        """An expression that is no double, without the doubles in it."""
        if not _has_double(x):
            return x
        if isinstance(x, e.Cast) and x.x.type == F64:
            high = self.pair(x.x).h
            return high if x.type == F32 else e.Cast(high, x.type)
        if isinstance(x, e.Binary) and x.a.type == F64:
            return self._compared(x.op, self.pair(x.a), self.pair(x.b))
        if isinstance(x, e.Call) and any(a.type == F64 for a in x.args):
            return replace(x, args=tuple(self.pair(a).h for a in x.args))
        chooses = isinstance(x, e.Select) or (isinstance(x, e.Binary) and x.op in e.LOGICAL)
        if chooses and any(_has_double(c) and _may_fail(c) for c in list(children(x))[1:]):  # type: ignore[arg-type]
            raise Stays("a choice between doubles in memory")
        new: e.Expr = map_children(x, self.plainly)
        return new

    def pair(self, x: e.Expr) -> Pair:
        """A double as two floats; what has to be computed for it is emitted."""
        if isinstance(x, e.Const):
            return _constant(float(x.value))
        if isinstance(x, (e.Var, e.Index)):
            return Pair(*self._place(x))
        if isinstance(x, e.Cast):
            return self._from(self.plainly(x.x))
        if isinstance(x, e.Unary) and x.op == "-":
            return self.negated(self.pair(x.x))
        if isinstance(x, e.Binary):
            return self._binary(x.op, self.pair(x.a), self.pair(x.b))
        if isinstance(x, e.Select):
            return self._select(x)
        if isinstance(x, e.Call):
            return self._call(x)
        raise Stays(f"a double by {type(x).__name__.lower()}")

    def temp(self, x: e.Expr) -> e.Expr:
        if isinstance(x, (e.Const, e.Var)):
            return x
        var = e.Var(fresh_name("part", self.taken), x.type)
        self.out.append(s.Decl(var, x, const=True))
        return var

    def op(self, op: e.BinaryOp, a: e.Expr, b: e.Expr) -> e.Expr:
        return self.temp(e.Binary(op, a, b, F32))

    def _from(self, x: e.Expr) -> Pair:
        """A float, or an integer, as a pair."""
        t = x.type
        assert isinstance(t, Scalar)
        if t.is_float:
            return Pair(self.temp(x if t == F32 else e.Cast(x, F32)))
        if isinstance(x, e.Const):
            return _constant(float(x.value))
        if t.bits <= EXACT_BITS:
            return Pair(self.temp(e.Cast(x, F32)))
        x, low = self.temp(x), e.Const(LOW, t)
        rest = e.Binary("&", x, low, t)
        upper = e.Binary("-", x, rest, t)
        return self.near(self.temp(e.Cast(upper, F32)), self.temp(e.Cast(rest, F32)))

    # -- arithmetic ---------------------------------------------------------------------------

    def _binary(self, op: str, a: Pair, b: Pair) -> Pair:
        if op == "+":
            return self.sum(a, b)
        if op == "-":
            return self.sum(a, self.negated(b))
        if op == "*":
            return self.product(a, b)
        if op == "/":
            return self.quotient(a, b)
        raise Stays(f"{op} of doubles")

    def negated(self, a: Pair) -> Pair:
        h, low = (None if x is None else self.temp(_minus(x)) for x in (a.h, a.l))
        assert h is not None
        return Pair(h, low)

    def near(self, a: e.Expr, b: e.Expr, guarded: bool = False) -> Pair:
        """a + b where b is the smaller one; of what is infinite or no number it is a alone."""
        total = self.op("+", a, b)
        rest = self.op("-", b, self.op("-", total, a))
        if not (guarded or self.guarded):
            return Pair(total, rest)
        finite = self.temp(e.compare("==", self.op("-", a, a), _number(0.0)))
        return self._either(finite, Pair(total, rest), Pair(a))

    def sum(self, a: Pair, b: Pair) -> Pair:
        total = self.op("+", a.h, b.h)
        grown = self.op("-", total, a.h)
        lost = self.op("-", a.h, self.op("-", total, grown))
        rest = self.op("+", lost, self.op("-", b.h, grown))
        lows = [x for x in (a.l, b.l) if x is not None]
        for x in lows:
            rest = self.op("+", rest, x)
        return self.near(total, rest) if lows or self.guarded else Pair(total, rest)

    def product(self, a: Pair, b: Pair) -> Pair:
        p = self.op("*", a.h, b.h)
        (a1, a2), (b1, b2) = self._split(a.h), self._split(b.h)
        rest = self.op("-", self.op("*", a1, b1), p)
        rest = self.op("+", rest, self.op("*", a1, b2))
        rest = self.op("+", rest, self.op("*", a2, b1))
        rest = self.op("+", rest, self.op("*", a2, b2))
        crossed = [(x, y) for x, y in ((a.h, b.l), (b.h, a.l)) if y is not None]
        for x, y in crossed:
            rest = self.op("+", rest, self.op("*", x, y))
        return self.near(p, rest) if crossed or self.guarded else Pair(p, rest)

    def _split(self, a: e.Expr) -> tuple[e.Expr, e.Expr]:
        """The upper and the lower half of a float's digits."""
        if isinstance(a, e.Const):
            upper = float(np.float32(a.value * SPLITTER) - np.float32(a.value * SPLITTER - a.value))
            return _number(upper), _number(a.value - upper)
        scaled = self.op("*", a, _number(SPLITTER))
        upper_half = self.op("-", scaled, self.op("-", scaled, a))
        return upper_half, self.op("-", a, upper_half)

    def quotient(self, a: Pair, b: Pair) -> Pair:
        first = self.op("/", a.h, b.h)
        left = self.sum(a, self.negated(self.product(Pair(first), b)))
        second = self.op("/", left.h, b.h)
        known = e.compare("==", second, second)  # not where the quotient is infinite
        return self.near(first, self.temp(e.Select(known, second, _number(0.0), F32)), True)

    def _compared(self, op: e.BinaryOp, a: Pair, b: Pair) -> e.Expr:
        if a.l is None and b.l is None:
            return e.compare(op, a.h, b.h)
        lows = e.compare(op, a.low, b.low)
        if op in ("==", "!="):
            both: e.BinaryOp = "&&" if op == "==" else "||"
            return e.Binary(both, e.compare(op, a.h, b.h), lows, BOOL)
        strict: e.BinaryOp = "<" if op in ("<", "<=") else ">"
        tie = e.Binary("&&", e.compare("==", a.h, b.h), lows, BOOL)
        return e.Binary("||", e.compare(strict, a.h, b.h), tie, BOOL)

    def _select(self, x: e.Select) -> Pair:
        cond = self.plainly(x.cond)
        if not _may_fail(x.a) and not _may_fail(x.b):
            return self._either(cond, self.pair(x.a), self.pair(x.b))
        h, low = (e.Var(fresh_name("part", self.taken), F32) for _ in range(2))
        arms = []
        for arm in (x.a, x.b):
            outer, self.out = self.out, []
            new = self.pair(arm)
            self.out += [s.Assign(h, new.h), s.Assign(low, new.low)]
            arms.append(tuple(self.out))
            self.out = outer
        self.out += [s.Decl(h), s.Decl(low), s.If(cond, arms[0], arms[1])]
        return Pair(h, low)

    def _either(self, cond: e.Expr, a: Pair, b: Pair) -> Pair:
        h = self.temp(e.Select(cond, a.h, b.h, F32))
        if a.l is None and b.l is None:
            return Pair(h)
        return Pair(h, self.temp(e.Select(cond, a.low, b.low, F32)))

    def _call(self, x: e.Call) -> Pair:
        args = [self.pair(a) if a.type == F64 else Pair(self.plainly(a)) for a in x.args]
        if x.func in ("min", "max"):
            return self._extreme(x.func, *args)
        if x.func == "fma":
            return self.sum(self.product(args[0], args[1]), args[2])
        if x.func == "div":
            return self.quotient(*args)
        if x.func == "rcp":
            return self.quotient(_constant(1.0), args[0])
        if x.func == "abs":
            down = e.compare("<", args[0].h, _number(0.0))
            return self._either(down, self.negated(args[0]), args[0])
        value = self.temp(e.Call(x.func, tuple(a.h for a in args), F32, x.fast))
        rough = any(_is_rough(a, self.rough) for a in x.args)
        if x.func in TAME or not (rough or any(a.l is not None for a in args)):
            return Pair(value)
        if rough or x.func not in STEEP:
            raise Stays(f"{x.func} needs all digits of a double")
        return self._steep(x.func, value, args[0])

    def _extreme(self, func: str, a: Pair, b: Pair) -> Pair:
        """The smaller or larger one; what is no number gives way."""
        first = self._compared("<" if func == "min" else ">", a, b)
        lost = e.compare("!=", b.h, b.h)
        return self._either(self.temp(e.Binary("||", first, lost, BOOL)), a, b)

    def _steep(self, func: str, value: e.Expr, a: Pair) -> Pair:
        """The value of a function at the float with its slope times what is missing to it."""
        other = STEEP[func]
        slope = value if other is None else self.temp(e.Call(other, (a.h,), F32))
        by = self.op("*", slope, a.low)
        return self.near(value, self.temp(_minus(by)) if func == "cos" else by)


def _minus(x: e.Expr) -> e.Expr:
    return _number(-x.value) if isinstance(x, e.Const) else e.Unary("-", x, F32)


def _number(value: float) -> e.Const:
    return e.Const(float(np.float32(value)), F32)


def _constant(value: float) -> Pair:
    """A constant as two floats; what is beyond all floats is infinite."""
    if value and abs(value) < SMALLEST:
        raise Stays(f"{value!r} is no float")
    with np.errstate(over="ignore"):
        high = float(np.float32(value))
    if math.isinf(high) or high == value:
        return Pair(e.Const(high, F32))
    return Pair(e.Const(high, F32), _number(value - high))


def _narrowed(t: Type) -> Type:
    if isinstance(t, Array):
        return replace(t, elem=_narrowed(t.elem))
    return F32 if t == F64 else t


def _used(body: s.Body) -> s.Body:
    """`body` without parts that nobody asks for."""
    while True:
        names = {
            name
            for n in walk(body)
            for x in (_heads(n) if isinstance(n, s.Stmt) else ())
            if not (isinstance(n, s.Decl) and x is n.var)
            for name in names_in(x)
        }

        def idle(st: s.Stmt, names: set[str] = names) -> s.Stmt | s.Body:
            part = isinstance(st, s.Decl) and st.var.type == F32 and st.init is not None
            unread = part and isinstance(st, s.Decl) and st.var.name not in names
            return () if unread and isinstance(st, s.Decl) and not _loads(st.init) else st  # type: ignore[arg-type]

        new: s.Body = rewrite_stmts(body, idle)
        if new == body:
            return new
        body = new


__all__ = ["PAIRS", "Stays", "in_floats", "launched"]
