"""Coalesce block and thread loops whose variables occur only as block * size + thread, and strides.

`parallel for b in [0, G) { parallel for t in [0, B) { i = b*B + t; ... } }` is
`parallel for i in [0, G*B)`, and a grid-stride loop over all of those is one plain loop. The
iterations of a parallel loop may run in any order, so perfectly nested ones exchange freely.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from xpiler.analysis.effects import assigned, escapes, names_in
from xpiler.analysis.poly import Poly, atom
from xpiler.analysis.ranges import Facts, is_int, type_range
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import fresh_name, substitute, walk
from xpiler.passes.cleanup.base import (
    Context,
    Walker,
    each_function,
    inside,
    sentence,
)  # fmt: skip
from xpiler.passes.cleanup.nests import (
    Elsewhere,
    Merger,
    Nest,
    chain,
    decl_comments,
    from_zero,
    rebuilt,
    stand_in,
)
from xpiler.passes.cleanup.simplify import simplify
from xpiler.passes.cleanup.strides import unstrided


@dataclass(frozen=True)
class Coalesce:
    """One loop with the user's variable for block and thread loops, dimension by dimension."""

    name: str = "coalesce"

    def apply(self, program: Program, ctx: Context) -> Program:
        def one(f: Function) -> Function:
            tiles = {v for name, v in ctx.tile_loops if name == f.name}
            taken = {p.name for p in f.params} | names_in(f.body)
            axes = {v for name, v in ctx.axes if name == f.name}
            coalescer = Coalescer(tiles, axes, set(taken))
            new = coalescer.run(f, ctx.facts(f))
            ctx.axes.update((f.name, v) for v in coalescer.axes)
            return new

        return each_function(program, one)


@dataclass
class Coalescer(Walker):
    """`tiles` are serial loops over tiles that no longer exist: they join the loop inside.

    `axes` are loops over blocks and threads as raising made them.
    """

    tiles: set[str]
    axes: set[str]
    taken: set[str]

    def stmt(self, st: s.Stmt, facts: Facts) -> s.Body:
        new = self.descend(st, facts)
        if isinstance(new, s.For) and new.var.name in self.tiles:
            return (_untiled(new, facts),)
        if isinstance(new, s.For) and new.kind == "serial" and new.var.name in self.axes:
            return (_in_order(new, facts),)
        if not isinstance(new, s.For) or new.kind != "parallel":
            return (new,)
        hoisted: s.Body = ()
        while True:
            better = self._merged_pair(new, facts)
            if better is None:
                break
            hoisted, new = (*hoisted, *better[0]), better[1]
        return (*hoisted, *(unstrided(new, facts, self.axes) or (new,)))

    def _merged_pair(self, loop: s.For, facts: Facts) -> tuple[s.Body, s.For] | None:
        """What moves in front, and the nest with two of its loops made one."""
        nest = chain(loop)
        inner = facts
        for one in nest.loops:
            inner = inside(one, inner)
        for t in range(1, len(nest.loops)):
            for b in range(t):
                mark = inner.mark()
                new = self._merge(nest, b, t, inner) if _countable(nest, b, t, facts) else None
                if new is not None:
                    return nest.before, new
                inner.forget(mark)
        return None

    def _merge(self, nest: Nest, b: int, t: int, facts: Facts) -> s.For | None:
        block, thread = nest.loops[b], nest.loops[t]
        user = user_variable(nest, block, thread, facts)
        if user is None and not {block.var.name, thread.var.name} <= self.axes:
            return None
        var = user or e.Var(fresh_name("i", set(self.taken)), block.var.type)
        return merged(nest, b, t, var, facts)


