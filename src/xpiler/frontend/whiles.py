"""`T v = lo; while (v < hi) { ...; v += step; }` is the counting loop that a `for` would be.

Only where nothing else mentions the counter, and no `continue` skips the step.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from xpiler.frontend.counting import counting
from xpiler.frontend.reader import writes
from xpiler.ir.expr import Call, Index, Var
from xpiler.ir.rewrite import rewrite_stmts, walk
from xpiler.ir.stmt import Assign, Body, Case, Continue, Decl, For, Stmt, While


def counted(body: Body, memory: set[str]) -> Body:
    """`body` with such loops as `For`. `memory`: locals that others can write."""
    found = {
        d.var: d
        for block in _blocks(body)
        for k, st in enumerate(block)
        if isinstance(st, While) and (d := _counter(st, block[:k], block[k + 1 :], memory))
    }

    def one(st: Stmt) -> Stmt | Body:
        if isinstance(st, Decl) and st.var in found:
            return ()
        d = found.get(_stepped(st)) if isinstance(st, While) else None  # type: ignore[arg-type]
        return st if d is None else _counts(d, st, memory) or (d, st)  # type: ignore[arg-type]

    return rewrite_stmts(body, one) if found else body


def _blocks(body: Body) -> Iterator[Body]:
    """`body` and every body in it."""
    yield body
    for n in walk(body):
        for name in ("body", "then", "orelse"):
            inner = getattr(n, name, ()) if isinstance(n, (Stmt, Case)) else ()
            if inner:
                yield inner


def _counter(loop: While, before: Body, behind: Body, memory: set[str]) -> Decl | None:
    """The declaration in front of a loop of the variable that counts its turns."""
    v = _stepped(loop)
    at = [k for k, st in enumerate(before) if isinstance(st, Decl) and st.var == v]
    if not at:
        return None
    decl, between = before[at[0]], before[at[0] + 1 :]
    assert isinstance(decl, Decl)
    if any(n == v for n in walk((*between, *behind))) or not _holds(decl, between, memory):
        return None
    return decl if _counts(decl, loop, memory) is not None else None


def _stepped(loop: While) -> Var | None:
    """What the last statement of each turn assigns."""
    last = loop.body[-1] if loop.body and not loop.step and not loop.do else None
    return last.target if isinstance(last, Assign) and isinstance(last.target, Var) else None


def _holds(decl: Decl, between: Body, memory: set[str]) -> bool:
    """Whether the first value is the same behind the statements `between`."""
    written, elsewhere = writes(between)
    parts = list(walk(decl.init)) if decl.init is not None else []
    names = {n.name for n in parts if isinstance(n, Var)}
    read = bool(names & memory) or any(isinstance(n, (Index, Call)) for n in parts)
    return not names & written and not (read and elsewhere)


def _counts(decl: Decl, loop: While, memory: set[str]) -> For | None:
    if any(isinstance(n, Continue) for n in walk(loop.body)):
        return None
    found = counting(decl, replace(loop, body=loop.body[:-1], step=loop.body[-1:]), memory)
    return replace(found, comments=(*decl.comments, *loop.comments)) if found else None
