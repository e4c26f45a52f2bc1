"""Lambdas: read in place where they are called; captured variables are the enclosing function's."""

from __future__ import annotations

from xpiler.frontend.cursor import Node
from xpiler.frontend.reader import Closure, FunctionReader
from xpiler.ir.expr import Expr

_WRAPPERS = ("UNEXPOSED_EXPR", "CALL_EXPR", "PAREN_EXPR", "CXX_FUNCTIONAL_CAST_EXPR")


def lambda_in(n: Node | None) -> Node | None:
    """The lambda expression that `n` is, below copies and conversions."""
    while n is not None and n.kind in _WRAPPERS:
        n = n.kids[0] if len(n.kids) == 1 else None
    return n if n is not None and n.kind == "LAMBDA_EXPR" else None


def bind(r: FunctionReader, decl: Node, lam: Node) -> None:
    """`auto f = [...](...) {...};`"""
    r.lambdas[decl.key] = closure(r, lam)


def closure(r: FunctionReader, lam: Node) -> Closure:
    """The lambda with copies of what it captures by value and the function changes later."""
    found = Closure(lam)
    if _by_reference(r, lam):
        return found
    for n in lam.walk():
        ref = n.ref if n.kind == "DECL_REF_EXPR" else None
        if ref is None or ref.key in found.copies or ref.key not in r.places:
            continue
        if r.is_mutated(ref):
            value = r.places[ref.key]
            found.copies[ref.key] = r.temp(value, value.type, ref.name)
    return found


def _by_reference(r: FunctionReader, lam: Node) -> bool:
    text = r.unit.source.slice(lam.start, lam.end) if lam.file == r.unit.source.path else ""
    return text.replace(" ", "").startswith("[&")


def closure_of(r: FunctionReader, n: Node) -> Closure | None:
    """The lambda behind an expression: written there, or bound to the name that stands there."""
    lam = lambda_in(n)
    if lam is not None:
        return closure(r, lam)
    inner: Node | None = n
    while inner is not None and inner.kind in _WRAPPERS:
        inner = inner.kids[0] if len(inner.kids) == 1 else None
    if inner is None or inner.kind != "DECL_REF_EXPR" or inner.ref is None:
        return None
    return r.lambdas.get(inner.ref.key)


def call(r: FunctionReader, found: Closure, callee: Node, args: list[Node]) -> Expr:
    """Reads the body with its parameters bound, and captured copies in their variables' place."""
    from xpiler.frontend.inline import run

    definition = Node(callee.c.get_definition() or callee.c)
    params = [k for k in definition.kids if k.kind == "PARM_DECL"]
    saved = {k: r.places.get(k) for k in found.copies}
    r.places.update(found.copies)
    try:
        return run(r, definition, params, args, r.frame.this)
    finally:
        r.places.update({k: v for k, v in saved.items() if v is not None})
