"""Copies become what they copy; what nobody reads goes; declarations meet their first use."""

from __future__ import annotations

from dataclasses import dataclass, replace

from xpiler.analysis.effects import (
    assigned,
    declared,
    is_memory,
    names_in,
    of_expr,
    of_stmt,
    read_names,
    root,
    unchanging,
)  # fmt: skip
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.intrinsics import math_functions
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import rewrite_exprs, rewrite_stmts, substitute, walk
from xpiler.ir.types import Array, Pointer, Scalar, Vector
from xpiler.passes.cleanup.base import Context, each_function
from xpiler.passes.cleanup.ends import without_last_values


@dataclass(frozen=True)
class Propagate:
    """Copy propagation, dead code, and declarations with their first value."""

    name: str = "propagate"

    def apply(self, program: Program, ctx: Context) -> Program:
        return each_function(program, lambda f: _propagate(f, ctx))


def _propagate(f: Function, ctx: Context) -> Function:
    body = rewrite_stmts((s.Scope(f.body),), _declared_late)[0].body
    f = f if body == f.body else f.with_body(body)
    f = _lanes(_copies(f, ctx))
    plain = frozenset(g.name for g in ctx.program.functions if _is_plain(g))
    for _ in range(4):
        new = _without_dead(f, plain)
        if new is f:
            break
        f = new
    return without_last_values(f)


# -- copies ---------------------------------------------------------------------------------


def _copies(f: Function, ctx: Context) -> Function:
    """Uses of `x` declared as a copy of a variable that never changes become that variable.

    A loop over blocks or threads takes the name that the user gave to its index (`row`, `tid`).
    """
    fixed = unchanging(f)
    loops = {n.var.name: n for n in walk(f.body) if isinstance(n, s.For)}
    mapping: dict[str, e.Expr] = {}
    names: dict[str, str] = {}
    for n in walk(f.body):
        if not isinstance(n, s.Decl) or n.var.name not in fixed or n.init is None:
            continue
        if _own_constant(n.init):
            mapping[n.var.name] = (
                e.Cast(n.init, n.var.type) if n.init.type != n.var.type else n.init
            )
            continue
        source = _copied(n, fixed)
        if source is None or source.name == n.var.name:
            continue
        mapping[n.var.name] = substitute(n.init, mapping)
        final = mapping[n.var.name]
        while isinstance(final, e.Cast):
            final = final.x
        axis = loops.get(final.name) if isinstance(final, e.Var) else None
        if axis is not None and (f.name, axis.var.name) in ctx.axes:
            names.setdefault(axis.var.name, n.var.name)
    if not mapping:
        return f
    ctx.axes.update((f.name, new) for old, new in names.items() if (f.name, old) in ctx.axes)
    body = rewrite_stmts(f.body, lambda st: _no_copy(st, mapping))
    return f.with_body(_renamed(substitute(body, mapping), names))


def _own_constant(x: e.Expr) -> bool:
    """A number that came up on the way: what the user wrote has a text, and keeps its name."""
    return isinstance(x, e.Const) and isinstance(x.value, int) and x.text is None


def _no_copy(st: s.Stmt, mapping: dict[str, e.Expr]) -> s.Stmt | s.Body:
    return () if isinstance(st, s.Decl) and st.var.name in mapping else st


def _copied(d: s.Decl, fixed: set[str]) -> e.Var | None:
    x = d.init
    if isinstance(x, e.Cast) and _integers(x.type, x.x.type):
        x = x.x
    if not isinstance(x, e.Var) or x.name not in fixed or isinstance(x.type, Array):
        return None
    if isinstance(d.var.type, Pointer) and x.type != d.var.type:
        return None
    return x


def _integers(*types: object) -> bool:
    return all(isinstance(t, Scalar) and t.is_integer for t in types)


def _renamed(body: s.Body, names: dict[str, str]) -> s.Body:
    """Loop variables renamed (their old declarations are gone, so the names are free)."""
    if not names:
        return body
    types = {n.var.name: n.var.type for n in walk(body) if isinstance(n, s.For)}
    mapping = {old: e.Var(new, types[old]) for old, new in names.items() if old in types}

    def loop(st: s.Stmt) -> s.Stmt:
        new = mapping.get(st.var.name) if isinstance(st, s.For) else None
        return replace(st, var=new) if new is not None else st  # type: ignore[call-arg]

    out: s.Body = substitute(rewrite_stmts(body, loop), mapping)
    return out


def _lanes(f: Function) -> Function:
    """`v.y` of a vector that is declared as `{a, b, c}` and never changes is `b`."""
    changing = assigned(f.body)
    fixed = ({p.name for p in f.params} | set(declared(f.body))) - changing
    known = {
        name: d.init.items
        for name, d in declared(f.body).items()
        if name not in changing
        and isinstance(d.init, e.Aggregate)
        and isinstance(d.var.type, Vector)
        and len(d.init.items) == d.var.type.lanes
    }

    def one(x: e.Expr) -> e.Expr:
        if not isinstance(x, e.Field) or not isinstance(x.base, e.Var) or x.base.name not in known:
            return x
        k = "xyzw".find(x.name)
        item = known[x.base.name][k] if 0 <= k < len(known[x.base.name]) else x
        bare = item.x if isinstance(item, e.Cast) and _integers(item.type, item.x.type) else item
        steady = isinstance(bare, e.Const) or (isinstance(bare, e.Var) and bare.name in fixed)
        return item if steady and item.type == x.type else x

    body = rewrite_exprs(f.body, one) if known else f.body
    return f if body is f.body else f.with_body(body)


