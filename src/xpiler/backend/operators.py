"""Operators in C: which operand needs a cast for the arithmetic to be done in the meant type."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace

from xpiler.backend.conversions import integer_range, promote, scalar, usual
from xpiler.backend.pieces import ARGUMENT, POSTFIX, STRENGTH, UNARY, Piece
from xpiler.backend.spelling import Spelling
from xpiler.backend.unit import Unit
from xpiler.ir import expr as e
from xpiler.ir.types import BOOL, I32, I64, Array, Pointer, Scalar, Type, Vector

_BITWISE = frozenset(("<<", ">>", "&", "|", "^"))
_WRAPPING = frozenset("+-*&|^")
_WORDS = {
    "+": "add",
    "-": "sub",
    "*": "mul",
    "/": "div",
    "&": "and",
    "|": "or",
    "^": "xor",
    "%": "rem",
}


class Operators(ABC):
    """The part of the expression printer that deals with operators."""

    unit: Unit
    spelling: Spelling

    @abstractmethod
    def piece(self, n: e.Expr) -> Piece: ...

    @abstractmethod
    def settle(self, p: Piece) -> Piece: ...

    @abstractmethod
    def convert(self, p: Piece, t: Type) -> Piece: ...

    @abstractmethod
    def condition(self, n: e.Expr) -> Piece: ...

    @abstractmethod
    def assigned(self, n: e.Expr, t: Type) -> str: ...

    @abstractmethod
    def offset(self, n: e.Expr) -> Piece: ...

    @abstractmethod
    def math(self, n: e.Call) -> Piece: ...

    @abstractmethod
    def needs_call(self, source: Type, to: Type) -> bool: ...

    def computing(self, t: Type) -> Type:
        """The type in which operations on `t` are done."""
        return scalar(self.spelling.computes_in.get(str(t), str(t))) if isinstance(t, Scalar) else t

    def result(self, text: str, op: str, ctype: Type, t: Type) -> Piece:
        """An operation's piece: a type with excess precision stays to be rounded."""
        if str(ctype) in self.spelling.excess and op != "?":
            ctype = scalar(self.spelling.excess[str(ctype)])
        return Piece(text, STRENGTH[op], ctype, t, op=op)

    # Two operands -----------------------------------------------------------------------

    def binary(self, n: e.Binary) -> Piece:
        """A binary operator's piece."""
        if n.op in e.LOGICAL:
            return self._logical(n)
        if any(isinstance(x.type, (Pointer, Array)) for x in (n.a, n.b)):
            return self._pointer_operation(n)
        if isinstance(n.type, Vector):
            return self.lanewise(n.op, (n.a, n.b), n.type)
        if n.op in ("<<", ">>"):
            return self._shift(n)
        compute = self.computing(n.a.type)
        a, b = (self.convert(self.piece(x), compute) for x in (n.a, n.b))
        if n.op in e.COMPARISONS and (decided := self._decided(n.op, a, b)) is not None:
            return Piece("true" if decided else "false", POSTFIX, I32, BOOL, exact=True)
        a, b = self.matched(a, b, compute, n.op in e.COMPARISONS)
        op, b = _subtracted(n.op, b)
        text = f"{_operand(a, op, left=True)} {op} {_operand(b, op, left=False)}"
        if n.op in e.COMPARISONS:
            return Piece(text, STRENGTH[op], I32, BOOL, exact=True, op=op)
        return self.result(text, op, promote(compute), n.type)

    def matched(self, a: Piece, b: Piece, t: Type, compares: bool) -> tuple[Piece, Piece]:
        """Both operands, with the fewest casts under which C does the operation in `t`."""
        a, b = (self.settle(p) if self.needs_call(p.ctype, p.type) else p for p in (a, b))
        choices = (
            (a, b),
            (self._cast(a), b),
            (a, self._cast(b)),
            (self._cast(a), self._cast(b)),
        )
        for x, y in choices:
            if self._agrees(x, y, t, compares):
                return x, y
        return choices[-1]

    def _cast(self, p: Piece) -> Piece:
        return self.settle(p)

    def _agrees(self, a: Piece, b: Piece, t: Type, compares: bool) -> bool:
        want, common = promote(t), usual(a.ctype, b.ctype)
        if common != want and str(common) != self.spelling.excess.get(str(t)):
            return False
        if (want != t or str(t) in self.spelling.excess) and not all(
            p.settled or p.exact for p in (a, b)
        ):
            return False
        return not compares or not (self.spelling.syntax.sign_compare and _signs_differ(a, b))

    def _decided(self, op: str, a: Piece, b: Piece) -> bool | None:
        """What the operand's type says of a comparison (`unsigned >= 0`); None: nothing."""
        if a.value is not None or b.value is None or not isinstance(a.ctype, Scalar):
            return None
        if not a.ctype.is_integer or not isinstance(b.value, int) or not a.exact | a.settled:
            return None
        if a.ctype == I32 or (a.ctype.is_signed and a.ctype.bits > 16):
            return None
        low, high = integer_range(a.ctype)
        outcomes = {_compare(op, x, b.value) for x in (low, high)}
        inside = low <= b.value <= high
        if len(outcomes) == 1 and not (inside and op in ("==", "!=")):
            return outcomes.pop()
        return None

    def _logical(self, n: e.Binary) -> Piece:
        a, b = self.condition(n.a), self.condition(n.b)
        text = f"{_operand(a, n.op, left=True)} {n.op} {_operand(b, n.op, left=False)}"
        return Piece(text, STRENGTH[n.op], I32, BOOL, exact=True, op=n.op)

    def _shift(self, n: e.Binary) -> Piece:
        a, b = self.piece(n.a), self.piece(n.b)
        keep = promote(a.ctype) == n.type and (a.settled or a.exact)
        a = a if keep else self.settle(a)
        b = b if b.settled or b.exact else self.settle(b)
        text = f"{_operand(a, n.op, left=True)} {n.op} {_operand(b, n.op, left=False)}"
        return Piece(text, STRENGTH[n.op], promote(a.ctype), n.type, op=n.op)

    def _pointer_operation(self, n: e.Binary) -> Piece:
        a, b = self.piece(n.a), self.piece(n.b)
        compares = n.op in e.COMPARISONS
        kind: Type = I32 if compares else n.type if isinstance(n.type, Pointer) else I64
        b = b if isinstance(n.b.type, Pointer) or b.exact else self.offset(n.b)
        text = f"{_operand(a, n.op, left=True)} {n.op} {_operand(b, n.op, left=False)}"
        return Piece(text, STRENGTH[n.op], kind, n.type, exact=compares, op=n.op)

    def compound(self, op: str, value: e.Expr, t: Type) -> str:
        """The right side of `place op= value`, where the place has type `t`."""
        p = self.piece(value)
        p = self.settle(p) if self.needs_call(p.ctype, p.type) else p
        if op in ("<<", ">>"):
            return (p if p.settled or p.exact else self.settle(p)).within(ARGUMENT)
        wraps = op in _WRAPPING and all(_integer(x) for x in (t, p.ctype, p.type))
        common, known = usual(t, p.ctype), p.settled or p.exact
        excess = self.spelling.excess.get(str(t))
        if excess is not None:
            plain = known and str(common) in (str(t), excess)
        else:
            plain = p.settled or (common == promote(t) and (p.exact or promote(t) == t))
        return (p if wraps or plain else self.settle(p)).within(ARGUMENT)

    # One and three operands -------------------------------------------------------------

    def unary(self, n: e.Unary) -> Piece:
        """A unary operator's piece."""
        if isinstance(n.type, Vector):
            return self.lanewise(n.op, (n.x,), n.type)
        if n.op == "!":
            return Piece(
                f"!{self.condition(n.x).within(UNARY)}", UNARY, I32, BOOL, exact=True, op="!"
            )
        compute = self.computing(n.type)
        p = self.convert(self.piece(n.x), compute)
        exact = p.settled or p.exact
        p = p if promote(p.ctype) == promote(compute) and exact else self.settle(p)
        inner = p.within(UNARY)
        inner = f"({inner})" if inner.startswith(n.op) else inner
        return Piece(f"{n.op}{inner}", UNARY, promote(compute), n.type, exact=_float(n.type))

    def select(self, n: e.Select) -> Piece:
        """A conditional expression's piece."""
        cond = self.condition(n.cond).within(STRENGTH["?"] + 1)
        a, b = self.piece(n.a), self.piece(n.b)
        ctype: Type = n.type
        if isinstance(n.type, Scalar) and str(n.type) not in self.spelling.classes:
            a, b = self.matched(a, b, n.type, compares=True)
            if self.spelling.syntax.cpp and a.ctype != b.ctype and _halves(a, b):
                a, b = self.settle(a), self.settle(b)
            ctype = usual(a.ctype, b.ctype) or n.type
        else:
            a, b = self.settle(a), self.settle(b)
        text = f"{cond} ? {a.within(STRENGTH['?'] + 1)} : {b.within(STRENGTH['?'])}"
        exact = a.exact and b.exact
        return Piece(text, STRENGTH["?"], ctype, n.type, exact=exact, op="?")

    # Vectors ----------------------------------------------------------------------------

    def lanewise(self, op: str, args: tuple[e.Expr, ...], t: Vector) -> Piece:
        """An operation on vectors, lane by lane, through a helper."""
        if found := self._native_lanes(op, args, t):
            return found
        elem, words = t.elem, dict(zip("abc", args, strict=False))
        inner = LanePrinter.lane_text(self, op, elem, list(words))
        word = {"-": "neg", "~": "not"}.get(op, op) if len(args) == 1 else _WORDS.get(op, op)
        vector = self.unit.generated.vector_stem(t, self.spelling)
        name = self.unit.generated.lanewise(f"{word}_{vector}", t, len(args), inner, self.spelling)
        pieces = ", ".join(self.settle(self.piece(a)).within(ARGUMENT) for a in args)
        return Piece(f"{name}({pieces})", POSTFIX, t, t)

    def _native_lanes(self, op: str, args: tuple[e.Expr, ...], t: Vector) -> Piece | None:
        """The platform's own operation on vectors of this type."""
        if t in self.spelling.native and op in STRENGTH and len(args) == 2:
            a, b = (self.settle(self.piece(x)) for x in args)
            text = f"{_operand(a, op, left=True)} {op} {_operand(b, op, left=False)}"
            return Piece(text, STRENGTH[op], t, t, op=op)
        template = self.spelling.lanewise.get(str(t), {}).get(op if len(args) > 1 else f"{op}1")
        if template is None or t in self.spelling.native:
            return None
        given = [self.settle(self.piece(a)).within(ARGUMENT) for a in args]
        return Piece(_filled(template, given), POSTFIX, t, t)


