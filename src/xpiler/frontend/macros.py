"""Object-like macros that stand for constants: their definitions and values."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Number = int | float

_DEFINE = re.compile(
    r"^[ \t]*#[ \t]*define[ \t]+([A-Za-z_]\w*)(?!\()[ \t]*((?:[^\n\\]|\\\n|\\.)*)$", re.M
)
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.S)
_TOKEN = re.compile(
    r"\s*(?:(?P<num>0[xX][0-9a-fA-F]+[uUlL]*|(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?[fFlLuU]*)"
    r"|(?P<name>[A-Za-z_]\w*)|(?P<op><<|>>|<=|>=|==|!=|&&|\|\||[-+*/%()&|^~!<>?:]))"
)
_LEVELS = [["||"], ["&&"], ["|"], ["^"], ["&"], ["==", "!="], ["<", "<=", ">", ">="],
           ["<<", ">>"], ["+", "-"], ["*", "/", "%"]]  # fmt: skip
_SIZES = {"char": 1, "short": 2, "int": 4, "float": 4, "double": 8, "half": 2, "float4": 16}
_CASTS = ("int", "unsigned", "size_t", "long", "float", "double")


@dataclass
class Macros:
    """The constant macros of a text: name -> replacement, in order of definition."""

    texts: dict[str, str] = field(default_factory=dict)
    values: dict[str, Number] = field(default_factory=dict)

    def evaluate(self, text: str, names: dict[str, Number] | None = None) -> Number | None:
        """The value of a constant expression over these macros (and `names`), or None."""
        try:
            return _Evaluator(self.texts, names or {}).run(text)
        except (ValueError, ZeroDivisionError, OverflowError, RecursionError):
            return None

    def needed(self, used: set[str]) -> list[str]:
        """`used` and every macro that their texts mention, in order of definition."""
        seen: set[str] = set()
        work = [n for n in used if n in self.texts]
        while work:
            name = work.pop()
            if name not in seen:
                seen.add(name)
                work += [
                    w for w in re.findall(r"[A-Za-z_]\w*", self.texts[name]) if w in self.texts
                ]
        return [n for n in self.texts if n in seen]


def find_macros(text: str, defines: dict[str, str]) -> Macros:
    """The macros that `text` and the command line define as constants.

    A name with several different definitions is not kept: its value depends on the place.
    """
    found: dict[str, str | None] = dict(defines)
    for name, body in _DEFINE.findall(text):
        plain = " ".join(_COMMENT.sub(" ", body.replace("\\\n", " ")).split())
        found[name] = plain if found.get(name, plain) == plain else None
    macros = Macros({n: t for n, t in found.items() if t})
    for name, body in list(macros.texts.items()):
        value = macros.evaluate(body)
        if value is not None:
            macros.values[name] = value
    macros.texts = {n: t for n, t in macros.texts.items() if n in macros.values}
    return macros


class _Evaluator:
    """Precedence climbing over C's constant expressions; raises ValueError for anything else."""

    def __init__(self, texts: dict[str, str], names: dict[str, Number], depth: int = 0) -> None:
        self.texts, self.names, self.depth = texts, names, depth
        self.tokens: list[str] = []
        self.at = 0

    def run(self, text: str) -> Number:
        if self.depth > 30:
            raise ValueError("macros nest too deeply")
        self.tokens, self.at = _tokens(text), 0
        value = self.ternary()
        if self.at != len(self.tokens):
            raise ValueError("text after the expression")
        return value

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, want: str = "") -> str:
        token = self.peek()
        if not token or (want and token != want):
            raise ValueError(f"{want or 'a token'} wanted")
        self.at += 1
        return token

    def ternary(self) -> Number:
        cond = self.level(0)
        if self.peek() != "?":
            return cond
        self.take()
        a = self.ternary()
        self.take(":")
        b = self.ternary()
        return a if cond else b

    def level(self, k: int) -> Number:
        if k == len(_LEVELS):
            return self.unary()
        value = self.level(k + 1)
        while self.peek() in _LEVELS[k]:
            op = self.take()
            value = _apply(op, value, self.level(k + 1))
        return value

    def unary(self) -> Number:
        op = self.peek()
        if op in ("-", "+", "~", "!"):
            self.take()
            x = self.unary()
            return {"-": -x, "+": x, "~": ~int(x), "!": int(not x)}[op]
        if (
            op == "("
            and self.tokens[self.at + 1 : self.at + 2]
            and self.tokens[self.at + 1] in _CASTS
        ):
            self.take()
            kind = self.take()
            self.take(")")
            inner = self.unary()
            return float(inner) if kind in ("float", "double") else int(inner)
        return self.primary()

    def primary(self) -> Number:
        token = self.take()
        if token == "(":
            value = self.ternary()
            self.take(")")
            return value
        if token == "sizeof":
            self.take("(")
            size = _SIZES.get(self.take())
            self.take(")")
            if size is None:
                raise ValueError("size not known")
            return size
        if token in self.names:
            return self.names[token]
        if token in self.texts:
            return _Evaluator(self.texts, self.names, self.depth + 1).run(self.texts[token])
        return number(token)


def _tokens(text: str) -> list[str]:
    out, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if not match:
            raise ValueError("not a constant expression")
        out.append(match.group().strip())
        at = match.end()
    return out


def number(token: str) -> Number:
    """The value of a C number; raises ValueError."""
    if token[:2].lower() == "0x":
        return int(token.rstrip("uUlL"), 16)
    digits = token.rstrip("uUlLfF")
    if any(c in digits for c in ".eE") or token[-1] in "fF":
        return float(digits)
    return int(digits, 8) if len(digits) > 1 and digits[0] == "0" else int(digits)


def _apply(op: str, a: Number, b: Number) -> Number:
    if op == "/":
        return (
            a / b
            if isinstance(a, float) or isinstance(b, float)
            else int(abs(a) // abs(b)) * (1 if (a < 0) == (b < 0) else -1)
        )
    if op == "%":
        return int(abs(a) % abs(b)) * (1 if a >= 0 else -1)
    return _OPS[op](a, b)


_OPS: dict[str, Callable[[Any, Any], Number]] = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b,
    "<<": lambda a, b: a << b, ">>": lambda a, b: a >> b, "&": lambda a, b: a & b,
    "|": lambda a, b: a | b, "^": lambda a, b: a ^ b, "<": lambda a, b: int(a < b),
    "<=": lambda a, b: int(a <= b), ">": lambda a, b: int(a > b), ">=": lambda a, b: int(a >= b),
    "==": lambda a, b: int(a == b), "!=": lambda a, b: int(a != b),
    "&&": lambda a, b: int(bool(a and b)), "||": lambda a, b: int(bool(a or b)),
}  # fmt: skip
