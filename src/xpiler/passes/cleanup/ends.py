"""Values that a function or an iteration gives to its variables last, and that nobody reads."""

from __future__ import annotations

from dataclasses import replace

from xpiler.analysis.effects import declared, is_memory, names_in, of_expr
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function
from xpiler.ir.rewrite import walk


def without_last_values(f: Function) -> Function:
    """`f` without assignments to its variables that no statement behind them can read."""
    lent = {n.x.name for n in walk(f.body) if isinstance(n, e.AddressOf) and isinstance(n.x, e.Var)}
    own = {p.name for p in f.params} | set(declared(f.body))
    body, _ = _cut(f.body, set(), frozenset(own - lent))
    return f if body == f.body else f.with_body(body)


def _cut(body: s.Body, live: set[str], own: frozenset[str]) -> tuple[s.Body, set[str]]:
    """`body` without what is not read behind it, where `live` is; what its start reads."""
    out: list[s.Stmt] = []
    live = set(live)
    for st in reversed(body):
        if _unread(st, live, own):
            continue
        new: s.Stmt = st
        if isinstance(st, s.If):
            then, first = _cut(st.then, live, own)
            orelse, second = _cut(st.orelse, live, own)
            live = first | second | names_in(st.cond)
            kept = (then, orelse) == (st.then, st.orelse)
            new = st if kept else replace(st, then=then, orelse=orelse)
        elif isinstance(st, s.Scope):
            inner, live = _cut(st.body, live, own)
            new = st if inner == st.body else replace(st, body=inner)
        else:
            if isinstance(st, (s.For, s.While)):
                new = _iteration(st, own)
            live |= names_in(new)
        out.append(new)
    return tuple(reversed(out)), live


def _iteration(st: s.For | s.While, own: frozenset[str]) -> s.Stmt:
    """The loop without what its iterations leave in variables of their own."""
    after = names_in((st.cond, *st.step)) if isinstance(st, s.While) else frozenset[str]()
    body, _ = _cut(st.body, set(after), own & frozenset(declared(st.body)))
    return st if body == st.body else replace(st, body=body)


def _unread(st: s.Stmt, live: set[str], own: frozenset[str]) -> bool:
    """Whether `st` only gives a value to a variable that is not read any more."""
    if not isinstance(st, s.Assign) or not isinstance(st.target, e.Var) or is_memory(st.target):
        return False
    name = st.target.name
    return name not in live and name in own and not of_expr(st.value).other


__all__ = ["without_last_values"]
