"""Coalesce block and thread loops whose variables occur only as block * size + thread, and strides.

`parallel for b in [0, G) { parallel for t in [0, B) { i = b*B + t; ... } }` is
`parallel for i in [0, G*B)`, and a grid-stride loop over all of those is one plain loop. The
iterations of a parallel loop may run in any order, so perfectly nested ones exchange freely.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from xpiler.analysis.affine import to_expr
from xpiler.analysis.dependence import independent
from xpiler.analysis.effects import assigned, escapes, names_in, of_expr
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
            return _Coalescer(tiles, set(taken)).run(f, ctx.facts(f))

        return each_function(program, one)


@dataclass
class _Coalescer(Walker):
    """`tiles` are serial loops over tiles that no longer exist: they join the loop inside."""

    tiles: set[str]
    taken: set[str]

    def stmt(self, st: s.Stmt, facts: Facts) -> s.Body:
        new = self.descend(st, facts)
        if isinstance(new, s.For) and new.var.name in self.tiles:
            return (_untiled(new, facts, self.taken),)
        if not isinstance(new, s.For) or new.kind != "parallel":
            return (new,)
        while isinstance(new, s.For):
            better = _merged_pair(new, facts, self.taken)
            if better is None:
                break
            new = better
        return hoisted_stride(new, facts)


def chain(loop: s.For) -> list[s.For]:
    """The perfectly nested parallel loops from `loop` inwards."""
    out = [loop]
    while len(out[-1].body) == 1 and isinstance(out[-1].body[0], s.For):
        inner = out[-1].body[0]
        if inner.kind != "parallel" or names_in((inner.lo, inner.hi, inner.step)) & {
            loop.var.name for loop in out
        }:
            break
        out.append(inner)
    return out


def rebuilt(loops: list[s.For], body: s.Body) -> s.Body:
    """The nest of `loops` around `body`."""
    for loop in reversed(loops):
        body = (replace(loop, body=body),)
    return body


def _merged_pair(loop: s.For, facts: Facts, taken: set[str]) -> s.For | None:
    loops = chain(loop)
    inner = facts
    for one in loops:
        inner = inside(one, inner)
    for t in range(1, len(loops)):
        for b in range(t):
            mark = inner.mark()
            new = _merge(loops, b, t, inner, taken)
            if new is not None:
                return new
            inner.forget(mark)
    return None


def _untiled(outer: s.For, facts: Facts, taken: set[str]) -> s.For:
    """`for tile { for k { .. tile*size + k .. } }` as one loop, in the same order."""
    inner = outer.body[0] if len(outer.body) == 1 else None
    if not isinstance(inner, s.For) or "parallel" in (outer.kind, inner.kind):
        return outer
    if escapes(inner.body):
        return outer
    if outer.var.name in names_in((inner.hi,)):
        return outer
    within = inside(inner, inside(outer, facts))
    mark = within.mark()
    new = _merge([outer, inner], 0, 1, within, taken)
    if new is None:
        within.forget(mark)
        return outer
    return new


def _merge(loops: list[s.For], b: int, t: int, facts: Facts, taken: set[str]) -> s.For | None:
    block, thread = loops[b], loops[t]
    if not (_from_zero(block) and _from_zero(thread)):
        return None
    size = facts.poly(thread.hi)
    whole = atom(block.var.name) * size + atom(thread.var.name)
    body = loops[-1].body
    user = _user_variable(body, whole, facts)
    if user is None and block.kind == "parallel" and not (_is_axis(block) and _is_axis(thread)):
        return None
    if user is not None:
        var = user
    elif block.kind == "parallel":
        var = e.Var(_new_name(block, taken), block.var.type)
    else:
        var = e.Var(thread.var.name, block.var.type)
    hi = _extent(block.hi, thread.hi, var, facts)
    if hi is None:
        return None
    stand_in = e.Var(f"{var.name}'", var.type)
    top = facts.interval(facts.poly(hi))[1] - 1
    facts.atoms[stand_in.name] = AtomInfo(0, top, stand_in)
    merger = _Merger(block.var.name, thread.var.name, whole, stand_in, user)
    try:
        body = substitute(merger.body(body, facts), {stand_in.name: var})
    except _Elsewhere:
        return None
    new = replace(block, var=var, lo=e.Const(0, var.type), hi=hi, step=e.Const(1, var.type))
    rest = [new if i == b else one for i, one in enumerate(loops) if i != t]
    out = rebuilt(rest, body)[0]
    assert isinstance(out, s.For)
    return out


AXIS = re.compile(r"(block|thread)_([xyz])(\.\d+)?")


def _is_axis(loop: s.For) -> bool:
    """Whether the loop still has the name that raising gave to an axis of the launch."""
    return AXIS.fullmatch(loop.var.name) is not None


def _new_name(block: s.For, taken: set[str]) -> str:
    """i, j, k for the dimensions x, y, z."""
    axis = AXIS.fullmatch(block.var.name)
    stem = {"x": "i", "y": "j", "z": "k"}[axis.group(2)] if axis else block.var.name
    return fresh_name(stem, set(taken))


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


def _user_variable(body: s.Body, whole: Poly, facts: Facts) -> e.Var | None:
    """The variable that the user declared to be block * size + thread."""
    changing = assigned(body)
    for st in walk(body):
        if not isinstance(st, s.Decl) or st.init is None or st.var.name in changing:
            continue
        if is_int(st.var.type) and facts.poly(st.init) == whole:
            return st.var
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
    users: e.Var | None

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


def hoisted_stride(loop: s.Stmt, facts: Facts) -> s.Body:
    """`loop`, or with a strided loop as its whole body, one loop over everything."""
    if not isinstance(loop, s.For) or not _from_zero(loop):
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
