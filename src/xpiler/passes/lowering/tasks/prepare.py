"""Before a kernel's loops are looked at: calls as values, doubles, pointers that move."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce

import numpy as np

from xpiler.analysis.effects import assigned, has_jump, is_memory, names_in
from xpiler.analysis.ranges import is_int
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, StructDef
from xpiler.ir.rewrite import fresh_name, rewrite_exprs, rewrite_stmts, substitute, walk
from xpiler.ir.types import BF16, BOOL, F16, F32, F64, I32, U32, Pointer, Scalar, Type
from xpiler.passes.cleanup.values import valued
from xpiler.passes.lowering.tasks.fields import in_fields
from xpiler.passes.recovery.inline import inline

LONGEST = 600
"""Nodes of a function whose statements still replace a call."""


def prepared(
    body: s.Body,
    functions: Mapping[str, Function],
    taken: set[str],
    structs: Sequence[StructDef] = (),
) -> s.Body:
    """`body` in a form that more loops can be vectorised in; its meaning stays."""
    body = inline(valued(body, functions), straight(functions), taken)
    body = narrowed(in_fields(body, structs, taken))
    body = rewrite_stmts(body, lambda st: _as_branches(st, taken))
    body = _versions(body, taken)
    out: s.Body = rewrite_stmts(body, lambda st: _clamped(_one_store(st)))
    out = rewrite_stmts(out, lambda st: _named_places(st, taken))
    return out


# -- functions that only compute ------------------------------------------------------------------


def straight(functions: Mapping[str, Function]) -> dict[str, Function]:
    """Functions whose control is plain and that only call such ones: lanes run them together."""
    found = {}
    for name, f in functions.items():
        nodes = list(walk(f.body))
        if len(nodes) <= LONGEST and not any(map(_rolls, nodes)):
            found[name] = f
    while True:
        own = set(functions)
        bad = {n for n, f in found.items() if _called(f) & own - set(found) or n in _called(f)}
        if not bad:
            return found
        found = {n: f for n, f in found.items() if n not in bad}


def _rolls(n: object) -> bool:
    if isinstance(n, s.For):
        return not (isinstance(n.lo, e.Const) and isinstance(n.hi, e.Const))
    return isinstance(n, (s.While, s.Instr, s.Barrier, s.Launch, s.LeftOut))


def _called(f: Function) -> set[str]:
    return {n.func for n in walk(f.body) if isinstance(n, e.Call)}


# -- doubles between floats -----------------------------------------------------------------------


def narrowed(body: s.Body) -> s.Body:
    """Single operations of floats in double precision, in float where the result is the same.

    A sum, product, quotient or square root of floats, rounded to double and then to float, is the
    one rounded to float at once (double has more than twice as many bits); comparisons are exact.
    """

    def one(x: e.Expr) -> e.Expr:
        if isinstance(x, e.Call) and x.func == "sqrt" and x.type == F64:
            known = x.args[0]
            plain = isinstance(known, e.Const) and known.value >= 0
            return e.Const(math.sqrt(known.value), F64) if plain else x  # type: ignore[attr-defined]
        if isinstance(x, e.Cast) and x.type == F32 and x.x.type == F64:
            return _in_float(x.x) or x
        if isinstance(x, e.Binary) and x.op in e.COMPARISONS and x.a.type == F64:
            a, b = _as_float(x.a), _as_float(x.b)
            return replace(x, a=a, b=b) if a is not None and b is not None else x
        return x

    out: s.Body = rewrite_exprs(body, one)
    return out


def _in_float(x: e.Expr) -> e.Expr | None:
    """(float)x without a double; None where that is something else."""
    if isinstance(x, e.Binary) and x.op in ("+", "-", "*", "/"):
        a, b = _as_float(x.a), _as_float(x.b)
        return None if a is None or b is None else e.Binary(x.op, a, b, F32)
    if isinstance(x, e.Unary) and x.op == "-":
        a = _as_float(x.x)
        return None if a is None else e.Unary("-", a, F32)
    if isinstance(x, e.Call) and x.func in ("sqrt", "abs", "floor", "ceil", "trunc"):
        a = _as_float(x.args[0])
        return None if a is None else e.Call(x.func, (a,), F32)
    return None


def _as_float(x: e.Expr) -> e.Expr | None:
    """A double that is a float for certain, as one."""
    if isinstance(x, e.Cast) and x.x.type in (F32, F16, BF16):
        return x.x if x.x.type == F32 else e.Cast(x.x, F32)
    if isinstance(x, e.Const) and float(np.float32(x.value)) == x.value:
        return e.Const(float(x.value), F32)
    return None


# -- pointers that move in straight lines ---------------------------------------------------------


def steady_pointers(f: Function) -> Function:
    """`f` with pointers that keep their value where they move in a straight line."""
    taken = {p.name for p in f.params} | set(names_in(f.body))
    return f.with_body(_versions(f.body, taken))


def _versions(body: s.Body, taken: set[str]) -> s.Body:
    """Every assignment of a pointer or integer beside its declaration declares a new one."""

    def inner(st: s.Stmt) -> s.Stmt:
        for name in ("body", "then", "orelse"):
            own = getattr(st, name, None)
            if isinstance(own, tuple) and own and isinstance(own[0], s.Stmt):
                st = replace(st, **{name: _straight(own, taken)})  # type: ignore[arg-type]
        return st

    new: s.Body = rewrite_stmts(body, inner)
    return _straight(new, taken)


def _straight(body: s.Body, taken: set[str]) -> s.Body:
    for k, st in enumerate(body):
        if not isinstance(st, s.Decl) or st.init is None or not _steps(st.var.type):
            continue
        own = [n for n in body[k + 1 :] if _moves(n, st.var.name)]
        inside = [n for n in body[k + 1 :] if n not in own and st.var.name in assigned((n,))]
        if own and not inside and not _addressed(body, st.var.name):
            body = (*body[: k + 1], *_renamed(body[k + 1 :], st.var, taken))
    return body


def _steps(t: Type) -> bool:
    return isinstance(t, Pointer) or is_int(t)


def _moves(st: s.Stmt, name: str) -> bool:
    return isinstance(st, s.Assign) and isinstance(st.target, e.Var) and st.target.name == name


def _addressed(body: s.Body, name: str) -> bool:
    return any(
        isinstance(n, e.AddressOf) and isinstance(n.x, e.Var) and n.x.name == name
        for n in walk(body)
    )


def _renamed(body: s.Body, var: e.Var, taken: set[str]) -> s.Body:
    now = var
    out: list[s.Stmt] = []
    for st in body:
        if isinstance(st, s.Assign) and _moves(st, var.name):
            step = e.Binary(st.op, st.target, st.value, var.type) if st.op else st.value
            value = substitute(step, {var.name: now})
            now = e.Var(fresh_name(var.name.split(".")[0], taken), var.type)
            out.append(s.Decl(now, value, const=True, loc=st.loc, comments=st.comments))
        else:
            out.append(substitute(st, {var.name: now}) if now != var else st)
    return tuple(out)


# -- rows whose number is data ---------------------------------------------------------------------


def _named_places(st: s.Stmt, taken: set[str]) -> s.Stmt | s.Body:
    """`T *row = a + k[i] * n` as `at = k[i] * n; row = a + at`: a load, then a row like others."""
    if not isinstance(st, s.Decl) or not isinstance(st.var.type, Pointer) or st.init is None:
        return st
    front: list[s.Stmt] = []

    def named(x: e.Expr) -> e.Expr:
        if not is_int(x.type) or not any(isinstance(n, e.Index) for n in walk(x)):
            return x
        at = e.Var(fresh_name("at", taken), x.type)
        front.append(s.Decl(at, x, const=True))
        return at

    def go(x: e.Expr) -> e.Expr:
        if isinstance(x, e.AddressOf) and isinstance(x.x, e.Index):
            place = x.x
            return replace(x, x=replace(place, base=go(place.base), index=named(place.index)))
        if isinstance(x, e.Binary) and isinstance(x.type, Pointer) and x.op in ("+", "-"):
            return replace(x, a=go(x.a), b=named(x.b))
        return replace(x, x=go(x.x)) if isinstance(x, e.Cast) else x

    init = go(st.init)
    return (*front, replace(st, init=init)) if front else st


# -- arms of a switch ------------------------------------------------------------------------------


def _as_branches(st: s.Stmt, taken: set[str]) -> s.Stmt | s.Body:
    """A switch on a number as branches, where no arm is left early."""
    if not isinstance(st, s.Switch) or not isinstance(st.value.type, Scalar):
        return st
    if any(has_jump(c.body) for c in st.cases):
        return st
    found = _resolved(st, st.value, 6)
    if found is not None:
        return found
    value = e.Var(fresh_name("chosen", taken), st.value.type)
    rest: s.Body = next((c.body for c in st.cases if not c.values), ())
    for case in reversed([c for c in st.cases if c.values]):
        conds = [e.compare("==", value, e.Const(v, value.type)) for v in case.values]
        cond = reduce(lambda a, b: e.Binary("||", a, b, BOOL), conds)
        rest = (s.If(cond, case.body, rest),)
    return (s.Decl(value, st.value, const=True, loc=st.loc, comments=st.comments), *rest)


def _resolved(st: s.Switch, x: e.Expr, leaves: int) -> s.Body | None:
    """The arms for a choice of constants, by the conditions of that."""
    if isinstance(x, e.Cast):
        return _resolved(st, x.x, leaves)
    if isinstance(x, e.Const):
        known = [c.body for c in st.cases if x.value in c.values]
        return known[0] if known else next((c.body for c in st.cases if not c.values), ())
    if not isinstance(x, e.Select) or leaves <= 1:
        return None
    a, b = _resolved(st, x.a, leaves // 2), _resolved(st, x.b, leaves // 2)
    return None if a is None or b is None else (s.If(x.cond, a, b, loc=st.loc),)


# -- one store instead of two ---------------------------------------------------------------------


def _one_store(st: s.Stmt) -> s.Stmt:
    """`if (c) a = x; else a = y;` stores one of two values."""
    if not (isinstance(st, s.If) and len(st.then) == len(st.orelse) == 1):
        return st
    a, b = st.then[0], st.orelse[0]
    if not (isinstance(a, s.Assign) and isinstance(b, s.Assign)) or a.op or b.op:
        return st
    if a.target != b.target or not is_memory(a.target) or a.value.type != b.value.type:
        return st
    value = e.Select(st.cond, a.value, b.value, a.value.type)
    return s.Assign(a.target, value, loc=st.loc, comments=(*st.comments, *a.comments, *b.comments))


def _clamped(st: s.Stmt) -> s.Stmt:
    """`if (v > limit) v = limit;` as a choice of the two; what stays is stored again."""
    if not (isinstance(st, s.If) and len(st.then) == 1 and not st.orelse):
        return st
    a, c = st.then[0], st.cond
    if not isinstance(a, s.Assign) or a.op or not isinstance(a.target, (e.Var, e.Index)):
        return st
    if not isinstance(c, e.Binary) or c.op not in ("<", "<=", ">", ">="):
        return st
    if {c.a, c.b} != {a.target, a.value} or a.target in walk(a.value):
        return st
    value = e.Select(c, a.value, a.target, a.target.type)
    return s.Assign(a.target, value, loc=st.loc, comments=(*st.comments, *a.comments))


# -- sums that wrap around -------------------------------------------------------------------------


def signed_sums(body: s.Body) -> s.Body:
    """`r = (int)((unsigned)r + x)` as `r += (int)x`: the same bits where sums wrap around."""

    def one(st: s.Stmt) -> s.Stmt:
        if not (isinstance(st, s.Assign) and isinstance(st.target, e.Var) and not st.op):
            return st
        x = st.value
        whole = st.target.type == I32 and isinstance(x, e.Cast) and x.x.type == U32
        if not whole or not isinstance(x, e.Cast) or not isinstance(x.x, e.Binary):
            return st
        own = e.Cast(st.target, U32)
        if x.x.op != "+" or own not in (x.x.a, x.x.b):
            return st
        other = x.x.b if x.x.a == own else x.x.a
        return replace(st, value=e.Cast(other, I32), op="+")

    out: s.Body = rewrite_stmts(body, one)
    return out


__all__ = ["narrowed", "prepared", "signed_sums", "steady_pointers"]
