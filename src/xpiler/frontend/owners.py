"""Host objects that own memory (`std::vector`, `std::unique_ptr`): a pointer, freed at the end.

Our header writes their members; a variable of such a type stands for the members' values (a
pointer and a size), so what is left of it is an allocation, its uses and a `free`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from xpiler.frontend.cursor import Node
from xpiler.frontend.reader import FunctionReader, simple
from xpiler.ir.expr import Aggregate, Expr, Var
from xpiler.ir.rewrite import fresh_name, rewrite_stmts, substitute
from xpiler.ir.stmt import Body, Decl, Instr, Return, Stmt
from xpiler.ir.types import Pointer


def is_owner(r: FunctionReader, t: Any) -> bool:
    """Whether a type is an instance of one of the owning class templates (or refers to one)."""
    name = str(t.get_canonical().spelling).removeprefix("const ").split("<")[0]
    return name in r.unit.words.owners


def owner(r: FunctionReader, n: Node, init: Node | None) -> None:
    """A variable that owns memory."""
    from xpiler.frontend.construct import construct

    if r.role != "host":
        r.fail("XP0202", f"type {n.type.spelling!r} is only understood in host code")
    t = r.unit.types(n.type)
    mark = len(r.out)
    inner = init.stripped() if init is not None else None
    if inner is None or inner.kind != "CALL_EXPR":
        r.fail("XP0207", f"this initialisation of {n.type.spelling!r} is not understood")
    constructed = inner.ref is not None and inner.ref.kind == "CONSTRUCTOR"
    value = construct(r, inner, t) if constructed else r.expr(inner)
    if not isinstance(value, Aggregate) or not value.items:
        r.fail("XP0207", f"this initialisation of {n.type.spelling!r} is not understood")
    items = tuple(_named(r, _kept(r, x, n.name), n.name, mark) for x in value.items)
    r.owned += [x for x in items if isinstance(x, Var) and isinstance(x.type, Pointer)]
    r.bind(n, replace(value, items=items))


def _kept(r: FunctionReader, x: Expr, name: str) -> Expr:
    if simple(x) and not (isinstance(x, Var) and not isinstance(x.type, Pointer)):
        return x
    return r.temp(x, x.type, f"{name}_size" if not isinstance(x.type, Pointer) else name)


def _named(r: FunctionReader, x: Expr, name: str, mark: int) -> Expr:
    """The pointer under the user's name, in the statements that made it too."""
    made_here = {st.var.name for st in r.out[mark:] if isinstance(st, Decl)}
    if not (isinstance(x, Var) and isinstance(x.type, Pointer) and x.name in made_here):
        return x
    var = Var(r.fresh(name), x.type)

    def renamed(st: Stmt) -> Stmt:
        return replace(st, var=var) if isinstance(st, Decl) and st.var == x else st

    made = substitute(tuple(r.out[mark:]), {x.name: var})
    r.out[mark:] = rewrite_stmts(made, renamed)
    return var


def released(body: Body, owned: list[Var], taken: set[str]) -> Body:
    """`body` with what it owns freed before each return and at its end."""
    for var in owned:
        body = _released(body, var, taken)
    return body


def _released(body: Body, var: Var, taken: set[str]) -> Body:
    at = next((i for i, st in enumerate(body) if isinstance(st, Decl) and st.var == var), None)
    if at is None:  # owned by a nested block: lives as long as the program
        return body
    free = Instr("host.free", (), (var,), (("kind", "host"),))

    def before_return(st: Stmt) -> Stmt | Body:
        if not isinstance(st, Return):
            return st
        if st.value is None or simple(st.value):
            return (free, st)
        kept = Var(fresh_name("result", taken), st.value.type)
        return (Decl(kept, st.value, loc=st.loc), free, replace(st, value=kept))

    rest: Body = rewrite_stmts(body[at:], before_return)
    ends = bool(rest) and isinstance(rest[-1], Return)
    return (*body[:at], *rest) if ends else (*body[:at], *rest, free)
