"""The unknowns of index arithmetic, the ranges of types, and what has been assumed."""

from __future__ import annotations

from dataclasses import dataclass, field

from xpiler.analysis.poly import Poly
from xpiler.ir import expr as e
from xpiler.ir.types import Scalar, Type

Interval = tuple[int, int]


REORDERED = "sums of floating-point numbers may be added up in another order"
UNSIGNED = "unsigned index arithmetic does not wrap"
ARITHMETIC = (e.Const, e.Cast, e.Unary, e.Binary, e.Select, e.Field)


def type_range(t: Type) -> Interval | None:
    """Smallest and largest value of an integer type; None for other types."""
    if not isinstance(t, Scalar) or not t.is_integer:
        return None
    if t.name == "bool":
        return 0, 1
    if t.is_signed:
        return -(1 << (t.bits - 1)), (1 << (t.bits - 1)) - 1
    return 0, (1 << t.bits) - 1


def is_int(t: Type) -> bool:
    return isinstance(t, Scalar) and t.is_integer


@dataclass(frozen=True)
class AtomInfo:
    """An atom, as it is everywhere: what holds only at some point belongs to `Facts`.

    `lo`, `hi` is the range of its type; `num`, `den` make a quotient (C's truncation), whose
    numerator has the type range `num_range`; `one_of` are values of which it is one. A
    quotient was computed in type `of`. What is in `near` is >= 0 wherever the atom has a value.
    """

    lo: int
    hi: int
    expr: e.Expr | None = None
    num: Poly | None = None
    den: Poly | None = None
    num_range: Interval = (0, 0)
    max_of: tuple[Poly, ...] = ()
    min_of: tuple[Poly, ...] = ()
    one_of: tuple[Poly, ...] = ()
    of: Type | None = None
    near: tuple[Poly, ...] = ()


@dataclass
class Ledger:
    """Sentences that were assumed, in order, each once; the flags say what may be assumed.

    `effort` is what is left to spend on proofs; without any, nothing more is proved. `unsigned`:
    subscripts computed without a sign may be taken as not wrapping, too.
    """

    allowed: bool = True
    alias_allowed: bool = True
    unsigned: bool = False
    effort: int = 300_000
    nesting: int = 0
    sentences: list[str] = field(default_factory=list)

    def assume(self, sentence: str) -> bool:
        """Record `sentence`; whether the caller may rely on it."""
        if self.allowed and sentence not in self.sentences:
            self.sentences.append(sentence)
        return self.allowed

    def assume_apart(self, a: str, b: str, or_same: bool = False) -> bool:
        """Record that two pointer parameters do not overlap (`or_same`: or are equal)."""
        strict = f"{a} and {b} do not overlap"
        sentence = f"{a} and {b} are the same or do not overlap" if or_same else strict
        if self.alias_allowed and not {sentence, strict} & set(self.sentences):
            self.sentences.append(sentence)
        return self.alias_allowed


NEGATED: dict[str, e.BinaryOp] = {
    "<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "==",
}  # fmt: skip