def _in_order(outer: s.For, facts: Facts) -> s.For:
    """Loops over blocks and threads whose order matters, as one over the user's own variable."""
    inner = outer.body[0] if len(outer.body) == 1 else None
    if not isinstance(inner, s.For) or inner.kind != "serial":
        return outer
    if escapes(inner.body, in_loop=True) or outer.var.name in names_in((inner.hi,)):
        return outer
    within = inside(inner, inside(outer, facts))
    nest = Nest([outer, inner], (), inner.body)
    user = user_variable(nest, outer, inner, within)
    mark = within.mark()
    new = None
    if user is not None and _countable(nest, 0, 1, facts):
        new = merged(nest, 0, 1, user, within)
    if new is None:
        within.forget(mark)
        return outer
    return new


def _untiled(outer: s.For, facts: Facts) -> s.For:
    """`for tile { for k { .. tile*size + k .. } }` as one loop, in the same order."""
    inner = outer.body[0] if len(outer.body) == 1 else None
    if not isinstance(inner, s.For) or "parallel" in (outer.kind, inner.kind):
        return outer
    if escapes(inner.body) or outer.var.name in names_in((inner.hi,)):
        return outer
    within = inside(inner, inside(outer, facts))
    mark = within.mark()
    nest = Nest([outer, inner], (), inner.body)
    new = merged(nest, 0, 1, inner.var, within) if _countable(nest, 0, 1, facts) else None
    if new is None:
        within.forget(mark)
        return outer
    return new


def _countable(nest: Nest, b: int, t: int, facts: Facts) -> bool:
    """Whether G * B is the number of iterations: not both extents may be negative."""
    return any(facts.nonneg(facts.poly(nest.loops[k].hi)) for k in (t, b))


def merged(nest: Nest, b: int, t: int, var: e.Var, facts: Facts) -> s.For | None:
    """The nest with loops `b` and `t` replaced by one over `var`; None where they occur apart."""
    block, thread = nest.loops[b], nest.loops[t]
    if not (from_zero(block) and from_zero(thread)):
        return None
    hi = _extent(block.hi, thread.hi, var, facts)
    if hi is None:
        return None
    both = stand_in(var, facts, facts.interval(facts.poly(hi))[1])
    merger = Merger(block.var.name, thread.var.name, _whole(block, thread, facts), both, var)
    try:
        body = substitute(merger.body(nest.body, facts), {both.name: var})
    except Elsewhere:
        return None
    comments = (*block.comments, *thread.comments, *decl_comments(nest.body, var))
    lo, step = e.Const(0, var.type), e.Const(1, var.type)
    new = replace(block, var=var, lo=lo, hi=hi, step=step, comments=comments)
    rest = [new if i == b else one for i, one in enumerate(nest.loops) if i != t]
    out = rebuilt(rest, body)[0]
    assert isinstance(out, s.For)
    return out


def _whole(block: s.For, thread: s.For, facts: Facts) -> Poly:
    return atom(block.var.name) * facts.poly(thread.hi) + atom(thread.var.name)


def _extent(g: e.Expr, b: e.Expr, var: e.Var, facts: Facts) -> e.Expr | None:
    """G * B in the type of the new variable."""
    parts = [simplify(e.Cast(x, var.type), facts) if x.type != var.type else x for x in (g, b)]
    hi = e.Binary("*", parts[0], parts[1], var.type)
    p = facts.poly(g) * facts.poly(b)
    if not facts.fits(p, var.type):
        limits = type_range(var.type)
        text = f"{sentence(hi)} does not overflow {var.type}"
        if limits is None or not facts.assume(text, limits[1] - p):
            return None
    return simplify(hi, facts)


def user_variable(nest: Nest, block: s.For, thread: s.For, facts: Facts) -> e.Var | None:
    """The variable that the user declared to be block * size + thread."""
    changing = assigned(nest.body)
    whole = _whole(block, thread, facts)
    for st in walk(nest.body):
        if not isinstance(st, s.Decl) or st.init is None or st.var.name in changing:
            continue
        if not is_int(st.var.type):
            continue
        if facts.poly(st.init) == whole:
            return st.var
        facts = facts.with_def(st.var, st.init)
    return None
