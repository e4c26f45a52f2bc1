"""Affine forms of index expressions, and expressions rebuilt from them."""

from __future__ import annotations

from xpiler.analysis.poly import Monomial, Poly, atom
from xpiler.analysis.proofs import rank
from xpiler.analysis.ranges import AtomInfo, Facts, is_int
from xpiler.ir import expr as e
from xpiler.ir.rewrite import walk
from xpiler.ir.types import Type


def size(x: e.Expr) -> int:
    """Number of nodes: the measure of "simpler"."""
    return sum(1 for _ in walk(x))


def to_expr(facts: Facts, p: Poly, t: Type, checked: bool = True) -> e.Expr | None:
    """An expression of integer type `t` with the value `p`; None where it cannot be written.

    Every partial sum is shown to fit, so that no signed overflow is introduced (unless the
    expression is only to be shown to a person: not `checked`).
    """
    p = with_remainders(facts, p)
    if checked and not facts.fits(p, t):
        return None
    terms = sorted(p.terms.items(), key=lambda item: _order(facts, item))
    out: e.Expr | None = None
    value = Poly({})
    for mono, c in terms:
        value = value + Poly({mono: c})
        if checked and not facts.fits(value, t):
            return None
        out = _plus_term(facts, out, mono, c, t, checked)
        if out is None:
            return None
    return out if out is not None else e.Const(0, t)


def with_remainders(facts: Facts, p: Poly) -> Poly:
    """`x - d*(x/d)` written as an atom of its own, which prints as `x % d`."""
    for name in sorted(p.atoms()):
        info = facts.atoms.get(name)
        d = info.den.constant if info is not None and info.den is not None else None
        c = p.terms.get((name,), 0)
        if info is None or info.num is None or d is None or c >= 0 or -c % d:
            continue
        k = -c // d
        if any(p.terms.get(m, 0) != k * v for m, v in info.num.terms.items() if m):
            continue
        x = to_expr(facts, info.num, info.of) if info.of is not None else None
        if x is None:
            continue
        rest = e.Binary("%", x, e.Const(d, x.type), x.type)
        low = 0 if facts.soon_nonneg(info.num) else 1 - d
        key = f"<({info.num})%({d})>@{low}"
        facts.atoms[key] = AtomInfo(low, d - 1, rest)
        p = p - (info.num - atom(name) * d) * k + atom(key) * k
    return p


def known_to_fit(facts: Facts, p: Poly, t: Type) -> e.Expr | None:
    """As `to_expr`, for a value that is known to fit `t` (it has just been computed in it)."""
    rising = min(p.terms.values(), default=0) >= 0
    if rising and all(facts.interval(atom(a))[0] >= 0 for a in p.atoms()):
        return to_expr(facts, p, t, checked=False)  # no partial sum exceeds the whole
    return to_expr(facts, p, t)


def _order(facts: Facts, item: tuple[Monomial, int]) -> tuple[bool, bool, int, float, Monomial]:
    """Positive terms first, products before single variables, constants last, outer loops first."""
    mono, c = item
    depth = max((rank(facts, a)[0] for a in mono), default=0.0)
    return (not mono, c < 0, -(len(mono) + (abs(c) != 1)), depth, mono)


def _plus_term(
    facts: Facts, out: e.Expr | None, mono: Monomial, c: int, t: Type, checked: bool
) -> e.Expr | None:
    sign = "+" if c > 0 else "-"
    term = _product(facts, mono, abs(c), t, checked)
    if term is None:
        return None
    if out is None:
        if c > 0:
            return term
        return e.Const(-term.value, t) if isinstance(term, e.Const) else e.Unary("-", term, t)
    return e.Binary("+" if sign == "+" else "-", out, term, t)


def _product(facts: Facts, mono: Monomial, c: int, t: Type, checked: bool) -> e.Expr | None:
    out: e.Expr | None = None
    for name in mono:
        factor = atom_expr(facts, name, t, checked)
        if factor is None:
            return None
        out = factor if out is None else e.Binary("*", out, factor, t)
    if out is None:
        return e.Const(c, t)
    return out if c == 1 else e.Binary("*", out, e.Const(c, t), t)


def atom_expr(facts: Facts, name: str, t: Type, checked: bool = True) -> e.Expr | None:
    """The atom as an expression of type `t`, converted where its own type differs."""
    info = facts.atoms.get(name)
    if info is None:
        return None
    x = info.expr
    if x is None and info.num is not None and info.den is not None:
        num, den = (to_expr(facts, p, t, checked) for p in (info.num, info.den))
        return None if num is None or den is None else e.Binary("/", num, den, t)
    args = info.max_of or info.min_of
    if args:
        parts = [to_expr(facts, a, t, checked) for a in args]
        func = "max" if info.max_of else "min"
        return None if None in parts else e.Call(func, tuple(parts), t)  # type: ignore[arg-type]
    if x is None or not is_int(x.type):
        return None
    if x.type == t:
        return x
    return e.Cast(x, t) if not checked or facts.fits(atom(name), t) else None
