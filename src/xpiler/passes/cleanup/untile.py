"""A loop over tiles and the loop over what is in a tile become one loop over everything.

`for o in [lo, hi) step T { for i in [0, min(T, hi - o)) S(o + i) }` is `for j in [lo, hi) S(j)`,
in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from xpiler.analysis.effects import assigned, escapes, names_in
from xpiler.analysis.extremes import smaller
from xpiler.analysis.poly import atom
from xpiler.analysis.ranges import Facts, is_int
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import substitute, walk
from xpiler.passes.cleanup.base import Context, Walker, after, each_function, inside
from xpiler.passes.cleanup.nests import Elsewhere, Merger, from_zero, stand_in


@dataclass(frozen=True)
class Untile:
    """One loop for tiles and their elements, where the last tile may be shorter."""

    name: str = "untile"

    def apply(self, program: Program, ctx: Context) -> Program:
        def one(f: Function) -> Function:
            loops = {v for name, v in ctx.elements if name == f.name}
            if not loops:
                return f
            pass_ = _Untile(loops)
            new = pass_.run(f, ctx.facts(f))
            ctx.elements |= {(f.name, v) for v in pass_.merged}
            return new

        return each_function(program, one)


class _Untile(Walker):
    def __init__(self, loops: set[str]) -> None:
        self.loops = loops
        self.merged: set[str] = set()

    def stmt(self, st: s.Stmt, facts: Facts) -> s.Body:
        new = self.descend(st, facts)
        if isinstance(new, s.For):
            return (self._whole(new, facts) or new,)
        return (new,)

    def _whole(self, outer: s.For, facts: Facts) -> s.For | None:
        *decls, inner = outer.body or (None,)
        if not isinstance(inner, s.For) or not from_zero(inner) or escapes(inner.body):
            return None
        if not all(isinstance(d, s.Decl) and d.init is not None for d in decls):
            return None
        values = {d.var.name: d.init for d in decls if isinstance(d, s.Decl) and d.init is not None}
        changed = assigned(outer.body)
        if set(values) & changed or outer.var.type != inner.var.type:
            return None
        length = substitute(inner.hi, values)
        within = inside(outer, facts)
        if not _is_rest(length, outer, within) or names_in((outer.hi, outer.step)) & changed:
            return None
        return self._merged(outer, inner, tuple(decls), within)

    def _merged(self, outer: s.For, inner: s.For, decls: s.Body, facts: Facts) -> s.For | None:
        mark = facts.mark()
        for d in decls:
            facts = after(d, facts)
        within = inside(inner, facts)
        end = within.interval(within.poly(outer.hi))[1]
        both = stand_in(
            outer.var, within, min(int(end), 1 << 31) if end < float("inf") else 1 << 31
        )
        pair = atom(outer.var.name) + atom(inner.var.name)
        try:
            body = _Joined(outer.var.name, inner.var.name, pair, both, None).body(
                inner.body, within
            )
        except Elsewhere:
            facts.forget(mark)
            return None
        own = {d.var.name for d in decls if isinstance(d, s.Decl)}
        if own & {n.name for st in body for n in walk(st) if isinstance(n, e.Var)}:
            facts.forget(mark)
            return None
        self.merged.add(outer.var.name)
        body = substitute(body, {both.name: outer.var})
        comments = (*outer.comments, *inner.comments)
        one = e.Const(1, outer.var.type)
        return replace(outer, step=one, body=body, kind="vectorised", comments=comments)


class _Joined(Merger):
    """Also `a + o + i` is `a + j`: sums may be taken in any order, as they wrap alike."""

    def expr(self, x: e.Expr, facts: Facts) -> e.Expr:
        if isinstance(x, e.Binary) and x.op == "+" and is_int(x.type):
            terms = list(_terms(x))
            names = [t.name for t in terms if isinstance(t, e.Var)]
            if x.type == self.var.type and self.block in names and self.thread in names:
                return self._sum(terms, facts)
        return super().expr(x, facts)

    def _sum(self, terms: list[e.Expr], facts: Facts) -> e.Expr:
        gone = {self.block, self.thread}
        rest = [t for t in terms if not (isinstance(t, e.Var) and t.name in gone)]
        if len(rest) != len(terms) - 2:
            raise Elsewhere
        out: e.Expr | None = None
        for t in (*(self.expr(r, facts) for r in rest), self.var):
            out = t if out is None else e.Binary("+", out, t, t.type)
        assert out is not None
        return out


def _terms(x: e.Expr) -> Iterator[e.Expr]:
    if isinstance(x, e.Binary) and x.op == "+":
        yield from _terms(x.a)
        yield from _terms(x.b)
    else:
        yield x


def _is_rest(length: e.Expr, outer: s.For, facts: Facts) -> bool:
    """Whether `length` is the smaller of the step and what is left of the range."""
    pair = smaller(length)
    if pair is None:
        return False
    for step, rest in (pair, pair[::-1]):
        if not (is_int(step.type) and is_int(rest.type)):
            continue
        left = facts.raw(outer.hi) - atom(outer.var.name)
        if facts.raw(step) == facts.raw(outer.step) and facts.raw(rest) == left:
            return True
    return False