class LanePrinter:
    """Writes the text of one lane of a vector operation."""

    @staticmethod
    def lane_text(printer: Operators, op: str, elem: Scalar, names: list[str]) -> str:
        """The operation on the lanes `a.@lane`, `b.@lane`, ... in exact arithmetic."""
        lanes: list[e.Expr] = [e.Var(f"lane {x}", elem) for x in names]
        if op.isidentifier():
            made: e.Expr = e.Call(op, tuple(lanes), elem)
        elif len(lanes) == 1:
            made = e.Unary(op, lanes[0], elem)  # type: ignore[arg-type]
        else:
            made = e.Binary(op, lanes[0], lanes[1], elem)  # type: ignore[arg-type]
        return printer.assigned(made, elem)


def _halves(a: Piece, b: Piece) -> bool:
    """Whether a half is among the two: where it is a class, it has no common type with others."""
    return "f16" in (str(a.ctype), str(b.ctype))


def _filled(template: str, args: list[str]) -> str:
    for k, a in enumerate(args):
        template = template.replace(f"{{{k}}}", a)
    return template


def _float(t: Type) -> bool:
    return isinstance(t, Scalar) and t.is_float


def _integer(t: Type) -> bool:
    return isinstance(t, Scalar) and t.is_integer and t.name != "bool"


