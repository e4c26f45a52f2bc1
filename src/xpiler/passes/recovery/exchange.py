"""Lets neighbouring shuffles share one meeting of the lanes.

`a = shfl(x); b = shfl(y)` would cut the warp's loop twice. Where the second value does not depend
on the first result and no memory is touched in between, both are put down before one meeting.
"""

from __future__ import annotations

from xpiler.ir import stmt as s
from xpiler.passes.recovery import nodes as n
from xpiler.passes.recovery.memory import read_by, touched, written_by
from xpiler.passes.recovery.regions import is_bare


def join_exchanges(body: s.Body, exchanges: set[str], local: set[str]) -> s.Body:
    """`body` with shuffles joined; `exchanges` are the variables that lanes read of each other."""

    def inner(st: s.Stmt) -> s.Stmt:
        nested = n.bodies(st)
        new = [join_exchanges(b, exchanges, local) for b in nested]
        return n.with_bodies(st, new) if new != nested else st

    out = [inner(st) for st in body]
    second = len(out) - 1
    while second > 0:
        first = max((k for k in range(second) if _is_exchange(out[k])), default=None)
        if first is None:
            break
        moved = _split_segment(out[first + 1 : second], exchanges, local)
        if _is_exchange(out[second]) and moved is not None:
            early, rest = moved
            out[first : second + 1] = [*early, out[first], *rest]
            second = first + len(early)
        else:
            second = first if _is_exchange(out[second]) else second - 1
    return tuple(out)


def _is_exchange(st: s.Stmt) -> bool:
    return isinstance(st, n.Split) and st.exchange


def _split_segment(
    segment: list[s.Stmt], exchanges: set[str], local: set[str]
) -> tuple[list[s.Stmt], list[s.Stmt]] | None:
    """The segment as what may come before the first meeting and what stays; None if not so."""
    early: list[s.Stmt] = []
    rest: list[s.Stmt] = []
    for st in segment:
        if not isinstance(st, (s.Decl, s.Assign, n.Guard)):
            return None
        uses, defs = touched((st,))
        if is_bare(st) or (defs and defs <= exchanges):
            rest_uses, rest_defs = touched(tuple(rest))
            if uses & rest_defs or defs & (rest_uses | rest_defs):
                return None
            early.append(st)
        else:
            rest.append(st)
    quiet = not (read_by(tuple(rest), local) | written_by(tuple(rest), local))
    return (early, rest) if quiet else None
