"""Registers that only carry a result to its variable: the variable is computed in place."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from xpiler.frontend.reader import root_name
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import children, substitute, walk
from xpiler.ir.types import Vector


def joined(body: s.Body) -> s.Body:
    """`body` with `d[i] = ..; x = d` as `x[i] = ..`, where `d` is used for nothing else."""
    return _bodies(body, _named(body))


def _bodies(body: s.Body, uses: Counter[str]) -> s.Body:
    out: list[s.Stmt] = []
    for st in body:
        if isinstance(st, (s.For, s.Scope)):
            st = replace(st, body=_bodies(st.body, uses))
        elif isinstance(st, s.While):
            st = replace(st, body=_bodies(st.body, uses), step=_bodies(st.step, uses))
        elif isinstance(st, s.If):
            st = replace(st, then=_bodies(st.then, uses), orelse=_bodies(st.orelse, uses))
        elif isinstance(st, s.Switch):
            cases = tuple(replace(c, body=_bodies(c.body, uses)) for c in st.cases)
            st = replace(st, cases=cases)
        out.append(st)
    return _joined(tuple(out), uses)


def _joined(body: s.Body, uses: Counter[str]) -> s.Body:
    """One list of statements."""
    out: list[s.Stmt] = []
    for st in body:
        new = _carried(out, st, uses)
        if new is None:
            out.append(st)
            continue
        same = sum(1 for a, b in zip(out, new, strict=False) if a is b)
        uses.subtract(_named((*out[same:], st)))
        uses.update(_named(tuple(new[same:])))
        out = new
    return tuple(out)


def _named(body: s.Body) -> Counter[str]:
    """How often statements name each variable."""
    return Counter(n.name for n in walk(body) if isinstance(n, e.Var))


def _carried(before: list[s.Stmt], st: s.Stmt, uses: Counter[str]) -> list[s.Stmt] | None:
    """The statements with `st`, a move out of a result, taken into those that computed it."""
    target, value = _move(st)
    result = value.x if isinstance(value, e.Bits) else value
    if target is None or not isinstance(result, e.Var) or not isinstance(result.type, Vector):
        return None
    at = next(
        (k for k in range(len(before) - 1, -1, -1) if _declares(before[k], result.name)), None
    )
    if at is None or len(before) - at > 12:
        return None
    if _named(tuple(before[at:]))[result.name] + 1 != uses[result.name]:
        return None
    place: e.Expr = target if target.type == result.type else e.Bits(target, result.type)
    computing = substitute(tuple(before[at + 1 :]), {result.name: place})
    if isinstance(st, s.Decl):
        if any(isinstance(n, e.Var) and n == st.var for n in walk(tuple(before[at + 1 :]))):
            return None
        declared = replace(st, init=None, const=False)
        return [*before[:at], declared, *computing]
    if not _in_step(before[at + 1 :], result, target):
        return None
    first = replace(computing[0], comments=(*st.comments, *computing[0].comments))
    return [*before[:at], first, *computing[1:]]


def _move(st: s.Stmt) -> tuple[e.Expr | None, e.Expr | None]:
    if isinstance(st, s.Decl) and isinstance(st.var.type, Vector):
        return st.var, st.init
    if isinstance(st, s.Assign) and isinstance(st.target.type, Vector) and not st.op:
        return st.target, st.value
    return None, None


def _declares(st: s.Stmt, name: str) -> bool:
    return isinstance(st, s.Decl) and st.var.name == name and st.init is None


def _in_step(computing: list[s.Stmt], result: e.Var, target: e.Expr) -> bool:
    """Whether one loop computes lane i of the result from lane i of the target, if from it at all.

    The target must be a variable or an element of an array of registers with a fixed index.
    """
    name = root_name(target)
    if name is None or len(computing) != 1:
        return False
    loop = computing[0]
    if (
        not isinstance(loop, s.For)
        or len(loop.body) != 1
        or loop.kind not in ("serial", "parallel")
    ):
        return False
    st = loop.body[0]
    if not isinstance(st, s.Assign) or not isinstance(st.target, e.Index):
        return False
    written = {root_name(st.target)}
    if st.target.base != result or st.target.index != loop.var or written != {result.name}:
        return False
    assert isinstance(result.type, Vector)
    return _only_lane(st.value, name, target, loop.var, result.type)


def _only_lane(x: e.Expr, name: str, target: e.Expr, v: e.Var, t: Vector) -> bool:
    """Whether `x` reads of the variable `name` only lane `v` of `target`, as wide as `t`'s."""
    if isinstance(x, e.Index) and isinstance(x.base.type, Vector):
        base = x.base.x if isinstance(x.base, e.Bits) else x.base
        if base == target:
            return x.index == v and x.base.type.elem.bits == t.elem.bits
    if isinstance(x, e.Var):
        return x.name != name
    kids = (c for c in children(x) if isinstance(c, e.Expr))
    return all(_only_lane(k, name, target, v, t) for k in kids)
