"""A reference for expressions, and a maker of random ones: IR evaluated at exact width."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np

from xpiler.ir import expr as e
from xpiler.ir.types import BOOL, I32, Scalar

NAMES = ("bool", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f16", "bf16", "f32", "f64")
ALL = tuple(Scalar(n) for n in NAMES)  # type: ignore[arg-type]
PARAMS = tuple(e.Var(f"x_{t}", t) for t in ALL)
_FLOAT = {"f16": np.float16, "f32": np.float32, "f64": np.float64}


class Undefined(Exception):
    """C gives this expression no value here."""


def bf16(x: float) -> float:
    """`x` (a binary32 value) rounded to bf16, ties to even."""
    bits = int(np.float32(x).view(np.uint32))
    if math.isnan(x):
        return math.nan
    return float(np.uint32((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000).view(np.float32))


def to(value: Any, t: Scalar) -> Any:
    """A value converted to `t` as C does."""
    if t == BOOL:
        return value != 0
    if t.is_integer:
        if isinstance(value, float):
            if not (math.isfinite(value) and _fits(math.trunc(value), t)):
                raise Undefined
            value = math.trunc(value)
        low = int(value) & ((1 << t.bits) - 1)
        return low - (1 << t.bits) if t.is_signed and low >> (t.bits - 1) else low
    with np.errstate(all="ignore"):
        if t.name == "bf16":
            return bf16(float(np.float32(value)))
        return float(_FLOAT[t.name](value))


def _fits(value: int, t: Scalar) -> bool:
    low, high = (-(1 << (t.bits - 1)), 1 << (t.bits - 1)) if t.is_signed else (0, 1 << t.bits)
    return low <= value < high


def _arithmetic(op: str, a: Any, b: Any, t: Scalar) -> Any:
    if t.is_float:
        wide = np.float64 if t.name == "f64" else np.float32
        with np.errstate(all="ignore"):
            x, y = wide(a), wide(b)
            return to(float({"+": x + y, "-": x - y, "*": x * y, "/": np.divide(x, y)}[op]), t)
    if op in "/%":
        if b == 0:
            raise Undefined
        q = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        return to(q if op == "/" else a - q * b, t)
    table = {"+": a + b, "-": a - b, "*": a * b, "&": a & b, "|": a | b, "^": a ^ b}
    return to(table[op], t)


def _compared(op: str, a: Any, b: Any) -> bool:
    return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b, "==": a == b, "!=": a != b}[op]


def value(n: e.Expr, env: dict[str, Any]) -> Any:
    """The value of an expression; raises Undefined."""
    match n:
        case e.Const():
            return n.value
        case e.Var():
            return env[n.name]
        case e.Cast():
            return to(value(n.x, env), n.type)  # type: ignore[arg-type]
        case e.Unary():
            x = value(n.x, env)
            return not x if n.op == "!" else to(-x if n.op == "-" else ~x, n.type)  # type: ignore[arg-type]
        case e.Select():
            return value(n.a if value(n.cond, env) else n.b, env)
        case e.Binary(op="&&"):
            return value(n.a, env) and value(n.b, env)
        case e.Binary(op="||"):
            return value(n.a, env) or value(n.b, env)
        case e.Binary():
            return _binary(n, value(n.a, env), value(n.b, env))
        case e.Call():
            return _call(n, [value(a, env) for a in n.args])
    raise TypeError(n)


def _binary(n: e.Binary, a: Any, b: Any) -> Any:
    if n.op in e.COMPARISONS:
        return _compared(n.op, a, b)
    assert isinstance(n.type, Scalar)
    if n.op == "<<":
        return to(a << b, n.type)
    if n.op == ">>":
        return to(a >> b, n.type)
    return _arithmetic(n.op, a, b, n.type)


def _call(n: e.Call, args: list[Any]) -> Any:
    t = n.type
    assert isinstance(t, Scalar)
    if n.func in ("min", "max"):
        known = [a for a in args if a == a]
        if t.is_float and len(known) == 2 and known[0] == known[1] == 0:
            raise Undefined  # C leaves the sign of zero open
        return (min if n.func == "min" else max)(known) if known else math.nan
    if n.func == "abs":
        return to(abs(args[0]), t)
    assert n.func == "sqrt"
    with np.errstate(all="ignore"):
        wide = np.float64 if t.name == "f64" else np.float32
        return to(float(np.sqrt(wide(args[0]))), t)


class Maker:
    """Random well-typed expressions over PARAMS."""

    def __init__(self, seed: int) -> None:
        self.r = random.Random(seed)

    def make(self, t: Scalar, depth: int) -> e.Expr:
        if depth == 0 or self.r.random() < 0.1:
            return self.leaf(t)
        kinds = [self.cast, self.select, self.leaf]
        if t == BOOL:
            kinds += [self.comparison, self.comparison, self.logical, self.negation]
        else:
            kinds += [self.arithmetic] * 5 + [self.minus, self.call]
            if t.is_integer:
                kinds += [self.shift, self.division]
        kind = self.r.choice(kinds)
        return kind(t) if kind == self.leaf else kind(t, depth - 1)  # type: ignore[call-arg, operator]

    def leaf(self, t: Scalar) -> e.Expr:
        if self.r.random() < 0.7:
            return PARAMS[ALL.index(t)]
        if t == BOOL:
            return e.Const(self.r.random() < 0.5, t)
        if t.is_float:
            return e.Const(
                to(self.r.choice((0.0, 1.0, 0.5, 2.0, 0.1, -3.0, 1e-3, 12345.678)), t), t
            )
        if self.r.random() < 0.2:
            return e.Const(
                to(self.r.choice((-1 << (t.bits - 1), (1 << t.bits) - 1, 1 << (t.bits - 2))), t), t
            )
        return e.Const(self.r.choice((0, 1, 2, 3, 7, 31, 100, to(-1, t))), t)

    def cast(self, t: Scalar, depth: int) -> e.Expr:
        return e.Cast(self.make(self.r.choice(ALL), depth), t)

    def select(self, t: Scalar, depth: int) -> e.Expr:
        return e.Select(self.make(BOOL, depth), self.make(t, depth), self.make(t, depth), t)

    def comparison(self, t: Scalar, depth: int) -> e.Expr:
        kind = self.r.choice(ALL[1:])
        op = self.r.choice(sorted(e.COMPARISONS))
        return e.Binary(op, self.make(kind, depth), self.make(kind, depth), t)  # type: ignore[arg-type]

    def logical(self, t: Scalar, depth: int) -> e.Expr:
        return e.Binary(self.r.choice(("&&", "||")), self.make(t, depth), self.make(t, depth), t)

    def negation(self, t: Scalar, depth: int) -> e.Expr:
        return e.Unary("!", self.make(t, depth), t)

    def arithmetic(self, t: Scalar, depth: int) -> e.Expr:
        op = self.r.choice("+-*/" if t.is_float else "+-*&|^")
        return e.Binary(op, self.make(t, depth), self.make(t, depth), t)  # type: ignore[arg-type]

    def minus(self, t: Scalar, depth: int) -> e.Expr:
        return e.Unary("-" if t.is_float else self.r.choice("-~"), self.make(t, depth), t)  # type: ignore[arg-type]

    def call(self, t: Scalar, depth: int) -> e.Expr:
        if t.name in ("i8", "i16", "u8", "u16"):
            return self.leaf(t)
        if t.is_float and self.r.random() < 0.4:
            return e.Call(self.r.choice(("sqrt", "abs")), (self.make(t, depth),), t)
        return e.Call(self.r.choice(("min", "max")), (self.make(t, depth), self.make(t, depth)), t)

    def shift(self, t: Scalar, depth: int) -> e.Expr:
        by = e.Binary("&", self.make(I32, depth), e.Const(min(t.bits, 32) - 1, I32), I32)
        return e.Binary(self.r.choice(("<<", ">>")), self.make(t, depth), by, t)

    def division(self, t: Scalar, depth: int) -> e.Expr:
        by = e.Const(self.r.choice((1, 2, 3, 7, 100)), t)
        return e.Binary(self.r.choice("/%"), self.make(t, depth), by, t)  # type: ignore[arg-type]

    def inputs(self) -> dict[str, Any]:
        """A value for each parameter."""
        return {p.name: self._input(t) for p, t in zip(PARAMS, ALL, strict=True)}

    def _input(self, t: Scalar) -> Any:
        r = self.r
        if t.is_float:
            return to(
                r.choice(
                    (0.0, -0.0, 1.0, -1.5, r.gauss(0, 1), r.gauss(0, 100), math.inf, math.nan)
                ),
                t,
            )
        if r.random() < 0.3:
            return to(r.choice((0, 1, -1, 1 << (t.bits - 1))), t)
        return to(r.getrandbits(64) if r.random() < 0.5 else r.randrange(-100, 100), t)
