"""A loop that tries again until nobody interferes succeeds at once where nobody does.

`old = *p; do { seen = old; old = *p; *p = old == seen ? f(seen) : old; } while (seen != old)`,
which is what compare-and-swap loops have become, is `old = *p; seen = old; old = *p; *p = f(seen)`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from xpiler.analysis.effects import assigned, escapes, is_memory, names_in
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Program
from xpiler.ir.rewrite import walk
from xpiler.ir.types import Scalar
from xpiler.passes.cleanup.base import Context, each_function
from xpiler.passes.cleanup.bodies import each_body


@dataclass(frozen=True)
class Retries:
    """One turn instead of the loop."""

    name: str = "retries"

    def apply(self, program: Program, ctx: Context) -> Program:
        def known(body: s.Body) -> s.Body:
            return tuple(x for k, st in enumerate(body) for x in _once(st, body[:k]))

        if not any(isinstance(n, s.While) and n.do for f in program.functions
                   for n in walk(f.body)):  # fmt: skip
            return program
        return each_function(program, lambda f: f.with_body(each_body(f.body, known)))


def _once(st: s.Stmt, before: s.Body) -> s.Body:
    """The one turn that a loop takes, which stands after `before`; `st` itself otherwise."""
    if not isinstance(st, s.While) or not st.do or st.step or escapes(st.body, in_loop=True):
        return (st,)
    pair = _compared(st.cond, "!=")
    swap = st.body[-1] if st.body else None
    if pair is None or not isinstance(swap, s.Assign) or swap.op or not is_memory(swap.target):
        return (st,)
    place, value = swap.target, swap.value
    for seen, old in (pair, pair[::-1]):
        if _turn(st.body[:-1], seen, old, place) and _read(before, old, place):
            new = _stored(value, seen, old)
            if new is not None:
                first = replace(st.body[0], comments=(*st.comments, *st.body[0].comments))
                return (first, *st.body[1:-1], replace(swap, value=new))
    return (st,)


def _compared(x: e.Expr, op: str) -> tuple[e.Var, e.Var] | None:
    """Two whole numbers of which `x` asks whether they are equal."""
    if not isinstance(x, e.Binary) or x.op != op:
        return None
    a, b = x.a, x.b
    whole = isinstance(a.type, Scalar) and a.type.is_integer
    return (a, b) if whole and isinstance(a, e.Var) and isinstance(b, e.Var) else None


def _stored(x: e.Expr, seen: e.Var, old: e.Var) -> e.Expr | None:
    """`f` of `old == seen ? f : old`."""
    if not isinstance(x, e.Select) or x.b != old:
        return None
    pair = _compared(x.cond, "==")
    return x.a if pair is not None and set(pair) == {seen, old} else None


def _turn(body: s.Body, seen: e.Var, old: e.Var, place: e.Expr) -> bool:
    """Whether `body` is `seen = old; ..; old = place`, and computes values in between."""
    if len(body) < 2 or body[0] != replace(body[0], target=seen, value=old, op=""):  # type: ignore[call-arg]
        return False
    if body[-1] != replace(body[-1], target=old, value=place, op=""):  # type: ignore[call-arg]
        return False
    values = all(isinstance(x, s.Decl) and _plain(x.init) for x in body[1:-1])
    return values and not {seen.name, old.name} & names_in(place)


def _plain(x: e.Expr | None) -> bool:
    return x is None or not any(isinstance(n, (e.Call, e.Index)) for n in walk(x))


def _read(before: s.Body, old: e.Var, place: e.Expr) -> bool:
    """Whether `old` is what lies in `place`, at the end of `before`."""
    for st in reversed(before):
        if isinstance(st, s.Decl) and st.var == old:
            return st.init == place
        if isinstance(st, s.Assign) and st.target == old:
            return not st.op and st.value == place
        if not isinstance(st, s.Decl) or not _plain(st.init) or assigned((st,)) & names_in(place):
            return False
    return False
