"""Loops that deal out their work with a stride become loops over all of it, in order.

`parallel for t in [0, S) { for i in [t, n) step S { .. i .. } }` and
`parallel for t in [0, S) { for j in [0, n) step S { .. t + j .. } }` are `for i in [0, n)`: every
index occurs once, and each t meets its own in the same order as before. Other parallel loops may
stand between the two.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from xpiler.analysis.affine import to_expr
from xpiler.analysis.dependence import independent
from xpiler.analysis.effects import assigned, escapes, names_in, of_expr
from xpiler.analysis.poly import ONE, Poly, atom
from xpiler.analysis.ranges import Facts
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import substitute
from xpiler.passes.cleanup.base import after, changed, inside, sentence
from xpiler.passes.cleanup.nests import (
    Elsewhere,
    Merger,
    Nest,
    chain,
    from_zero,
    plain,
    rebuilt,
    simple,
)
from xpiler.passes.cleanup.nests import stand_in as new_atom


@dataclass(frozen=True)
class _Strided:
    """A nest around one strided loop: declarations and conditions on the way, the loop itself."""

    nest: Nest
    before: s.Body
    sunk: s.Body
    conds: tuple[s.If, ...]
    inner: s.For


def unstrided(loop: s.For, facts: Facts, axes: set[str]) -> s.Body | None:
    """The nest that starts at `loop` without its stride; None where it has none.

    `axes` gets the variable of a loop that took the place of an axis.
    """
    found = _find(loop)
    if found is None:
        return None
    known = facts
    for st in found.before:
        known = after(st, known)
    for k, t in enumerate(found.nest.loops):
        if not from_zero(t):
            continue
        mark = known.mark()
        new = _dealt(found, t, known)
        if new is None and (new := _offset(found, t, known)) is not None:
            axes.add(new.var.name)
        if new is not None:
            return (*found.before, *_placed(found, k, new, known))
        known.forget(mark)
    return None


def _find(loop: s.For) -> _Strided | None:
    nest = chain(loop)
    names = {lp.var.name for lp in nest.loops}
    before: list[s.Stmt] = list(nest.before)
    sunk: list[s.Stmt] = []
    conds: list[s.If] = []
    body = nest.body
    while True:
        *decls, last = body or (None,)
        if not all(_movable(d, nest.body) for d in decls):
            return None
        for d in decls:
            assert isinstance(d, s.Decl)
            free = not conds and not of_expr(d.init or e.Const(0, d.var.type)).reads & names
            (before if free else sunk).append(d)
            names |= set() if free else {d.var.name}
        if isinstance(last, s.If) and not last.orelse and simple(last.cond, nest.body):
            conds.append(last)
            body = last.then
            continue
        if not isinstance(last, s.For) or last.kind == "parallel":
            return None
        return _Strided(nest, tuple(before), tuple(sunk), tuple(conds), last)


def _movable(d: s.Stmt | None, body: s.Body) -> bool:
    if not isinstance(d, s.Decl) or d.init is None or d.var.name in assigned(body):
        return False
    return plain(d.init) and not names_in(d.init) & assigned(body)


def _inside_all(found: _Strided, facts: Facts) -> Facts:
    for lp in found.nest.loops:
        facts = inside(lp, facts)
    for st in found.sunk:
        facts = after(st, facts)
    return facts


def _applicable(found: _Strided, t: s.For, within: Facts) -> bool:
    """The stride is the extent of `t`, and nothing leaves the strided loop early."""
    stride = within.poly(found.inner.step)
    if stride == ONE or stride != within.poly(t.hi):
        return False
    return not escapes(found.inner.body, in_loop=True)


def _runs(t: s.For, lo: Poly, hi: Poly, facts: Facts) -> bool:
    """There is a thread to do the work wherever there is work."""
    stride = facts.poly(t.hi)
    if facts.with_fact(hi - lo - 1).positive(stride):
        return True
    return facts.assume(f"{sentence(t.hi)} is at least 1", stride - 1)


def _dealt(found: _Strided, t: s.For, facts: Facts) -> s.For | None:
    """The loop that starts at `t` itself."""
    v, inner = t.var.name, found.inner
    others = (*found.sunk, *(c.cond for c in found.conds), inner.hi, inner.step)
    if any(v in names_in(x) for x in (*others, inner.body)):
        return None
    within = _inside_all(found, facts)
    start = within.poly(inner.lo) - atom(v)
    if v in start.atoms() or not _applicable(found, t, within):
        return None
    lo = to_expr(within, start, inner.var.type)
    if lo is None or not _runs(t, start, within.poly(inner.hi), facts):
        return None
    return changed(inner, lo=lo, step=e.Const(1, inner.var.type))


def _offset(found: _Strided, t: s.For, facts: Facts) -> s.For | None:
    """The loop whose variable is only used in a sum with `t`."""
    inner, v = found.inner, t.var.name
    within = _inside_all(found, facts)
    if v in names_in((inner.lo, inner.hi, inner.step)) or not _applicable(found, t, within):
        return None
    tied = {v} | _values(found.sunk, v).keys()
    if any(tied & names_in(c.cond) for c in found.conds):
        return None
    lo, hi, stride = (within.poly(x) for x in (inner.lo, inner.hi, inner.step))
    whole_rounds = within.quotient(hi - lo, stride) * stride == hi - lo
    if not whole_rounds or not _runs(t, lo, hi, facts):
        return None
    deeper = inside(inner, within)
    both = new_atom(inner.var, deeper, within.interval(hi)[1])
    merger = Merger(inner.var.name, v, atom(inner.var.name) + atom(v), both, None)
    try:
        body = merger.body(substitute(inner.body, _values(found.sunk, v)), deeper)
    except Elsewhere:
        return None
    body = substitute(body, {both.name: inner.var})
    return replace(inner, step=e.Const(1, inner.var.type), body=body)


def _values(decls: s.Body, v: str) -> dict[str, e.Expr]:
    """The declarations that depend on `v`, as expressions."""
    out: dict[str, e.Expr] = {}
    for d in decls:
        assert isinstance(d, s.Decl)
        if names_in(d) & ({v} | out.keys()) and d.init is not None:
            out[d.var.name] = substitute(d.init, out)
    return out


def _placed(found: _Strided, k: int, new: s.For, facts: Facts) -> s.Body:
    """The new loop in the place of loop `k`; declarations and conditions go inside."""
    t = found.nest.loops[k].var.name
    body: s.Body = new.body
    for c in reversed(found.conds):
        body = (replace(c, then=body),)
    gone = _values(found.sunk, t)
    body = (*(d for d in found.sunk if not names_in(d) & gone.keys()), *body)
    outer, after_t = found.nest.loops[:k], found.nest.loops[k + 1 :]
    if names_in((new.lo, new.hi)) & {lp.var.name for lp in after_t}:
        return rebuilt([*outer, *after_t], (replace(new, body=body),))
    new = replace(new, body=rebuilt(after_t, body))
    for lp in outer:
        facts = inside(lp, facts)
    kind: s.LoopKind = "parallel" if independent(new, facts) else "serial"
    comments = (*found.nest.loops[k].comments, *new.comments)
    return rebuilt(outer, (replace(new, kind=kind, comments=comments),))
