"""Construction of values: copies, aggregates, constructors of the stubs and of the user's."""

from __future__ import annotations

from xpiler.frontend.convert import convert, zero
from xpiler.frontend.cursor import Node
from xpiler.frontend.expressions import address
from xpiler.frontend.reader import Frame, FunctionReader
from xpiler.ir.expr import Aggregate, Call, Expr
from xpiler.ir.stmt import Eval
from xpiler.ir.types import VOID, Array, Fragment, Opaque, Scalar, Struct, Type, Vector


def construct(r: FunctionReader, n: Node, t: Type) -> Expr | None:
    """The value of `T(args)`; None for one that leaves the object undefined."""
    callee = n.ref
    assert callee is not None
    args = n.args
    if _copies(callee, args):
        return r.expr(args[0])
    if isinstance(t, (Opaque, Fragment)) or r.unit.is_void(t):
        return None if isinstance(t, Fragment) else Aggregate((), t)
    if isinstance(t, Array):
        return _elements(r, n, t)
    if n.type.get_canonical().get_declaration().kind.name == "UNION_DECL":
        return None if not args else r.fail("XP0203", "this construction is not understood")
    definition = callee.c.get_definition()
    if definition is None:
        if not args:
            return default_value(r, n, t)
        r.fail("XP0203", f"the constructor of {t} is not understood")
    return _construct(r, n, Node(definition), t)


def _elements(r: FunctionReader, n: Node, t: Array) -> Expr | None:
    """The default construction of every element of an array."""
    one = default_value(r, n, t.elem)
    if one is None or t.size is None:
        return None
    if t.size > 64:
        r.fail("XP0203", f"an array of {t.size} elements with default values is not understood", "",
               "assign the elements in a loop")  # fmt: skip
    return Aggregate((one,) * t.size, t)


def default_value(r: FunctionReader, n: Node, t: Type) -> Expr | None:
    """What `T()` gives where nobody wrote a constructor: the members' default values, if any."""
    record = n.type.get_canonical()
    while record.kind.name == "CONSTANTARRAY":
        record = record.element_type
    found = {name: r.unit.default_member(name, record) for name, _ in members(r, t)}
    if all(v is None for v in found.values()):
        return None
    r.frames.append(Frame(None, inlined=True))
    try:
        items = [
            _member_value(r, value, ft) if (value := found[name]) is not None else zero(ft)
            for name, ft in members(r, t)
        ]
    finally:
        r.frames.pop()
    return Aggregate(tuple(items), t)


def _copies(callee: Node, args: list[Node]) -> bool:
    return len(args) == 1 and bool(callee.c.is_copy_constructor() or callee.c.is_move_constructor())


def _construct(r: FunctionReader, n: Node, definition: Node, t: Type) -> Expr | None:
    from xpiler.frontend.functions import initialisers

    body = next((k for k in definition.kids if k.kind == "COMPOUND_STMT"), None)
    if body is None or (not body.kids and isinstance(t, (Vector, Struct))):
        pairs = initialisers(definition)
        if not pairs and not n.args:
            return default_value(r, n, t)
        return _from_members(r, n, definition, pairs, t)
    return _by_function(r, n, definition, t)


def _from_members(
    r: FunctionReader, n: Node, definition: Node, pairs: list[tuple[Node, Node]], t: Type
) -> Expr:
    """A constructor that only initialises members is the aggregate of their values."""
    from xpiler.frontend.inline import bind_params

    params = [k for k in definition.kids if k.kind == "PARM_DECL"]
    bind_params(r, params, n.args, definition)
    given: dict[str, Expr] = {}
    record = n.type.get_canonical()
    for name, ft in members(r, t):
        value_node = r.unit.default_member(name, record)
        if value_node is not None:
            given[name] = _member_value(r, value_node, ft)
    r.frames.append(Frame(None, inlined=True))
    try:
        for field, value in pairs:
            assert field.ref is not None
            given[field.name] = _member_value(r, value, r.unit.types(field.ref.type))
    finally:
        r.frames.pop()
    return Aggregate(tuple(given.get(name, zero(ft)) for name, ft in members(r, t)), t)


def members(r: FunctionReader, t: Type) -> list[tuple[str, Type]]:
    """Names and types of the members of a struct or of the lanes of a vector."""
    from xpiler.frontend.types import lane_name

    if isinstance(t, Vector):
        return [(lane_name(t, i), t.elem) for i in range(t.lanes)]
    return list(r.unit.fields(t))


def _member_value(r: FunctionReader, value: Node, t: Type) -> Expr:
    from xpiler.frontend.expressions import initial

    result = initial(r, value, t)
    return result if isinstance(t, (Struct, Array)) else convert(result, t)


def _by_function(r: FunctionReader, n: Node, definition: Node, t: Type) -> Expr:
    from xpiler.frontend.calls import argument

    entry = r.unit.entry(definition)
    if entry is None or entry.failed:
        r.fail("XP0203", f"the constructor of {t} is not understood")
    params = [k for k in definition.kids if k.kind == "PARM_DECL"]
    args = r.in_order(
        [lambda p=p, a=a: argument(r, p, a) for p, a in zip(params, n.args, strict=False)]  # type: ignore[misc]
    )
    made = r.temp(None, t, "object")
    r.memory.add(made.name)
    r.emit(Eval(Call(entry.name, (address(made), *args), VOID)))
    return made


__all__ = ["Scalar", "construct"]
