"""What every thread of a block works out alike is worked out once, in front of the loop over them.

Threads often repeat a small reduction each for itself (the maximum of a row in shared memory). In
a loop whose iterations may run at once none sees what another writes, so that all of them find the
same values, and one may find them for all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from xpiler.analysis.effects import NONE, declared, is_memory, names_in, of_expr, of_stmt
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import walk
from xpiler.ir.types import Scalar
from xpiler.passes.cleanup.base import Context, each_function
from xpiler.passes.cleanup.bodies import each_body
from xpiler.passes.cleanup.fold import int_value


@dataclass(frozen=True)
class Alike:
    """Statements that do not depend on the iteration leave parallel loops of constant length."""

    name: str = "alike"

    def apply(self, program: Program, ctx: Context) -> Program:
        def one(f: Function) -> Function:
            body = each_body(f.body, _hoisted)
            return replace(f, body=body) if body is not f.body else f

        return each_function(program, one)


def _hoisted(body: s.Body) -> s.Body:
    out: list[s.Stmt] = []
    for st in body:
        inner = _guarded(st) if isinstance(st, s.For) and _runs(st) else None
        if inner is not None:
            assert isinstance(st, s.For)
            (guard,) = st.body
            assert isinstance(guard, s.If)
            out.append(replace(guard, then=_hoisted((inner,))))
            continue
        first = _first(st) if isinstance(st, s.For) and _runs(st) else ()
        if first and isinstance(st, s.For):
            out += first
            rest = tuple(x for x in st.body if not any(x is y for y in first))
            st = replace(st, body=rest)
        out.append(st)
    same = len(out) == len(body) and all(a is b for a, b in zip(out, body, strict=True))
    return body if same else tuple(out)


def _guarded(loop: s.For) -> s.For | None:
    """The loop below a condition that all iterations share, where there is work to get out of it.

    Elsewhere the condition may stay: loops that stand close are joined.
    """
    guard = loop.body[0] if len(loop.body) == 1 else None
    if not isinstance(guard, s.If) or guard.orelse:
        return None
    own = {loop.var.name, *declared(loop.body)}
    changed = of_stmt(loop).writes & names_in(guard.cond)
    if of_expr(guard.cond).other or names_in(guard.cond) & own or changed:
        return None
    inner = replace(loop, body=guard.then, comments=())
    return inner if _first(inner) else None


def _runs(st: s.For) -> bool:
    """Whether it is a parallel loop of constant length, and not empty."""
    lo, hi = int_value(st.lo), int_value(st.hi)
    return st.kind == "parallel" and lo is not None and hi is not None and lo < hi


def _first(loop: s.For) -> s.Body:
    """The statements that are the same in each iteration; none unless they work for it."""
    kept: set[str] = set()  # variables that the rest changes
    while True:
        found = _alike(loop, kept)
        own = {st.var.name for st in found if isinstance(st, s.Decl)}
        rest = [st for st in loop.body if not any(st is x for x in found)]
        changed = {n for st in rest for n in of_stmt(st).writes} & own
        if not changed:
            works = any(isinstance(n, s.For) for st in found for n in walk(st))
            return found if works and rest else ()
        kept |= changed


def _alike(loop: s.For, kept: set[str]) -> s.Body:
    """Statements that read nothing of the iteration's and set nothing but their own variables."""
    found: list[s.Stmt] = []
    own: set[str] = set()
    skipped, hidden = NONE, {loop.var.name}
    for st in loop.body:
        effects = of_stmt(st)
        inner = set(declared((st,)))
        good = (
            not (effects.other or effects.jumps)
            and isinstance(st, (s.Decl, s.For))
            and (not isinstance(st, s.Decl) or _is_value(st))
            and effects.writes <= own | inner | _loops(st)
            and not inner & kept
            and not (names_in(st) | effects.reads) & (hidden | skipped.writes)
        )
        if good:
            found.append(st)
            own |= inner if isinstance(st, s.Decl) else set()
            continue
        if any(isinstance(n, s.Assign) and is_memory(n.target) for n in walk(st)):
            break  # behind it memory may be another
        if effects.other or effects.jumps:
            break  # what follows may not run
        skipped |= effects
        hidden |= inner
    return tuple(found)


def _is_value(st: s.Decl) -> bool:
    return isinstance(st.var.type, Scalar) and st.init is not None and st.space == "local"


def _loops(st: s.Stmt) -> set[str]:
    return {n.var.name for n in walk(st) if isinstance(n, s.For)}


__all__ = ["Alike"]
