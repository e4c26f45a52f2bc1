"""Coalesce block and thread loops whose variables occur only as block * size + thread, and strides.

`parallel for b in [0, G) { parallel for t in [0, B) { i = b*B + t; ... } }` is
`parallel for i in [0, G*B)`, and a grid-stride loop over all of those is one plain loop. The
iterations of a parallel loop may run in any order, so perfectly nested ones exchange freely.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from xpiler.analysis.affine import to_expr
from xpiler.analysis.dependence import independent
from xpiler.analysis.effects import assigned, escapes, names_in, of_body, of_expr, stored
from xpiler.analysis.poly import ONE, Poly, atom
from xpiler.analysis.ranges import AtomInfo, Facts, is_int, type_range
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import fresh_name, map_children, rewrite_stmts, substitute, walk
from xpiler.passes.cleanup.base import (
    Context,
    Walker,
    after,
    changed,
    each_function,
    inside,
    sentence,
)  # fmt: skip
from xpiler.passes.cleanup.simplify import simplify


@dataclass(frozen=True)
class Coalesce:
    """One loop with the user's variable for block and thread loops, dimension by dimension."""

    name: str = "coalesce"

    def apply(self, program: Program, ctx: Context) -> Program:
        def one(f: Function) -> Function:
            tiles = {v for name, v in ctx.tile_loops if name == f.name}
            taken = {p.name for p in f.params} | names_in(f.body)
            axes = {v for name, v in ctx.axes if name == f.name}
            return _Coalescer(tiles, axes, set(taken)).run(f, ctx.facts(f))

        return each_function(program, one)


@dataclass
class _Coalescer(Walker):
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
        if not isinstance(new, s.For) or new.kind != "parallel":
            return (new,)
        hoisted: s.Body = ()
        while True:
            better = self._merged_pair(new, facts)
            if better is None:
                break
            hoisted, new = (*hoisted, *better[0]), better[1]
        return (*hoisted, *hoisted_stride(new, facts))

    def _merged_pair(self, loop: s.For, facts: Facts) -> tuple[s.Body, s.For] | None:
        """What moves in front, and the nest with two of its loops made one."""
        nest = chain(loop)
        inner = facts
        for one in nest.loops:
            inner = inside(one, inner)
        for t in range(1, len(nest.loops)):
            for b in range(t):
                mark = inner.mark()
                new = self._merge(nest, b, t, inner)
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


@dataclass(frozen=True)
class Nest:
    """Parallel loops each of which holds the next one, and what the innermost does.

    `before` are declarations found between them that could stand in front of all loops; those that
    use a loop's variable have joined the body (each thread computes them for itself).
    """

    loops: list[s.For]
    before: s.Body
    body: s.Body


def chain(loop: s.For) -> Nest:
    """The nest that starts with `loop`."""
    loops, names = [loop], {loop.var.name}
    before: list[s.Stmt] = []
    sunk: list[s.Stmt] = []
    while loops[-1].body:
        *decls, last = loops[-1].body
        if not isinstance(last, s.For) or last.kind != "parallel":
            break
        if not all(isinstance(d, s.Decl) and _movable(d, loop.body) for d in decls):
            break
        varying = set(names)
        for d in decls:
            varying |= stored((d,)) if of_body((d,)).reads & varying else set()
        if names_in((last.lo, last.hi, last.step)) & varying:
            break
        for d in decls:
            (sunk if stored((d,)) <= varying else before).append(d)
        loops.append(last)
        names = varying | {last.var.name}
    return Nest(loops, tuple(before), (*sunk, *loops[-1].body))


def _movable(d: s.Decl, body: s.Body) -> bool:
    """Whether the declaration may be computed once or once a thread, wherever its operands live."""
    return d.init is not None and d.var.name not in assigned(body) and _plain(d.init)


def rebuilt(loops: list[s.For], body: s.Body) -> s.Body:
    """The nest of `loops` around `body`."""
    for loop in reversed(loops):
        body = (replace(loop, body=body),)
    return body


def _untiled(outer: s.For, facts: Facts) -> s.For:
    """`for tile { for k { .. tile*size + k .. } }` as one loop, in the same order."""
    inner = outer.body[0] if len(outer.body) == 1 else None
    if not isinstance(inner, s.For) or "parallel" in (outer.kind, inner.kind):
        return outer
    if escapes(inner.body) or outer.var.name in names_in((inner.hi,)):
        return outer
    within = inside(inner, inside(outer, facts))
    mark = within.mark()
    new = merged(Nest([outer, inner], (), inner.body), 0, 1, inner.var, within)
    if new is None:
        within.forget(mark)
        return outer
    return new


def merged(nest: Nest, b: int, t: int, var: e.Var, facts: Facts) -> s.For | None:
    """The nest with loops `b` and `t` replaced by one over `var`; None where they occur apart."""
    block, thread = nest.loops[b], nest.loops[t]
    if not (_from_zero(block) and _from_zero(thread)):
        return None
    hi = _extent(block.hi, thread.hi, var, facts)
    if hi is None:
        return None
    stand_in = e.Var(f"{var.name}'", var.type)
    top = facts.interval(facts.poly(hi))[1] - 1
    facts.atoms[stand_in.name] = AtomInfo(0, top, stand_in)
    merger = _Merger(block.var.name, thread.var.name, _whole(block, thread, facts), stand_in, var)
    try:
        body = substitute(merger.body(nest.body, facts), {stand_in.name: var})
    except _Elsewhere:
        return None
    new = replace(block, var=var, lo=e.Const(0, var.type), hi=hi, step=e.Const(1, var.type))
    rest = [new if i == b else one for i, one in enumerate(nest.loops) if i != t]
    out = rebuilt(rest, body)[0]
    assert isinstance(out, s.For)
    return out