# -- dead code ------------------------------------------------------------------------------


def _is_plain(f: Function) -> bool:
    """Whether a call does nothing but to give a value."""
    return (
        len(f.body) == 1
        and isinstance(f.body[0], s.Return)
        and not any(isinstance(n, (e.Call, e.Index, e.AddressOf)) for n in walk(f.body))
    )


def _without_dead(f: Function, plain: frozenset[str]) -> Function:
    """Without locals that nobody reads, where everything that writes them is a plain store.

    `plain` names functions whose calls do nothing else than give a value.
    """
    local = {n: d for n, d in declared(f.body).items() if d.space != "global"}
    pinned = _written_by_effect(f.body, plain)
    dead = set(local) - read_names(f.body) - pinned
    dead = {n for n in dead if not isinstance(local[n].var.type, Pointer)} | {
        n for n in dead if isinstance(local[n].var.type, Pointer) and not _used(n, f.body)
    }
    if not dead:
        return f

    def drop(st: s.Stmt) -> s.Stmt | s.Body:
        if isinstance(st, s.Decl) and st.var.name in dead:
            return ()
        if isinstance(st, s.Assign) and root(st.target) in dead:
            return ()
        empty = isinstance(st, (s.For, s.Scope)) and not st.body
        if empty or (isinstance(st, s.If) and not st.then and not st.orelse and _pure(st.cond)):
            return ()
        return st

    return f.with_body(rewrite_stmts(f.body, drop))


def _used(name: str, body: s.Body) -> bool:
    """Whether the name stands anywhere but where it is declared."""
    at = sum(isinstance(n, e.Var) and n.name == name for n in walk(body))
    return at > sum(isinstance(n, s.Decl) and n.var.name == name for n in walk(body))


def _pure(x: e.Expr, plain: frozenset[str] = frozenset()) -> bool:
    if not of_expr(x).other:
        return True
    called = [n.func for n in walk(x) if isinstance(n, e.Call)]
    return all(c in plain or c in math_functions() for c in called)


def _written_by_effect(body: s.Body, plain: frozenset[str]) -> set[str]:
    """Variables whose writer does more than write: instructions, calls."""
    out: set[str] = set()
    for n in walk(body):
        if isinstance(n, s.Instr):
            out |= names_in(n)
        elif isinstance(n, s.Assign) and not (_pure(n.value, plain) and _pure(n.target, plain)):
            out.add(root(n.target))
        elif isinstance(n, s.Decl) and n.init is not None and not _pure(n.init, plain):
            out.add(n.var.name)
    return out


# -- declarations ---------------------------------------------------------------------------


def _declared_late(st: s.Stmt) -> s.Stmt:
    """Declarations without a value move to the first assignment or into the only user."""
    if isinstance(st, (s.For, s.Scope)):
        body = _late(st.body, loop=isinstance(st, s.For))
        return st if body is st.body else replace(st, body=body)
    if isinstance(st, s.If):
        then, orelse = _late(st.then), _late(st.orelse)
        same = then is st.then and orelse is st.orelse
        return st if same else replace(st, then=then, orelse=orelse)
    return st


def _late(body: s.Body, loop: bool = False) -> s.Body:
    i = len(body) - 1
    while i >= 0:
        st = body[i]
        if isinstance(st, s.Decl) and st.init is None and st.space == "local":
            body = _sunk(body, i)
        i -= 1
    return body


def _sunk(body: s.Body, i: int) -> s.Body:
    d = body[i]
    assert isinstance(d, s.Decl)
    users = [k for k in range(i + 1, len(body)) if d.var.name in names_in(body[k])]
    if not users:
        return body
    first = users[0]
    st = body[first]
    if _first_value(st, d):
        assert isinstance(st, s.Assign)
        merged = replace(d, init=st.value, comments=(*d.comments, *st.comments), loc=st.loc)
        return (*body[:i], *body[i + 1 : first], merged, *body[first + 1 :])
    if len(users) == 1:
        inner = _into(st, d)
        if inner is not None:
            return (*body[:i], *body[i + 1 : first], inner, *body[first + 1 :])
    return body


def _first_value(st: s.Stmt, d: s.Decl) -> bool:
    """Whether `st` gives the whole of `d` its first value."""
    if not isinstance(st, s.Assign) or st.op or st.target != d.var:
        return False
    return d.var.name not in names_in(st.value)


def _into(st: s.Stmt, d: s.Decl) -> s.Stmt | None:
    """`st` with `d` declared inside, where no value survives from one iteration to the next."""
    if isinstance(st, s.Scope):
        return replace(st, body=_late((d, *st.body)))
    if isinstance(st, s.If) and d.var.name not in names_in(st.cond):
        in_then, in_else = (d.var.name in names_in(b) for b in (st.then, st.orelse))
        if in_then and in_else:
            return None
        if in_then:
            return replace(st, then=_late((d, *st.then)))
        return replace(st, orelse=_late((d, *st.orelse)))
    if isinstance(st, s.For) and _starts_afresh(st, d):
        return replace(st, body=_late((d, *st.body)))
    return None


def _starts_afresh(loop: s.For, d: s.Decl) -> bool:
    if d.var.name in names_in((loop.lo, loop.hi, loop.step)):
        return False
    users = [st for st in loop.body if d.var.name in names_in(st)]
    if len(users) == 1 and isinstance(users[0], s.For):
        return _starts_afresh(users[0], d)
    return bool(users) and _first_value(users[0], d)


__all__ = ["Propagate", "is_memory", "of_stmt"]