def _compare(op: str, a: int, b: int) -> bool:
    return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b, "==": a == b, "!=": a != b}[op]


def _signs_differ(a: Piece, b: Piece) -> bool:
    """Whether -Wsign-compare objects: an unsigned comparison with a signed operand."""
    kinds = [promote(p.ctype) for p in (a, b)]
    common = usual(*kinds)
    if not (isinstance(common, Scalar) and common.is_integer and not common.is_signed):
        return False
    return any(
        isinstance(k, Scalar) and k.is_signed and not (p.value is not None and p.value >= 0)
        for k, p in zip(kinds, (a, b), strict=True)
    )


def _subtracted(op: str, b: Piece) -> tuple[str, Piece]:
    """`x + -1` as `x - 1`."""
    if op == "+" and isinstance(b.value, int) and b.value < 0 and b.text.startswith("-"):
        return "-", replace(b, text=b.text[1:], value=-b.value, strength=POSTFIX)
    return op, b


def _operand(p: Piece, op: str, left: bool) -> str:
    """The text of an operand of `op`, in the parentheses that C or -Wparentheses asks for."""
    needed = STRENGTH[op] + (0 if left else 1)
    strength = p.strength
    mixed = p.op in STRENGTH and p.op != op and p.op not in ("?",)
    if mixed and ((op in _BITWISE and p.op != ",") or (op == "||" and p.op == "&&")):
        strength = 0
    if mixed and op in e.COMPARISONS and p.op in e.COMPARISONS:
        strength = 0
    if not left and p.text.startswith(("-", "+")) and op in "+-":
        strength = 0
    if op in e.COMPARISONS and p.text.startswith("!") and p.strength == UNARY and left:
        strength = 0
    return p.text if strength >= needed else f"({p.text})"
