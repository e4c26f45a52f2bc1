"""Sums that stay in lanes through the loops around them, and are gathered once behind those.

`for r { s_lanes = 0; for c: s_lanes += ..; s += all(s_lanes) }` gathers the lanes once a row. Where
the loop over rows does nothing else with `s`, the lanes may as well stay lanes until it ends.
"""

from __future__ import annotations

from dataclasses import replace

from xpiler.analysis.effects import declared, names_in
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import walk


def gathered_behind(loop: s.For, sums: dict[str, e.Var]) -> s.Body:
    """`loop` with the lanes of `sums` (by their names: what they add up to) declared before it."""
    before: list[s.Stmt] = []
    behind: list[s.Stmt] = []
    for lanes, whole in sums.items():
        found = _pair(loop.body, lanes, whole)
        if found is None or loop.kind != "serial" or not _only_there(loop, whole, found):
            continue
        loop = replace(loop, body=_without(loop.body, found))
        before.append(found[0])
        behind.append(found[1])
    return (*before, loop, *behind)


def _pair(body: s.Body, lanes: str, whole: e.Var) -> tuple[s.Stmt, s.Stmt] | None:
    """Where the lanes start and where they are gathered: in `body` or under conditions in it."""
    starts = [st for st in body if isinstance(st, s.Decl) and st.var.name == lanes]
    ends = [
        st
        for st in body
        if isinstance(st, s.Assign) and st.target == whole and lanes in names_in(st.value)
    ]
    if len(starts) == len(ends) == 1:
        return starts[0], ends[0]
    inner = (b for st in body if isinstance(st, s.If) for b in (st.then, st.orelse))
    return next((p for b in inner if (p := _pair(b, lanes, whole)) is not None), None)


def _only_there(loop: s.For, whole: e.Var, pair: tuple[s.Stmt, s.Stmt]) -> bool:
    """Whether nothing else in `loop` asks for the sum, which lives on behind it."""

    def uses(st: s.Stmt) -> int:
        return sum(1 for n in walk(st) if isinstance(n, e.Var) and n == whole)

    start = pair[0]
    assert isinstance(start, s.Decl)
    assert start.init is not None
    lives_on = whole.name not in declared(loop.body)
    free = names_in(start.init) <= {whole.name}
    return lives_on and free and uses(loop) == sum(map(uses, pair))


def _without(body: s.Body, gone: tuple[s.Stmt, ...]) -> s.Body:
    return tuple(
        replace(st, then=_without(st.then, gone), orelse=_without(st.orelse, gone))
        if isinstance(st, s.If)
        else st
        for st in body
        if not any(st is g for g in gone)
    )
