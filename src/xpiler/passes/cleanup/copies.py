"""The copies between lanes' arrays at the end of a loop over lanes, as a loop of their own."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from xpiler.analysis.effects import escapes, names_in, root, stored
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import fresh_name, substitute, walk
from xpiler.passes.cleanup.fold import int_value


def parted_copies(st: s.Stmt, arrays: Collection[str], taken: set[str]) -> s.Body:
    """`for t { A; x[t] = y[t]; }` as `for t A; for t x[t] = y[t]`, where the order is the same.

    `x` and `y` are among `arrays`; no lane touches another's element of them in A. The new loop's
    variable is added to `taken`.
    """
    if not isinstance(st, s.For) or int_value(st.lo) is None or int_value(st.hi) is None:
        return (st,)
    k = len(st.body)
    while k and _is_copy(st.body[k - 1], st.var, arrays):
        k -= 1
    head, tail = st.body[:k], st.body[k:]
    if not head or not tail or escapes(st.body):
        return (st,)
    if stored(tail) & names_in(head) or not all(_own(head, st.var, a) for a in _read(tail)):
        return (st,)
    var = replace(st.var, name=fresh_name(st.var.name, taken))
    taken.add(var.name)
    again = substitute(tail, {st.var.name: var})
    return (replace(st, body=head), replace(st, var=var, body=again, comments=()))


def _is_copy(st: s.Stmt, lane: e.Var, arrays: Collection[str]) -> bool:
    """`x[lane] = y[lane]`."""
    if not isinstance(st, s.Assign) or st.op:
        return False
    return _element(st.target, lane, arrays) and _element(st.value, lane, arrays)


def _element(x: e.Expr, lane: e.Var, arrays: Collection[str]) -> bool:
    mine = isinstance(x, e.Index) and isinstance(x.base, e.Var) and x.base.name in arrays
    return mine and x.index == lane  # type: ignore[attr-defined]


def _read(tail: s.Body) -> set[str]:
    return {root(st.value) for st in tail if isinstance(st, s.Assign)}


def _own(body: s.Body, lane: e.Var, array: str) -> bool:
    """Whether `body` names `array` only to subscript it with `lane`."""
    named = sum(isinstance(n, e.Var) and n.name == array for n in walk(body))
    own = sum(_element(n, lane, (array,)) for n in walk(body) if isinstance(n, e.Expr))
    return named == own
