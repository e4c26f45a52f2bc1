"""Questions about index arithmetic, asked of z3: integers without bounds, a short search each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from xpiler.analysis.dependence import Access
from xpiler.analysis.poly import Poly
from xpiler.analysis.ranges import Facts
from xpiler.ir import expr as e
from xpiler.ir.text import show

EFFORT = 2_000_000
"""What z3 may spend on one question, in its own units: the answer is the same on a busy machine."""

Term = Any


def valid(given: Iterable[Term], claim: Term) -> bool:
    """Whether `claim` follows from `given`; False also where the search gives up."""
    import z3

    solver = z3.Solver()
    solver.set("rlimit", EFFORT)
    solver.add(*given, z3.Not(claim))
    return bool(solver.check() == z3.unsat)


def _quotient(a: Term, b: Term) -> Term:
    """C's division, for positive `b`: truncated."""
    import z3

    return z3.If(a >= 0, a / b, -((-a) / b))


@dataclass
class Words:
    """IR expressions as terms of z3; what is no arithmetic becomes an unknown by its text."""

    rename: Mapping[str, str] = field(default_factory=dict)
    defined: dict[str, Term] = field(default_factory=dict)

    def variable(self, name: str) -> Term:
        import z3

        return self.defined.get(name, z3.Int(self.rename.get(name, name)))

    def number(self, x: e.Expr) -> Term:
        """The value of an integer expression."""
        import z3

        if isinstance(x, e.Const):
            return z3.IntVal(int(x.value))
        if isinstance(x, e.Var):
            return self.variable(x.name)
        if isinstance(x, e.Cast):
            return self.number(x.x)
        if isinstance(x, e.Unary) and x.op == "-":
            return -self.number(x.x)
        if isinstance(x, e.Binary) and x.op in _ARITHMETIC:
            return _ARITHMETIC[x.op](self.number(x.a), self.number(x.b))
        if isinstance(x, e.Call) and x.func in ("min", "max") and len(x.args) == 2:
            a, b = map(self.number, x.args)
            return z3.If(a <= b if x.func == "min" else a >= b, a, b)
        return z3.Int(f"<{show(x)}>")

    def truth(self, x: e.Expr) -> Term:
        """The value of a condition."""
        import z3

        if isinstance(x, e.Binary) and x.op in _COMPARE:
            return _COMPARE[x.op](self.number(x.a), self.number(x.b))
        if isinstance(x, e.Binary) and x.op in e.LOGICAL:
            join = z3.And if x.op == "&&" else z3.Or
            return join(self.truth(x.a), self.truth(x.b))
        if isinstance(x, e.Unary) and x.op == "!":
            return z3.Not(self.truth(x.x))
        return z3.Bool(f"<{show(x)}>")


_ARITHMETIC: dict[str, Callable[[Term, Term], Term]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": _quotient,
    "%": lambda a, b: a - b * _quotient(a, b),
}
_COMPARE: dict[str, Callable[[Term, Term], Term]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


# -- accesses ---------------------------------------------------------------------------------


@dataclass
class _Side:
    """One of two iterations: what varies has names of its own."""

    mark: str
    varying: frozenset[str]
    facts: Facts
    subs: tuple[Poly, ...]

    def name(self, atom: str) -> str:
        return f"{atom}{self.mark}" if self._varies(atom) else atom

    def _varies(self, atom: str) -> bool:
        if atom in self.varying or atom not in self.facts.atoms:
            return True
        inside = bool(self.facts.inside_of(atom) & self.varying)
        return inside or not self.facts.stable(_atom(atom))

    def term(self, p: Poly) -> Term:
        import z3

        total: Term = z3.IntVal(0)
        for mono, c in p.terms.items():
            term: Term = z3.IntVal(c)
            for a in mono:
                term = term * z3.Int(self.name(a))
            total = total + term
        return total

    def known(self) -> list[Term]:
        """What holds at the access: bounds of loops, guards, quotients."""
        polys = {p for ps in self.facts.known.values() for p in ps}
        out = [self.term(p) >= 0 for p in polys]
        for name in sorted({a for p in (*polys, *self.subs) for a in p.atoms()}):
            info = self.facts.atoms.get(name)
            if info and info.num is not None and info.den is not None and info.den.constant:
                num, den, q = self.term(info.num), info.den.constant, self.term(_atom(name))
                out.append(q == _quotient(num, den))
        return out


def _atom(name: str) -> Poly:
    return Poly({(name,): 1})


def never_both(
    a: Access, b: Access, varying: frozenset[str], order: Callable[[Term, Term], Term], v: str
) -> bool:
    """Whether no element is touched by `a` and by `b` at values of `v` that stand in `order`."""
    if a.elem != b.elem or a.offset.terms or b.offset.terms or len(a.subs) != len(b.subs):
        return False
    import z3

    one, two = _Side("", varying, a.facts, a.subs), _Side("'", varying, b.facts, b.subs)
    same = [one.term(p) == two.term(q) for p, q in zip(a.subs, b.subs, strict=True)]
    given = [*one.known(), *two.known(), *same]
    return valid(given, z3.Not(order(z3.Int(v), z3.Int(two.name(v)))))
