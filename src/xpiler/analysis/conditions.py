"""What a condition that came out true or false says of the integers in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xpiler.analysis.atoms import NEGATED, is_int, type_range
from xpiler.analysis.poly import Poly
from xpiler.ir import expr as e
from xpiler.ir.types import BOOL

if TYPE_CHECKING:
    from xpiler.analysis.ranges import Facts

SMALLER, LARGER = frozenset(("<", "<=")), frozenset((">", ">="))


def condition_facts(facts: Facts, cond: e.Expr, truth: bool) -> list[Poly]:
    """Polynomials that are >= 0 when `cond` is `truth`."""
    cond = facts.meaning(cond)
    if isinstance(cond, e.Unary) and cond.op == "!":
        return condition_facts(facts, cond.x, not truth)
    if isinstance(cond, e.Cast) and is_int(cond.x.type) and cond.type == BOOL:
        return condition_facts(facts, cond.x, truth)
    if not isinstance(cond, e.Binary):
        return []
    if cond.op == ("&&" if truth else "||"):
        first = condition_facts(facts, cond.a, truth)
        return first + condition_facts(facts, cond.b, truth)
    if cond.op not in e.COMPARISONS or not is_int(cond.a.type):
        return []
    d = facts.poly(cond.b) - facts.poly(cond.a)
    op = cond.op if truth else NEGATED[cond.op]
    table = {"<": [d - 1], "<=": [d], ">": [-d - 1], ">=": [-d], "==": [d, -d]}
    if op == "!=" and facts.nonneg(d):
        return [d - 1]
    if op == "!=" and facts.nonneg(-d):
        return [-d - 1]
    signs = _signed_facts(facts, op, cond.a, cond.b)
    return [p.tightened() for p in (*table.get(op, []), *signs)]


def _signed_facts(facts: Facts, op: str, a: e.Expr, b: e.Expr) -> list[Poly]:
    """`unsigned(x) < n` with n no larger than an `int` says that x is not negative either."""
    if op in LARGER:
        return _signed_facts(facts, "<" if op == ">" else "<=", b, a)
    if op not in SMALLER or not isinstance(a, e.Cast) or not is_int(a.x.type):
        return []
    t, was = type_range(a.type), type_range(a.x.type)
    if t is None or was is None or t[0] < 0 or was[0] >= 0 or was[1] > t[1] // 2:
        return []
    less = 1 if op == "<" else 0
    top, x = facts.poly(b), facts.poly(a.x)
    if facts.poly(a) == x:
        return []  # that is known
    return [x, top - less - x] if facts.soon_nonneg(t[1] // 2 + less - top) else []
