"""A loop over the numbers of a grid's places becomes a loop over its rows and one over its columns.

`for t in [0, A*B) { .. t / B .. t % B .. }` is `for r in [0, A) for c in [0, B) { .. r .. c .. }`,
in the same order. What iterations touch is a matter of two numbers then, and not of quotients.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from xpiler.analysis.affine import to_expr
from xpiler.analysis.dependence import independent
from xpiler.analysis.effects import assigned, declared, escapes, names_in
from xpiler.analysis.poly import Poly
from xpiler.analysis.ranges import Facts, is_int
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import fresh_name, rewrite_exprs, walk
from xpiler.passes.cleanup.base import Context, Walker, each_function, sentence
from xpiler.passes.cleanup.nests import from_zero


@dataclass(frozen=True)
class Digits:
    """Loops over tiles that are numbered through, where that keeps iterations from being apart."""

    name: str = "digits"

    def apply(self, program: Program, ctx: Context) -> Program:
        def one(f: Function) -> Function:
            taken = {p.name for p in f.params} | names_in(f.body)
            return _Digits(taken).run(f, ctx.facts(f))

        return each_function(program, one)


class _Digits(Walker):
    def __init__(self, taken: set[str]) -> None:
        self.taken = taken

    def stmt(self, st: s.Stmt, facts: Facts) -> s.Body:
        new = self.descend(st, facts)
        if isinstance(new, s.For) and _may_split(new) and (by := _divisor(new)) is not None:
            return (self._split(new, by, facts) or new,)
        return (new,)

    def _split(self, st: s.For, by: e.Expr, facts: Facts) -> s.For | None:
        if independent(st, facts) or names_in(by) & {
            *assigned(st.body),
            *declared(st.body),
            st.var.name,
        }:
            return None
        whole, width = facts.poly(st.hi), facts.poly(by)
        count, rest = whole.divided_by(width)
        if rest.terms or not count.terms:
            return None
        rows = _side(st.hi, count, facts) or to_expr(facts, count, st.var.type)
        if rows is None or not (facts.stable(whole) and facts.stable(width)):
            return None
        positive = facts.nonneg(width) or facts.nonneg(count)
        if not positive and not facts.assume(f"{sentence(by)} is not negative", width):
            return None
        return self._nest(st, by, rows)

    def _nest(self, st: s.For, by: e.Expr, rows: e.Expr) -> s.For:
        t = st.var.type
        r, c = (e.Var(fresh_name(k, self.taken), t) for k in ("row", "col"))
        self.taken |= {r.name, c.name}
        numbers: dict[str, e.Expr] = {"/": r, "%": c}

        def one(x: e.Expr) -> e.Expr:
            return numbers[x.op] if isinstance(x, e.Binary) and _is_digit(x, st.var, by) else x

        inner = replace(st, var=c, hi=by, body=rewrite_exprs(st.body, one), comments=())
        return replace(st, var=r, hi=rows, body=(inner,))


def _may_split(st: s.For) -> bool:
    nested = any(isinstance(n, s.For) for n in walk(st.body))
    return nested and from_zero(st) and is_int(st.var.type) and not escapes(st.body, in_loop=True)


def _side(product: e.Expr, count: Poly, facts: Facts) -> e.Expr | None:
    """The factor of a product that has a value."""
    if not isinstance(product, e.Binary) or product.op != "*":
        return None
    return next((x for x in (product.a, product.b) if facts.poly(x) == count), None)


def _divisor(st: s.For) -> e.Expr | None:
    """What the loop's variable is divided by wherever it occurs."""
    found = [n for n in walk(st.body) if isinstance(n, e.Binary) and n.a == st.var]
    by = next((n.b for n in found if n.op in ("/", "%")), None)
    uses = sum(1 for n in walk(st.body) if n == st.var)
    digits = sum(1 for n in found if by is not None and _is_digit(n, st.var, by))
    return by if by is not None and digits == uses else None


def _is_digit(x: e.Binary, var: e.Var, by: e.Expr) -> bool:
    return x.op in ("/", "%") and x.a == var and x.b == by and x.type == var.type
