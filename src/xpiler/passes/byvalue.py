"""Structs that are handed over by address only to be read become values, and later addresses again.

What a loop then asks of them is a number like any other, which no store can change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from xpiler.analysis.readonly import is_null_test, pointed_to, read_by_field
from xpiler.ir import expr as e
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import map_body, map_children, rewrite_exprs
from xpiler.ir.types import I32, Pointer, Struct


def by_value(program: Program, source: Program) -> tuple[Program, tuple[str, ...]]:
    """`program` with such parameters as values, and what that takes for granted.

    `source` is the program as it was read, kernels and all.
    """
    known = read_by_field(program)
    if not known or known != read_by_field(source):
        return program, ()
    own = {f.name: f for f in program.functions}
    new = tuple(_function(f, known, own) for f in program.functions)
    said = tuple(
        f"{f.name} does not change what {name} points to"
        for f in program.functions
        for name in sorted(known.get(f.name, ()))
        if not f.static
    )
    return program.with_functions(new), said


def _function(
    f: Function, known: Mapping[str, frozenset[str]], own: Mapping[str, Function]
) -> Function:
    names = known.get(f.name, frozenset())

    def value(p: e.Var) -> e.Var:
        assert isinstance(p.type, Pointer)
        return e.Var(p.name, p.type.elem)

    def one(x: e.Expr) -> e.Expr:
        p = pointed_to(x)
        if p is not None and p.name in names:
            return value(p)
        if not isinstance(x, e.Call) or x.func not in known:
            return x
        args = list(x.args)
        for k, q in enumerate(own[x.func].params):
            a = args[k]
            if q.name in known[x.func]:
                args[k] = a.x if isinstance(a, e.AddressOf) else value(a)  # type: ignore[arg-type]
        return replace(x, args=tuple(args))

    params = tuple(value(p) if p.name in names else p for p in f.params)
    return replace(f, params=params, body=rewrite_exprs(f.body, one))


def by_address(program: Program, source: Program) -> Program:
    """`program` with host functions that take such parameters as `source` has them."""
    before = {f.name: {p.name: p for p in f.params} for f in source.functions}
    return program.with_functions(
        tuple(
            _restored(f, before.get(f.name, {})) if f.role == "host" and not f.static else f
            for f in program.functions
        )
    )


def _restored(f: Function, before: Mapping[str, e.Var]) -> Function:
    changed = {
        p.name: before[p.name]
        for p in f.params
        if isinstance(p.type, Struct) and p.name in before and p.type != before[p.name].type
    }
    if not changed:
        return f

    def one(n: object) -> object:
        if isinstance(n, e.Var) and n.name in changed and isinstance(n.type, Struct):
            return e.Index(changed[n.name], e.Const(0, I32), n.type)
        of_itself = is_null_test(n) and isinstance(n.a, e.Var)  # type: ignore[arg-type, attr-defined]
        return n if of_itself else map_children(n, one)  # type: ignore[type-var]

    params = tuple(changed.get(p.name, p) for p in f.params)
    return replace(f, params=params, body=map_body(f.body, one))  # type: ignore[arg-type]


__all__ = ["by_address", "by_value"]
