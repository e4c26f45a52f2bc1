"""Reads the C expressions in which the semantics tables say what instructions mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from xpiler.ir import expr as e
from xpiler.ir.rewrite import rewrite_exprs
from xpiler.ir.types import BOOL, U32, Type

_TOKEN = re.compile(r"\s*(0x[0-9a-fA-F]+|\d+|\w+|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^~!()<>?:])")
_LEVELS: tuple[tuple[str, ...], ...] = (
    ("||",), ("&&",), ("|",), ("^",), ("&",), ("==", "!="), ("<", "<=", ">", ">="),
    ("<<", ">>"), ("+", "-"), ("*", "/", "%"),
)  # fmt: skip


class _Parser:
    def __init__(self, text: str, names: Mapping[str, e.Expr], t: Type) -> None:
        self.tokens = _TOKEN.findall(text)
        self.names, self.type, self.at = names, t, 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, want: str = "") -> str:
        token = self.peek()
        if want and token != want:
            raise ValueError(f"{want} wanted at {self.tokens[self.at :]}")
        self.at += 1
        return str(token)

    def expression(self) -> e.Expr:
        cond = self.level(0)
        if self.peek() != "?":
            return cond
        self.take()
        a = self.expression()
        self.take(":")
        b = self.expression()
        return e.Select(cond, a, b, a.type)

    def level(self, k: int) -> e.Expr:
        if k == len(_LEVELS):
            return self.unary()
        x = self.level(k + 1)
        while self.peek() in _LEVELS[k]:
            op = self.take()
            y = self.level(k + 1)
            truth = op in e.COMPARISONS or op in e.LOGICAL
            x = e.Binary(op, x, y, BOOL if truth else x.type)  # type: ignore[arg-type]
        return x

    def unary(self) -> e.Expr:
        if self.peek() in ("~", "-", "!"):
            op = self.take()
            x = self.unary()
            return e.Unary(op, x, x.type)  # type: ignore[arg-type]
        token = self.take()
        if token == "(":
            x = self.expression()
            self.take(")")
            return x
        if token[0].isdigit():
            return e.Const(int(token, 0), self.type)
        return self.names[token]


def formula(text: str, names: Mapping[str, e.Expr], t: Type = U32) -> e.Expr:
    """The expression that `text` says, with `names` for its variables; constants have type `t`."""
    return _Parser(text, names, t).expression()


_OPS: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b,
    "/": lambda a, b: a // b, "%": lambda a, b: a % b,
    "&": lambda a, b: a & b, "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b, "<<": lambda a, b: a << b, ">>": lambda a, b: a >> b,
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b, "==": lambda a, b: a == b, "!=": lambda a, b: a != b,
    "&&": lambda a, b: bool(a and b), "||": lambda a, b: bool(a or b),
}  # fmt: skip
_BITS = 0xFFFFFFFF


def evaluate(x: e.Expr, values: Mapping[e.Expr, int]) -> int | None:
    """The value of a u32 expression where its leaves have `values`; None where one is missing."""
    if x in values:
        return values[x]
    if isinstance(x, e.Const):
        return int(x.value) & _BITS
    if isinstance(x, e.Unary):
        inner = evaluate(x.x, values)
        if inner is None:
            return None
        return {"~": ~inner, "-": -inner, "!": int(not inner)}[x.op] & _BITS
    if isinstance(x, e.Cast) and x.type == U32:
        return evaluate(x.x, values)
    if isinstance(x, e.Select):
        cond = evaluate(x.cond, values)
        return None if cond is None else evaluate(x.a if cond else x.b, values)
    if not isinstance(x, e.Binary):
        return None
    a, b = evaluate(x.a, values), evaluate(x.b, values)
    if a is None or b is None or (x.op in ("/", "%") and b == 0):
        return None
    return _OPS[x.op](a, b) & _BITS


def _lane_values(x: e.Expr, wave: int) -> list[int] | None:
    lane = e.Axis("lane", "")
    values = [evaluate(x, {lane: k}) for k in range(wave)]
    return [v for v in values if v is not None] if None not in values else None


def _simpler(x: e.Expr, wave: int) -> e.Expr:
    values = _lane_values(x, wave)
    if values is not None:
        if len(set(values)) == 1:
            return e.Const(bool(values[0]) if x.type == BOOL else values[0], x.type)
        if x.type == U32 and values == list(range(wave)):
            return e.Axis("lane", "")
    if isinstance(x, e.Select) and isinstance(x.cond, e.Const):
        return x.a if x.cond.value else x.b
    if isinstance(x, e.Binary) and x.op in ("+", "-", "|", "^"):
        if isinstance(x.b, e.Const) and x.b.value == 0:
            return x.a
        if isinstance(x.a, e.Const) and x.a.value == 0 and x.op != "-":
            return x.b
    return x


def simplify(x: e.Expr, wave: int) -> e.Expr:
    """`x` with every part folded that is a function of the lane number alone."""
    new: e.Expr = rewrite_exprs(x, lambda y: _simpler(y, wave))
    return new
