"""Last touches before printing: no dead locals, declarations at first use, no idle scopes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from xpiler.backend import usage
from xpiler.backend.heap import Heap
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function
from xpiler.ir.rewrite import rewrite_stmts, variables
from xpiler.ir.types import VOID, Array, Scalar, Vector


def tidy(f: Function) -> Function:
    """`f` in the shape in which it is printed; its meaning is unchanged."""
    params = frozenset(_stem(p) for p in f.params)
    body = with_for_init(sink(without_scopes(without_dead_locals(f), params)))
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


def without_scopes(body: s.Body, outside: frozenset[str] = frozenset()) -> s.Body:
    """The body with scopes opened whose names need no braces to stay apart.

    `outside` holds the stems of the names that are visible around the body.
    """
    stems = _stems(body)
    visible = outside | stems
    out: list[s.Stmt] = []
    for k, st in enumerate(body):
        st = _inside(st, visible)
        beside = body[:k] + body[k + 1 :]
        if isinstance(st, s.Scope) and not is_for(st) and not _clash(st, visible, beside):
            out += _opened(st)
        else:
            out.append(st)
    return tuple(out)


def _inside(st: s.Stmt, visible: frozenset[str]) -> s.Stmt:
    if isinstance(st, s.For):
        visible |= {_stem(st.var)}
    return on_bodies(st, lambda body: without_scopes(body, visible))


def _stem(v: e.Var) -> str:
    return v.name.split(".")[0]


def _stems(body: s.Body) -> frozenset[str]:
    """Stems of what a body itself declares."""
    return frozenset(_stem(st.var) for st in body if isinstance(st, s.Decl))


def _clash(scope: s.Scope, visible: frozenset[str], beside: s.Body) -> bool:
    """Whether a name of the scope would need a number outside of it, or an array live longer."""
    mine = _stems(scope.body)
    others = [_stems(st.body) for st in beside if isinstance(st, s.Scope)]
    return bool(mine & visible.union(*others)) or any(map(Heap.wants, _decls(scope.body)))


def _decls(body: s.Body) -> list[s.Decl]:
    return [st for st in body if isinstance(st, s.Decl)]


def _opened(scope: s.Scope) -> s.Body:
    if not scope.comments or not scope.body:
        return scope.body
    first = scope.body[0]
    return (replace(first, comments=scope.comments + first.comments), *scope.body[1:])


def is_for(scope: s.Scope) -> bool:
    """Whether a scope is C's `for` with declarations in its first part."""
    *first, loop = scope.body or (s.Break(),)
    decls = [st for st in first if isinstance(st, s.Decl)]
    if not isinstance(loop, s.While) or loop.do or not loop.step or not decls:
        return False
    if len(decls) < len(first) or not all(isinstance(x, (s.Assign, s.Eval)) for x in loop.step):
        return False
    return len({d.var.type for d in decls}) == 1 and all(_in_head(d, len(decls)) for d in decls)


def _in_head(d: s.Decl, count: int) -> bool:
    """Whether a declaration can stand in a `for`'s first part, beside `count` - 1 others."""
    plain = d.init is not None and not d.comments and not d.const
    alone = count == 1 or isinstance(d.var.type, (Scalar, Vector))
    return plain and alone and not isinstance(d.init, e.Aggregate)


def with_for_init(body: s.Body) -> s.Body:
    """The body with `T i = 0;` moved into the loop that alone uses it and counts it."""
    out = [on_bodies(st, with_for_init) for st in body]
    for k in range(len(out) - 1, -1, -1):
        st = out[k]
        if isinstance(st, s.Decl) and isinstance(st.init, e.Const) and not st.comments:
            users = [j for j in range(k + 1, len(out)) if st.var.name in variables(out[j])]
            if len(users) == 1 and _counts(out[users[0]], st.var):
                loop = out[users[0]]
                out[users[0]] = s.Scope((st, loop), loc=loop.loc)
                del out[k]
    return tuple(out)


def _counts(st: s.Stmt, v: e.Var) -> bool:
    if not isinstance(st, s.While) or st.do or not st.step:
        return False
    targets = [x.target for x in st.step if isinstance(x, s.Assign)]
    return len(targets) == len(st.step) and v in targets and not st.comments


def on_bodies(st: s.Stmt, f: Callable[[s.Body], s.Body]) -> s.Stmt:
    """`st` with `f` applied to the bodies inside it."""
    if isinstance(st, (s.For, s.While, s.Scope)):
        return replace(st, body=f(st.body))
    if isinstance(st, s.If):
        return replace(st, then=f(st.then), orelse=f(st.orelse))
    if isinstance(st, s.Switch):
        return replace(st, cases=tuple(replace(c, body=f(c.body)) for c in st.cases))
    return st


def sink(body: s.Body) -> s.Body:
    """The body with every declaration moved down to the first assignment of its variable."""
    out = list(body)
    for k in range(len(out) - 1, -1, -1):
        st = out[k]
        if isinstance(st, s.Decl) and st.init is None and st.space == "local" and not st.align:
            moved = _moved(st, tuple(out[k + 1 :]))
            out[k:] = out[k:] if moved is None else moved
    return tuple(on_bodies(st, sink) for st in out)


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
