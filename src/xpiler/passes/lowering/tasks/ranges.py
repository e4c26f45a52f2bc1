"""Conditions on the loop variable that select a range of lanes."""

from __future__ import annotations

from dataclasses import dataclass

from xpiler.analysis.affine import to_expr
from xpiler.analysis.atoms import NEGATED
from xpiler.analysis.poly import Poly
from xpiler.analysis.ranges import Facts, is_int
from xpiler.ir import expr as e
from xpiler.ir.types import BOOL, I32, I64, Type
from xpiler.passes.lowering.tasks.build import ZERO, add, cast, least, most, sub
from xpiler.passes.lowering.tasks.lanes import Lanes


@dataclass
class Range:
    """Lanes from `lo` to `hi`, where `uniform` conditions (the same in all lanes) hold."""

    lo: e.Expr
    hi: e.Expr
    uniform: list[e.Expr]


def conjuncts(cond: e.Expr) -> list[e.Expr]:
    """The conditions that all have to hold, negations pushed inwards."""
    if isinstance(cond, e.Binary) and cond.op == "&&":
        return conjuncts(cond.a) + conjuncts(cond.b)
    if isinstance(cond, e.Unary) and cond.op == "!":
        inner = negated(cond.x)
        return [cond] if inner is None else conjuncts(inner)
    return [cond]


def negated(cond: e.Expr) -> e.Expr | None:
    """The opposite of a condition, without `!` in front; None where it takes one."""
    if isinstance(cond, e.Unary) and cond.op == "!":
        return cond.x
    if isinstance(cond, e.Binary) and cond.op in NEGATED and is_int(cond.a.type):
        return e.Binary(NEGATED[cond.op], cond.a, cond.b, BOOL)
    if isinstance(cond, e.Binary) and cond.op == "||":
        a, b = negated(cond.a), negated(cond.b)
        return None if a is None or b is None else e.Binary("&&", a, b, BOOL)
    return None


def as_range(lanes: Lanes, cond: e.Expr, facts: Facts) -> Range | None:
    """The lanes for which `cond` (expanded) holds, if those are a range."""
    out = Range(lanes.lo, lanes.hi, [])
    for part in conjuncts(cond):
        part = facts.meaning(part)
        if not lanes.varies(part):
            out.uniform.append(part)
        elif not _narrow(lanes, out, part, facts):
            return None
    return out


def _narrow(lanes: Lanes, out: Range, part: e.Expr, facts: Facts) -> bool:
    if not isinstance(part, e.Binary) or part.op not in e.COMPARISONS or not is_int(part.a.type):
        return False
    if part.op == "!=":
        return False
    d = _difference(lanes, part, facts)
    table = {"<": [d - 1], "<=": [d], ">": [-d - 1], ">=": [-d], "==": [d, -d]}
    if all(_bound(lanes, out, p, facts) for p in table[part.op]):
        return True
    return part.op in ("<", "<=") and _below(lanes, out, part, facts)


def _below(lanes: Lanes, out: Range, part: e.Binary, facts: Facts) -> bool:
    """Narrow the range to `index < x` or `index <= x`, where x is no sum of known things."""
    v, index = lanes.var, part.a
    while isinstance(index, e.Cast) and is_int(index.x.type):
        index = index.x
    if index != v or lanes.varies(part.b):
        return False
    unsigned = getattr(part.b.type, "is_signed", True) is False
    if unsigned and (getattr(part.b.type, "bits", 64) == 64 or not facts.nonneg(facts.poly(v))):
        return False
    wide = unsigned or getattr(v.type, "bits", 32) == 64 or getattr(part.b.type, "bits", 32) == 64
    t: Type = I64 if wide else I32
    end = cast(part.b, t) if part.op == "<" else add(cast(part.b, t), e.Const(1, t))
    out.hi = cast(least(cast(out.hi, t), sub(end, cast(lanes.base, t))), I32)
    return True


def _difference(lanes: Lanes, part: e.Binary, facts: Facts) -> Poly:
    """b - a; unsigned parts are read without wrap-around only where that is proved."""
    return facts.poly(part.b) - facts.poly(part.a)


def _bound(lanes: Lanes, out: Range, p: Poly, facts: Facts) -> bool:
    """Narrow the range to the lanes where p >= 0."""
    v = lanes.var.name
    split = p.split(v)
    if split is None or split[0].constant in (None, 0) or lanes._hidden(split[1], facts):
        return False
    c, t = split[0].constant, _counting(lanes)
    assert c is not None
    rest = to_expr(facts, split[1] if c < 0 else -split[1], t, checked=False)
    if rest is None:
        return False
    base = cast(lanes.base, t)
    if c > 0:  # v >= rest / c, rounded up
        first = rest if c == 1 else _quotient(rest, c, t, up=True)
        out.lo = cast(most(cast(out.lo, t), sub(first, base)), I32)
    else:  # v <= rest / |c|
        last = rest if c == -1 else _quotient(rest, -c, t, up=False)
        out.hi = cast(least(cast(out.hi, t), sub(add(last, e.Const(1, t)), base)), I32)
    return True


def _counting(lanes: Lanes) -> Type:
    return I64 if getattr(lanes.var.type, "bits", 32) == 64 else I32


def _quotient(x: e.Expr, d: int, t: Type, up: bool) -> e.Expr:
    """x / d rounded up or down, also where x is negative (C rounds towards zero)."""
    over = e.Const(d - 1, t)
    zero = e.Const(0, t)
    if up:
        positive = e.Binary("/", add(x, over), e.Const(d, t), t)
        return e.Select(e.compare(">", x, zero), positive, e.Binary("/", x, e.Const(d, t), t), t)
    negative = e.Binary("/", sub(x, over), e.Const(d, t), t)
    return e.Select(e.compare(">=", x, zero), e.Binary("/", x, e.Const(d, t), t), negative, t)


__all__ = ["ZERO", "Range", "as_range", "conjuncts", "negated"]
