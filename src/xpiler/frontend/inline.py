"""Bodies that are read in place of a call: our stubs' small functions, and lambdas."""

from __future__ import annotations

from collections.abc import Callable

from xpiler.frontend import lambdas
from xpiler.frontend.convert import const, convert
from xpiler.frontend.cursor import Node
from xpiler.frontend.reader import Closure, Frame, FunctionReader, mutations, simple
from xpiler.frontend.types import is_reference
from xpiler.ir.expr import Expr, is_place
from xpiler.ir.types import I32, VOID, Array, Pointer, Struct


def stub_call(r: FunctionReader, n: Node, callee: Node) -> Expr:
    """A call of a function that our headers define."""
    from xpiler.frontend.calls import object_and_rest
    from xpiler.frontend.functions import has_self

    definition = Node(callee.c.get_definition())
    params = [k for k in definition.kids if k.kind == "PARM_DECL"]
    this, args = None, n.args
    if has_self(definition):
        object_node, args = object_and_rest(n, params)
        this = r.expr(object_node) if object_node is not None else r.frame.this
        if this is not None and isinstance(this.type, Pointer):
            from xpiler.frontend.operators import deref

            this = deref(this)
    return run(r, definition, params, args, this)


def run(
    r: FunctionReader, body_of: Node, params: list[Node], args: list[Node], this: Expr | None
) -> Expr:
    """Reads the body with its parameters bound; gives the value that it returns."""
    if len(r.frames) > 40:
        r.fail("XP0210", "functions read in place nest too deeply")
    body = next((k for k in body_of.kids if k.kind == "COMPOUND_STMT"), None)
    bind_params(r, params, args, body_of)
    r.frames.append(Frame(this, inlined=True, root=body_of))
    try:
        if body is not None:
            for k in body.kids:
                _check_order(r)
                r.statement(k)
        result = r.frame.result
    finally:
        r.frames.pop()
    t = r.unit.types(body_of.c.result_type)
    if result is None or t == VOID:
        return const(0, I32)
    if isinstance(t, Struct) or is_reference(body_of.c.result_type):
        return result
    return convert(result, t)


def _check_order(r: FunctionReader) -> None:
    if r.frame.returned:
        r.fail("XP0210", "a return in the middle of a body that is read in place is not understood")


Key = tuple[int, int, str]


def bind_params(r: FunctionReader, params: list[Node], args: list[Node], body_of: Node) -> None:
    """Binds each parameter to its argument, or to a copy where the body could tell."""
    from xpiler.frontend.calls import default_argument

    uses, changed = _usage(r, body_of)
    closures = [lambdas.closure_of(r, a) for a in args]

    def reader(p: Node, a: Node, closure: Closure | None) -> Callable[[], Expr]:
        if closure is not None:
            r.lambdas[p.key] = closure
            return lambda: const(0, I32)
        return lambda: default_argument(r, p) if _defaulted(a) else r.expr(a)

    together = list(zip(params, args, closures, strict=False))
    values = r.in_order([reader(*each) for each in together])
    for (p, _, closure), value in zip(together, values, strict=True):
        if closure is not None:
            continue
        r.bind(p, _bound(r, p, value, uses.get(p.key, 0), p.key in changed))


def _usage(r: FunctionReader, body_of: Node) -> tuple[dict[Key, int], set[Key]]:
    """How often a body names each declaration, and which it changes; remembered."""
    key = body_of.key
    if key not in r.unit.usage:
        uses: dict[Key, int] = {}
        for n in body_of.walk():
            if n.kind == "DECL_REF_EXPR" and n.ref is not None:
                uses[n.ref.key] = uses.get(n.ref.key, 0) + 1
        r.unit.usage[key] = (uses, set(mutations(body_of)))
    found: tuple[dict[Key, int], set[Key]] = r.unit.usage[key]
    return found


def changes(r: FunctionReader, body_of: Node, var: Node) -> bool:
    """Whether a body changes a variable that is declared in it."""
    return var.key in _usage(r, body_of)[1]


def _defaulted(a: Node) -> bool:
    return a.kind == "UNEXPOSED_EXPR" and not a.kids


def _bound(r: FunctionReader, p: Node, value: Expr, uses: int, changed: bool) -> Expr:
    """What a parameter stands for: the argument itself where that is safe, else a copy."""
    t = r.unit.types(p.type)
    if is_reference(p.type):
        if is_place(value) or uses <= 1 or r.unit.is_void(value.type):
            return value
        return r.saved(value, p.name)
    if not isinstance(t, Struct):
        value = convert(value, t)
    if r.unit.is_void(t):
        return value
    if changed:
        return r.temp(value, t, p.name)
    if uses <= 1 or simple(value) or _cheap(value):
        return value
    return r.temp(value, t if isinstance(value.type, Array) else value.type, p.name)


def _cheap(value: Expr) -> bool:
    from xpiler.ir.expr import AddressOf, Aggregate, Bits, Text, Unary

    if isinstance(value, Aggregate):
        return all(simple(x) for x in value.items)
    unary = isinstance(value, (Unary, Bits)) and simple(value.x)
    return isinstance(value, (AddressOf, Text)) or unary


__all__ = ["run", "stub_call"]