def _whole(block: s.For, thread: s.For, facts: Facts) -> Poly:
    return atom(block.var.name) * facts.poly(thread.hi) + atom(thread.var.name)


def _from_zero(loop: s.For) -> bool:
    ints = isinstance(loop.lo, e.Const) and isinstance(loop.step, e.Const)
    return ints and loop.lo.value == 0 and loop.step.value == 1  # type: ignore[attr-defined]


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


class _Elsewhere(Exception):
    """The block or thread variable occurs in another form."""


@dataclass
class _Merger(Walker):
    """Replaces block * size + thread by one variable; raises `_Elsewhere` where that fails."""

    block: str
    thread: str
    whole: Poly
    var: e.Var
    users: e.Var

    def stmt(self, st: s.Stmt, facts: Facts) -> s.Body:
        if isinstance(st, s.Decl) and st.var == self.users:
            return ()
        return (self.descend(st, facts),)

    def body(self, body: s.Body, facts: Facts) -> s.Body:
        """Facts are learnt from the old statements, which still speak of block and thread."""
        out: list[s.Stmt] = []
        for st in body:
            out.extend(self.stmt(st, facts))
            facts = after(st, facts)
        return tuple(out)

    def expr(self, x: e.Expr, facts: Facts) -> e.Expr:
        if not names_in(x) & {self.block, self.thread}:
            return x
        if is_int(x.type) and not isinstance(x, e.Index):
            p = facts.poly(x)
            if p == self.whole:
                return self.var if x.type == self.var.type else e.Cast(self.var, x.type)
        if isinstance(x, e.Var):
            raise _Elsewhere
        try:
            return map_children(x, lambda c: self.expr(c, facts))
        except _Elsewhere:
            return self._in_new_terms(x, facts)

    def _in_new_terms(self, x: e.Expr, facts: Facts) -> e.Expr:
        if not is_int(x.type):
            raise _Elsewhere
        parts = facts.poly(x).split(self.thread)
        if parts is None:
            raise _Elsewhere
        c, _ = parts
        p = facts.poly(x) - c * self.whole + c * atom(self.var.name)
        new = to_expr(facts, p, x.type)
        if new is None or names_in(new) & {self.block, self.thread}:
            raise _Elsewhere
        return new


# -- strides --------------------------------------------------------------------------------


def hoisted_stride(loop: s.For, facts: Facts) -> s.Body:
    """`loop`, or with a strided loop as its whole body, one loop over everything."""
    if not _from_zero(loop):
        return (loop,)
    before, rest = _invariants(loop)
    if len(rest) != 1 or not isinstance(rest[0], s.For):
        return (loop,)
    known = facts
    for d in before:
        known = known.with_def(d.var, d.init) if d.init is not None else known
    new = _unstrided(loop, rest[0], known)
    return (*before, new) if new is not None else (loop,)


def _invariants(loop: s.For) -> tuple[list[s.Decl], s.Body]:
    """Leading declarations of the body that could as well stand before the loop, and the rest."""
    changing = assigned(loop.body)
    before: list[s.Decl] = []
    for i, st in enumerate(loop.body):
        if not isinstance(st, s.Decl) or st.init is None or st.var.name in changing:
            return before, loop.body[i:]
        if not _plain(st.init) or of_expr(st.init).reads & (changing | {loop.var.name}):
            return before, loop.body[i:]
        before.append(st)
    return before, ()


def _plain(x: e.Expr) -> bool:
    """Arithmetic that may be computed anywhere: no memory, calls or division."""
    return all(
        isinstance(n, (e.Const, e.Var, e.Cast, e.Unary))
        or (isinstance(n, e.Binary) and n.op not in ("/", "%"))
        or (isinstance(n, e.Binary) and isinstance(n.b, e.Const) and n.b.value != 0)
        for n in walk(x)
    )


def _unstrided(outer: s.For, inner: s.For, facts: Facts) -> s.For | None:
    v = outer.var.name
    if v in names_in((inner.hi, inner.step)) or v in names_in(inner.body):
        return None
    within = inside(outer, facts)
    start = within.poly(inner.lo) - atom(v)
    stride = within.poly(inner.step)
    if v in start.atoms() or stride != facts.poly(outer.hi) or stride == ONE:
        return None
    lo = to_expr(facts, start, inner.var.type)
    if lo is None:
        return None
    runs = facts.with_fact(facts.poly(inner.hi) - start - 1).positive(stride)
    if not runs and not facts.assume(f"{sentence(outer.hi)} is at least 1", stride - 1):
        return None
    new = changed(inner, lo=lo, step=e.Const(1, inner.var.type))
    kind: s.LoopKind = "parallel" if independent(new, facts) else "serial"
    return replace(new, kind=kind, comments=(*outer.comments, *inner.comments))


__all__ = ["Coalesce", "chain", "rebuilt", "rewrite_stmts", "substitute"]
