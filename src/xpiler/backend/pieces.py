"""A printed expression with what is known of its C type, and what is still due to it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from xpiler.ir.types import Type

# Binding strength, C11 6.5: larger binds tighter.
PRIMARY, POSTFIX, UNARY = 17, 16, 15
STRENGTH = {
    "*": 13, "/": 13, "%": 13, "+": 12, "-": 12, "<<": 11, ">>": 11,
    "<": 10, "<=": 10, ">": 10, ">=": 10, "==": 9, "!=": 9,
    "&": 8, "^": 7, "|": 6, "&&": 5, "||": 4, "?": 3, "=": 2, ",": 1,
}  # fmt: skip
ARGUMENT = STRENGTH["="]
LANE = "@lane"  # stands for the member in the text of a vector helper


@dataclass(frozen=True, slots=True)
class Piece:
    """Text whose C type is `ctype`; converting its value to `type` gives the meant value.

    `exact`: that conversion changes no value (only the C type differs). `literal`: for constants,
    the spelling that has exactly `type`. `value`: a constant's value. `op`: the outermost operator.
    """

    text: str
    strength: int
    ctype: Type
    type: Type
    exact: bool = False
    literal: str | None = None
    value: int | float | None = None
    op: str = ""

    @property
    def settled(self) -> bool:
        return self.ctype == self.type

    def within(self, strength: int) -> str:
        """The text as an operand where at least `strength` is asked."""
        return self.text if self.strength >= strength else f"({self.text})"

    def due(self, t: Type, exact: bool) -> Piece:
        """The same text, to be converted to `t`."""
        return replace(self, type=t, exact=exact, literal=None)
