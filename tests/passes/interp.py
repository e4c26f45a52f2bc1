"""A small interpreter of sequential programs, strict where C leaves behaviour undefined.

Buffers are Python lists; an element that was never written is None. Undefined behaviour
(overflow of signed integers, out-of-bounds accesses, undefined values used) raises `Undefined`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xpiler.analysis.ranges import type_range
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.types import Array, Pointer, Scalar, Type

MAX_STEPS = 200_000


class Undefined(Exception):
    """The program does what C does not define."""


class Jump(Exception):
    """break, continue or return on its way out."""

    def __init__(self, kind: str, value: Any = None) -> None:
        super().__init__(kind)
        self.kind, self.value = kind, value


@dataclass
class Ref:
    """A pointer: a buffer and a position in it."""

    data: list[Any]
    at: int = 0


def _fresh(t: Type) -> Any:
    if isinstance(t, Array):
        return [_fresh(t.elem) for _ in range(t.size or 0)]
    return None


def wrapped(value: int, t: Scalar, strict: bool) -> int:
    """`value` at the width of `t`; overflow of a signed operation is undefined."""
    limits = type_range(t)
    assert limits
    if limits[0] <= value <= limits[1]:
        return value
    if t.name == "bool":
        return int(value != 0)
    if t.is_signed and strict:
        raise Undefined(f"{value} overflows {t}")
    value &= (1 << t.bits) - 1
    return value - (1 << t.bits) if value > limits[1] else value


def rounded(value: float, t: Scalar) -> float:
    with np.errstate(all="ignore"):
        if t.name == "f32":
            return float(np.float32(value))
        return float(np.float16(value)) if t.name == "f16" else value


@dataclass
class Machine:
    program: Program
    env: dict[str, Any] = field(default_factory=dict)
    steps: int = 0

    # -- expressions ----------------------------------------------------------------------

    def value(self, x: e.Expr) -> Any:
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise Undefined("runs for ever")
        v = getattr(self, "_" + type(x).__name__.lower())(x)
        if v is None:
            raise Undefined("a value that was never written")
        return v

    def _const(self, x: e.Const) -> Any:
        return x.value

    def _var(self, x: e.Var) -> Any:
        if x.name not in self.env:
            raise Undefined(f"{x.name} is not declared")
        v = self.env[x.name]
        return Ref(v) if isinstance(x.type, Array) else v

    def _unary(self, x: e.Unary) -> Any:
        v = self.value(x.x)
        if x.op == "!":
            return not v
        assert isinstance(x.type, Scalar)
        if x.op == "-":
            return wrapped(-v, x.type, True) if x.type.is_integer else -v
        return wrapped(~v, x.type, False)

    def _binary(self, x: e.Binary) -> Any:
        a = self.value(x.a)
        if x.op in e.LOGICAL:
            return bool(a) if bool(a) is (x.op == "||") else bool(self.value(x.b))
        b = self.value(x.b)
        if isinstance(a, Ref) and isinstance(b, int):
            return Ref(a.data, a.at + (b if x.op == "+" else -b))
        if x.op in e.COMPARISONS:
            return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b, "==": a == b,
                    "!=": a != b}[x.op]  # fmt: skip
        assert isinstance(x.type, Scalar)
        return self._float(x, a, b) if x.type.is_float else self._int(x, a, b)

    def _float(self, x: e.Binary, a: float, b: float) -> float:
        assert isinstance(x.type, Scalar)
        with np.errstate(all="ignore"):
            p, q = np.float64(a), np.float64(b)
            r = {"+": p + q, "-": p - q, "*": p * q, "/": p / q}[x.op]
        return rounded(float(r), x.type)

    def _int(self, x: e.Binary, a: int, b: int) -> int:
        t = x.type
        assert isinstance(t, Scalar)
        if x.op in ("/", "%"):
            if b == 0:
                raise Undefined("division by zero")
            q = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
            return wrapped(q, t, True) if x.op == "/" else a - q * b
        if x.op in ("<<", ">>") and not 0 <= b < t.bits:
            raise Undefined("shift count")
        if x.op == "<<":
            return wrapped(a << b, t, True)
        if x.op == ">>":
            return a >> b
        r = {"+": a + b, "-": a - b, "*": a * b, "&": a & b, "|": a | b, "^": a ^ b}[x.op]
        return wrapped(r, t, True)

    def _select(self, x: e.Select) -> Any:
        return self.value(x.a) if self.value(x.cond) else self.value(x.b)

    def _cast(self, x: e.Cast) -> Any:
        v = self.value(x.x)
        if isinstance(x.type, Pointer):
            return v
        assert isinstance(x.type, Scalar)
        if x.type.is_float:
            return rounded(float(v), x.type)
        if isinstance(v, float):
            v = math.trunc(v)
        return bool(v) if x.type.name == "bool" else wrapped(int(v), x.type, False)

    def _call(self, x: e.Call) -> Any:
        args = [self.value(a) for a in x.args]
        pure = {"min": min, "max": max, "abs": abs}
        if x.func in pure:
            return pure[x.func](*args)
        assert isinstance(x.type, Scalar)
        if x.func in ("exp", "sqrt"):
            return rounded(getattr(math, x.func)(args[0]), x.type)
        return run(self.program, x.func, args)

    def _index(self, x: e.Index) -> Any:
        data, at = self._locate(x)
        v = data[at]
        return Ref(v) if isinstance(v, list) else v

    def _locate(self, x: e.Index) -> tuple[list[Any], int]:
        base = self.value(x.base)
        at = base.at + self.value(x.index)
        if not 0 <= at < len(base.data):
            raise Undefined(f"index {at} of {len(base.data)}")
        return base.data, at

    def _addressof(self, x: e.AddressOf) -> Any:
        assert isinstance(x.x, e.Index)
        base = self.value(x.x.base)
        return Ref(base.data, base.at + self.value(x.x.index))

    # -- statements -----------------------------------------------------------------------

    def body(self, body: s.Body) -> None:
        for st in body:
            getattr(self, "_do_" + type(st).__name__.lower())(st)

    def _do_decl(self, st: s.Decl) -> None:
        if isinstance(st.init, e.Aggregate):
            items = [self.value(i) for i in st.init.items]
            size = st.var.type.size or 0  # type: ignore[attr-defined]
            self.env[st.var.name] = items + [0] * (size - len(items))
            return
        self.env[st.var.name] = _fresh(st.var.type) if st.init is None else self.value(st.init)

    def _do_assign(self, st: s.Assign) -> None:
        value: e.Expr = st.value
        if st.op:
            value = e.Binary(st.op, st.target, st.value, st.target.type)
        v = self.value(value)
        if isinstance(st.target, e.Var):
            self.env[st.target.name] = v
        else:
            assert isinstance(st.target, e.Index)
            data, at = self._locate(st.target)
            data[at] = v

    def _do_for(self, st: s.For) -> None:
        assert isinstance(st.var.type, Scalar)
        i = self.value(st.lo)
        while i < self.value(st.hi):
            self.env[st.var.name] = i
            if self._stops(st.body):
                break
            i = wrapped(i + self.value(st.step), st.var.type, True)

    def _stops(self, body: s.Body) -> bool:
        try:
            self.body(body)
        except Jump as j:
            if j.kind == "return":
                raise
            return j.kind == "break"
        return False

    def _do_while(self, st: s.While) -> None:
        first = st.do
        while first or self.value(st.cond):
            first = False
            if self._stops(st.body):
                break
            self.body(st.step)

    def _do_if(self, st: s.If) -> None:
        self.body(st.then if self.value(st.cond) else st.orelse)

    def _do_scope(self, st: s.Scope) -> None:
        self.body(st.body)

    def _do_break(self, st: s.Break) -> None:
        raise Jump("break")

    def _do_continue(self, st: s.Continue) -> None:
        raise Jump("continue")

    def _do_return(self, st: s.Return) -> None:
        raise Jump("return", self.value(st.value) if st.value is not None else 0)

    def _do_eval(self, st: s.Eval) -> None:
        assert isinstance(st.call, e.Call)
        run(self.program, st.call.func, [self.value(a) for a in st.call.args])


def run(program: Program, name: str, args: list[Any]) -> Any:
    """Call a function; a list argument is a buffer, changed in place."""
    f: Function = program.function(name)
    machine = Machine(program)
    for p, a in zip(f.params, args, strict=True):
        machine.env[p.name] = Ref(a) if isinstance(a, list) else a
    try:
        machine.body(f.body)
    except Jump as j:
        return j.value
    return 0
