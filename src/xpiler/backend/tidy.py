"""Last touches before printing: no dead locals, declarations at first use, no idle scopes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from xpiler.backend import usage
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function
from xpiler.ir.rewrite import rewrite_stmts, variables
from xpiler.ir.types import VOID, Array


def tidy(f: Function) -> Function:
    """`f` in the shape in which it is printed; its meaning is unchanged."""
    body = sink(without_scopes(without_dead_locals(f)))
    if f.ret == VOID and body and isinstance(body[-1], s.Return) and not body[-1].comments:
        body = body[:-1]
    return f.with_body(body)


def without_dead_locals(f: Function) -> s.Body:
    """The body without local variables that nobody reads, where writing them has no effect."""
    body = f.body
    while True:
        dead = _dead(body)
        if not dead:
            return body
        body = rewrite_stmts(body, partial(_without, dead))


def _dead(body: s.Body) -> set[str]:
    """Locals that are never read and whose writes are pure."""
    kept = usage.reads(body)
    locals_: set[str] = set()
    for st in usage.statements(body):
        if isinstance(st, s.Decl):
            locals_.add(st.var.name)
            kept |= set() if usage.pure(st.init) else {st.var.name}
        elif isinstance(st, s.Assign) and not (usage.pure(st.value) and usage.pure(st.target)):
            kept |= {r.name} if (r := usage.root(st.target)) else set()
        elif isinstance(st, s.Instr):
            kept |= {r.name for o in st.outs if (r := usage.root(o))}
    return locals_ - kept


def _without(dead: set[str], st: s.Stmt) -> s.Stmt | s.Body:
    if isinstance(st, s.Decl) and st.var.name in dead:
        return ()
    if isinstance(st, s.Assign) and (r := usage.root(st.target)) and r.name in dead:
        return ()
    return st


def without_scopes(body: s.Body) -> s.Body:
    """The body with scopes that declare nothing opened."""

    def open_up(st: s.Stmt) -> s.Stmt | s.Body:
        if not isinstance(st, s.Scope) or any(isinstance(x, s.Decl) for x in st.body):
            return st
        if st.comments and st.body:
            first = st.body[0]
            return (replace(first, comments=st.comments + first.comments), *st.body[1:])
        return st.body

    opened: s.Body = rewrite_stmts(body, open_up)
    return opened


def sink(body: s.Body) -> s.Body:
    """The body with every declaration moved down to the first assignment of its variable."""
    out = list(body)
    for k in range(len(out) - 1, -1, -1):
        st = out[k]
        if isinstance(st, s.Decl) and st.init is None and st.space == "local" and not st.align:
            moved = _moved(st, tuple(out[k + 1 :]))
            out[k:] = out[k:] if moved is None else moved
    return tuple(_sunk_inside(st) for st in out)


def _sunk_inside(st: s.Stmt) -> s.Stmt:
    if isinstance(st, (s.For, s.While, s.Scope)):
        return replace(st, body=sink(st.body))
    if isinstance(st, s.If):
        return replace(st, then=sink(st.then), orelse=sink(st.orelse))
    if isinstance(st, s.Switch):
        return replace(st, cases=tuple(replace(c, body=sink(c.body)) for c in st.cases))
    return st


def _moved(decl: s.Decl, rest: s.Body) -> s.Body | None:
    """`rest` with the declaration at its first use; None where it has to stay in front."""
    name = decl.var.name
    users = [k for k, st in enumerate(rest) if name in variables(st)]
    if not users:
        return rest
    first = users[0]
    st = rest[first]
    if (made := _initialised(decl, st)) is not None:
        return (*rest[:first], made, *rest[first + 1 :])
    if len(users) == 1 and (nested := _nested(decl, st)) is not None:
        return (*rest[:first], nested, *rest[first + 1 :])
    return (*rest[:first], decl, *rest[first:]) if first else None


def _initialised(decl: s.Decl, st: s.Stmt) -> s.Decl | None:
    """The declaration with the value that `st` assigns, if `st` is a plain assignment to it."""
    if not (isinstance(st, s.Assign) and st.op == "" and st.target == decl.var):
        return None
    if decl.var.name in variables(st.value):
        return None
    return replace(decl, init=st.value, loc=st.loc, comments=decl.comments + st.comments)


def _nested(decl: s.Decl, st: s.Stmt) -> s.Stmt | None:
    """`st` with the declaration inside the only body that uses it."""
    name = decl.var.name
    if isinstance(st, s.If) and name not in variables(st.cond):
        inside = [name in variables(b) for b in (st.then, st.orelse)]
        if inside == [True, False]:
            return replace(st, then=_placed(decl, st.then))
        if inside == [False, True]:
            return replace(st, orelse=_placed(decl, st.orelse))
    if isinstance(st, s.Scope):
        return replace(st, body=_placed(decl, st.body))
    if isinstance(st, s.For) and not any(name in variables(x) for x in (st.lo, st.hi, st.step)):
        return _in_loop(decl, st)
    if isinstance(st, s.While) and name not in variables(st.cond) | variables(st.step):
        return _in_loop(decl, st)
    return None


def _placed(decl: s.Decl, body: s.Body) -> s.Body:
    return _moved(decl, body) or (decl, *body)


def _in_loop(decl: s.Decl, loop: s.For | s.While) -> s.Stmt | None:
    """The loop with the declaration inside, where each iteration assigns it before any use."""
    if isinstance(decl.var.type, Array):
        return None
    placed = _moved(decl, loop.body)
    if placed is None or not _always_set(decl, placed):
        return None
    return replace(loop, body=placed)


def _always_set(decl: s.Decl, body: s.Body) -> bool:
    """Whether the declaration of `decl`'s variable in `body`, at any depth, has got a value."""
    found = [n for n in usage.statements(body) if isinstance(n, s.Decl) and n.var == decl.var]
    return all(n.init is not None for n in found)


def is_count(st: s.Stmt) -> bool:
    """Whether `st` adds or takes one: printed as `x++`."""
    return (
        isinstance(st, s.Assign)
        and st.op in ("+", "-")
        and isinstance(st.value, e.Const)
        and st.value.value == 1
        and st.value.text in (None, "1")
    )
