"""Which scalars and structs statements give values to."""

from __future__ import annotations

from xpiler.analysis.effects import is_memory, names_in
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import walk
from xpiler.ir.types import Array, Pointer, Struct


def assigned_scalars(st: s.Stmt) -> set[str]:
    out: set[str] = set()
    for n in walk(st):
        if isinstance(n, s.Assign) and (struct_of(n) or not is_memory(n.target)):
            base: e.Expr = n.target
            while isinstance(base, (e.Index, e.Field)):
                base = base.base
            out |= names_in(base)
        elif isinstance(n, s.Decl) and not isinstance(n.var.type, Array):
            out.add(n.var.name)
    return out


def struct_of(n: object) -> e.Var | None:
    """The variable of a struct that an assignment changes a part of, an array in it perhaps."""
    place = n.target if isinstance(n, s.Assign) else None
    while isinstance(place, e.Field) or (
        isinstance(place, e.Index) and isinstance(place.base.type, Array)
    ):
        place = place.base
    whole = isinstance(place, e.Var) and isinstance(place.type, Struct)
    return place if whole else None  # type: ignore[return-value]


def scalars_out(body: s.Body) -> list[e.Var]:
    """Scalars that `body` gives a value, declared at its top or outside."""
    own = {n.var.name for st in body for n in walk(st) if isinstance(n, (s.Decl, s.For))}
    top = {st.var.name for st in body if isinstance(st, s.Decl)}
    out: dict[str, e.Var] = {}
    for st in body:
        if isinstance(st, s.Decl) and not isinstance(st.var.type, (Array, Pointer)):
            out.setdefault(st.var.name, st.var)
        for n in walk(st):
            if isinstance(n, s.Assign) and (struct_of(n) or not is_memory(n.target)):
                base: e.Expr = n.target
                while isinstance(base, (e.Index, e.Field)):
                    base = base.base
                if isinstance(base, e.Var) and (base.name in top or base.name not in own):
                    out.setdefault(base.name, base)
    return list(out.values())
