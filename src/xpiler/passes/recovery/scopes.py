"""Where a variable is declared: innermost place that sees all its uses, declared once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import fresh_name, variables
from xpiler.ir.types import U32, Array, Pointer, Scalar, Struct, Type, Vector
from xpiler.passes.recovery import nodes as n

LONG_LIST = 16


def zero(t: Type) -> e.Expr:
    """The zero of a type."""
    if isinstance(t, Scalar):
        return e.Const(0.0 if t.is_float else (False if t.name == "bool" else 0), t)
    if isinstance(t, Pointer):
        return e.Cast(e.Const(0, U32), t)
    return e.Aggregate((), t)


def initialise(place: e.Expr, init: e.Expr, taken: set[str]) -> s.Body:
    """Assignments that give `place` the initial value `init` (arrays element by element)."""
    t = place.type
    if not isinstance(t, Array) or not isinstance(init, e.Aggregate) or t.size is None:
        return (s.Assign(place, init),)
    items = init.items
    if t.size > LONG_LIST and len(items) <= 1 and (not items or _is_zero(items[0])):
        i = e.Var(fresh_name("i", taken), U32)
        inner = initialise(e.Index(place, i, t.elem), _filler(t.elem), taken)
        return (s.For(i, n.const(0, U32), n.const(t.size, U32), n.const(1, U32), inner),)
    out: list[s.Stmt] = []
    for k in range(t.size):
        value = items[k] if k < len(items) else _filler(t.elem)
        out += initialise(e.Index(place, n.const(k), t.elem), value, taken)
    return tuple(out)


def _is_zero(x: e.Expr) -> bool:
    if isinstance(x, e.Aggregate):
        return all(_is_zero(i) for i in x.items)
    return isinstance(x, e.Const) and x.value == 0


def _filler(t: Type) -> e.Expr:
    return e.Aggregate((), t) if isinstance(t, (Array, Struct, Vector)) else zero(t)


def _overwrites(st: s.Stmt, name: str) -> bool:
    """Whether `st` sets the whole variable without looking at its old value."""
    if isinstance(st, s.Assign):
        whole = isinstance(st.target, e.Var) and st.target.name == name and not st.op
        return whole and name not in variables(st.value)
    if isinstance(st, s.Instr):
        used = any(name in variables(x) for x in st.ins)
        return not used and any(isinstance(o, e.Var) and o.name == name for o in st.outs)
    return False


def _nested_home(st: s.Stmt, name: str) -> int | None:
    """Index of the one inner body in which `name` may be declared instead of around `st`."""
    inner = n.bodies(st)
    if any(name in variables(x) for x in n.heads(st)) or isinstance(st, s.Switch):
        return None
    homes = [k for k, b in enumerate(inner) if name in variables(b)]
    if len(homes) != 1:
        return None
    if isinstance(st, (s.For, s.While)):
        first = next(x for x in inner[homes[0]] if name in variables(x))
        return homes[0] if homes[0] == 0 and _overwrites(first, name) else None
    return homes[0]


def declare(body: s.Body, missing: Mapping[str, e.Var]) -> s.Body:
    """`body` with a declaration for each of `missing`, at the innermost place that serves.

    A first whole assignment becomes the declaration with its initial value.
    """
    out = list(body)
    for name, var in sorted(missing.items()):
        where = [k for k, st in enumerate(out) if name in variables(st)]
        if not where:
            continue
        first = out[where[0]]
        if len(where) == 1:
            home = _nested_home(first, name)
            if home is not None:
                inner = n.bodies(first)
                inner[home] = declare(inner[home], {name: var})
                out[where[0]] = n.with_bodies(first, inner)
                continue
        if isinstance(first, s.Assign) and _overwrites(first, name):
            note = {"loc": first.loc, "comments": first.comments}
            out[where[0]] = s.Decl(var, first.value, **note)  # type: ignore[arg-type]
        else:
            out.insert(where[0], s.Decl(var))
    return tuple(out)


def undeclare(body: s.Body, names: Iterable[str], taken: set[str]) -> s.Body:
    """`body` without the declarations of `names`; initial values become assignments."""
    chosen = frozenset(names)

    def one(st: s.Stmt) -> s.Stmt | s.Body:
        if not isinstance(st, s.Decl) or st.var.name not in chosen:
            return st
        if st.init is None:
            return ()
        first, *rest = initialise(st.var, st.init, taken)
        return (replace(first, loc=st.loc, comments=st.comments), *rest)

    return n.edit(body, one) if chosen else body


def sink(body: s.Body) -> s.Body:
    """`body` with declarations without a value right before the first statement that names them.

    What lies in between cannot give the variable a value, so no unit brings one along.
    """
    out: list[s.Stmt] = []
    waiting: list[s.Decl] = []
    for st in body:
        if isinstance(st, s.Decl) and st.init is None and not st.comments:
            waiting.append(st)
            continue
        named = variables(st) if waiting else set()
        out += [d for d in waiting if d.var.name in named]
        waiting = [d for d in waiting if d.var.name not in named]
        inner = [sink(b) for b in n.bodies(st)]
        out.append(n.with_bodies(st, inner) if inner != n.bodies(st) else st)
    return (*out, *waiting)


def misplaced(body: s.Body) -> dict[str, e.Var]:
    """Variables declared in `body` more than once, or used where no declaration is in sight."""
    declared: dict[str, e.Var] = {}
    bad: dict[str, e.Var] = {}

    def collect(st: s.Stmt) -> None:
        if isinstance(st, s.Decl):
            if st.var.name in declared:
                bad[st.var.name] = st.var
            declared[st.var.name] = st.var

    for st in n.statements(body):
        collect(st)

    def go(inner: s.Body, seen: frozenset[str]) -> None:
        for st in inner:
            own = {v for x in [*n.heads(st), *n.targets(st)] for v in variables(x)}
            for name in (own & declared.keys()) - seen:
                bad[name] = declared[name]
            for b in n.bodies(st):
                go(b, seen)
            if isinstance(st, s.Decl):
                seen = seen | {st.var.name}

    go(body, frozenset())
    return bad


def settle(body: s.Body, taken: set[str]) -> s.Body:
    """`body` with each misplaced declaration moved to where it covers all uses."""
    bad = misplaced(body)
    return declare(undeclare(body, bad, taken), bad) if bad else body
