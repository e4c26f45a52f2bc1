"""Expressions: literals, names, members, casts, constructions; operators are in `operators`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xpiler.frontend.convert import const, const_int, convert, zero
from xpiler.frontend.cursor import Node
from xpiler.frontend.reader import FunctionReader, expression, simple
from xpiler.frontend.rows import row_type, runtime_size, to_rows
from xpiler.frontend.types import is_reference, lane_name, size_of, variable_length
from xpiler.frontend.unit import field_name, is_unnamed
from xpiler.ir.expr import (
    AddressOf,
    Aggregate,
    Axis,
    Bits,
    Cast,
    Const,
    Expr,
    Field,
    Index,
    Text,
    Var,
    is_place,
)
from xpiler.ir.stmt import Decl
from xpiler.ir.types import I8, I32, U32, Array, Fragment, Pointer, Scalar, Struct, Type, Vector

_FILE_SCOPES = ("TRANSLATION_UNIT", "NAMESPACE", "LINKAGE_SPEC", "STRUCT_DECL", "CLASS_DECL")
_LANES = "xyzw"
_PLAIN_SIZES = ("float", "double", "int", "char", "short", "long", "unsigned int", "unsigned char")


@expression("INTEGER_LITERAL", "FLOATING_LITERAL", "CHARACTER_LITERAL", "CXX_BOOL_LITERAL_EXPR")
def _literal(r: FunctionReader, n: Node) -> Expr:
    value = n.evaluate()
    if value is None:
        r.fail("XP0207", "the value of this literal is not known")
    text = None
    file, offset = n.spelled()
    if n.kind in ("INTEGER_LITERAL", "FLOATING_LITERAL") and file == r.unit.source.path:
        text = r.unit.source.number_at(offset)
    return const(value, r.unit.types(n.type), text)


@expression("CXX_NULL_PTR_LITERAL_EXPR", "GNU_NULL_EXPR")
def _null(r: FunctionReader, n: Node) -> Expr:
    t = r.unit.types(n.type)
    return Const(0, t if isinstance(t, Pointer) else Pointer(I8))


@expression("STRING_LITERAL")
def _string(r: FunctionReader, n: Node) -> Expr:
    return Text(n.name[n.name.find('"') + 1 : -1], Pointer(I8, const=True))


@expression("PAREN_EXPR")
def _paren(r: FunctionReader, n: Node) -> Expr:
    return r.expr(n.kids[0])


@expression("UNEXPOSED_EXPR")
def _implicit(r: FunctionReader, n: Node) -> Expr:
    """An implicit conversion, or a wrapper that clang puts around temporaries."""
    kids = [k for k in n.kids if not k.kind.endswith("_REF") or k.kind == "MEMBER_REF_EXPR"]
    if not kids:
        return _without_children(r, n)
    if len(kids) > 1 or "<dependent type>" in str(n.type.spelling):
        r.fail("XP0207", "this expression is not understood", "the parser found an error in it")
    if _picks_lanes(n, kids[0]):
        return _picked(r, n, kids[0])
    return as_bits(converted(r, r.expr(kids[0]), n))


def _picks_lanes(n: Node, child: Node) -> bool:
    """`v.x` or `v.xy` of an extended vector, which has no cursor kind of its own."""
    inner = child.type.get_canonical()
    if inner.kind.name not in ("VECTOR", "EXTVECTOR") or n.end == child.end:
        return False
    outer = n.type.get_canonical()
    return str(outer.spelling) != str(inner.spelling) or n.end > child.end


def _picked(r: FunctionReader, n: Node, child: Node) -> Expr:
    base = r.expr(child)
    text = r.unit.source.slice(child.end, n.end).strip() if n.file == r.unit.source.path else ""
    names = text.removeprefix(".").removeprefix("->").strip()
    lanes = [_LANES.index(c) for c in names] if names and set(names) <= set(_LANES) else []
    if not isinstance(base.type, Vector) or not lanes:
        r.fail("XP0207", "this access to a vector is not understood")
    elem = base.type.elem
    picked = [Field(base, lane_name(base.type, i), elem) for i in lanes]
    if len(picked) == 1:
        return picked[0]
    return Aggregate(tuple(picked), Vector(elem, len(picked)))


def punned(e: Expr) -> Expr | None:
    """The place whose bits `*(U*)&place` names, when both are numbers of one size."""
    if not (isinstance(e, Index) and isinstance(e.base, Cast) and isinstance(e.base.x, AddressOf)):
        return None
    if not (isinstance(e.index, Const) and e.index.value == 0):
        return None
    place = e.base.x.x
    numbers = all(isinstance(x.type, (Scalar, Vector)) for x in (e, place))
    return place if numbers and size_of(e.type) == size_of(place.type) else None


def as_bits(e: Expr) -> Expr:
    """The value of `*(U*)&place` as a reinterpretation of the place's value."""
    place = punned(e)
    return e if place is None else Bits(place, e.type)


def _without_children(r: FunctionReader, n: Node) -> Expr:
    """A value that is not written: a default argument, `float()`."""
    value = n.evaluate()
    t = r.unit.types(n.type)
    if value is not None and isinstance(t, Scalar):
        return const(value, t)
    return zero(t)


def converted(r: FunctionReader, value: Expr, n: Node) -> Expr:
    """`value` brought to the type of the cast `n`."""
    canonical = n.type.get_canonical().kind.name
    if canonical in ("FUNCTIONPROTO", "OVERLOAD", "UNEXPOSED", "MEMBERPOINTER"):
        return value
    if variable_length(n.type):
        return value
    t = r.unit.types(n.type)
    if isinstance(t, Pointer) and isinstance(value, Text):
        return value
    if isinstance(t, Array) and isinstance(value.type, Pointer):
        return value  # a parameter that was declared as an array
    if isinstance(t, Struct) or isinstance(value.type, Struct):
        return value
    if isinstance(value.type, Vector) and isinstance(t, Scalar):
        r.fail("XP0207", f"the conversion of {value.type} to {t} is not understood")
    if isinstance(t, Vector) and isinstance(value.type, Scalar):
        kept = r.saved(convert(value, t.elem))
        return Aggregate((kept,) * t.lanes, t)
    return convert(value, t)


@expression("CSTYLE_CAST_EXPR", "CXX_STATIC_CAST_EXPR", "CXX_FUNCTIONAL_CAST_EXPR",
            "CXX_REINTERPRET_CAST_EXPR", "CXX_CONST_CAST_EXPR")  # fmt: skip
def _cast(r: FunctionReader, n: Node) -> Expr:
    operand = next((k for k in reversed(n.kids) if not k.kind.endswith("_REF")), None)
    if operand is None:
        return zero(r.unit.types(n.type))
    if n.kind == "CXX_REINTERPRET_CAST_EXPR" and is_reinterpreted_place(n, operand):
        return reinterpreted(r, r.expr(operand), r.unit.types(n.type))
    value = r.expr(operand)
    if to_rows(n.type):
        return Cast(value, row_type(r, n.type, n.kids[:-1]))
    t = r.unit.types(n.type)
    if isinstance(t, Scalar) and isinstance(value, Const) and value.text and value.type != t:
        named = value.text[0].isalpha() or value.text[0] == "_"
        if named:
            return Cast(value, t)
    if isinstance(t, Vector) and isinstance(value.type, Vector) and t != value.type:
        return (
            Bits(value, t)
            if size_of(t) == size_of(value.type)
            else r.fail("XP0207", "conversion between these vectors is not understood")
        )
    return converted(r, value, n)


def is_reinterpreted_place(n: Node, operand: Node) -> bool:
    """`reinterpret_cast<T&>(place)`: its cursor has the type T, but is no pointer cast."""
    kinds = ("POINTER", "ULONG", "ULONGLONG", "LONG", "LONGLONG")
    return n.type.get_canonical().kind.name not in kinds and (
        operand.type.get_canonical().kind.name != "POINTER"
    )


def reinterpreted(r: FunctionReader, place: Expr, t: Type) -> Expr:
    """The place `place` seen as type `t`."""
    if place.type == t:
        return place
    if not is_place(place):
        place = r.temp(place, place.type)
    return Index(Cast(AddressOf(place, Pointer(place.type)), Pointer(t)), Const(0, I32), t)


@expression("DECL_REF_EXPR")
def _name(r: FunctionReader, n: Node) -> Expr:
    if n.ref is None:
        if n.kids:  # a template's argument in its place
            return converted(r, r.expr(n.kids[-1]), n)
        r.fail("XP0207", f"{n.name!r} is not declared")
    return declared(r, n.ref, n)


def declared(r: FunctionReader, decl: Node, at: Node) -> Expr:
    """The place or value of a declared name."""
    if decl.key in r.places:
        return r.places[decl.key]
    if decl.kind == "ENUM_CONSTANT_DECL":
        return _enumerator(r, decl, at)
    if decl.kind in ("VAR_DECL", "PARM_DECL", "UNEXPOSED_DECL", "FIELD_DECL"):
        return _variable(r, decl, at)
    if decl.kind == "NON_TYPE_TEMPLATE_PARAMETER":
        value = at.evaluate()
        if value is not None:
            return const(value, r.unit.types(at.type))
    r.fail("XP0207", f"the name {at.name!r} is not understood here")


def _enumerator(r: FunctionReader, decl: Node, at: Node) -> Expr:
    t = r.unit.types(at.type)
    value = int(decl.c.enum_value)
    if decl.in_stub or not isinstance(t, Scalar):
        return const(value, t)
    return r.unit.named_constant(decl.name, value, t, str(value))


def _variable(r: FunctionReader, decl: Node, at: Node) -> Expr:
    words = r.unit.words
    if decl.name in words.values and decl.in_stub:
        from xpiler.frontend import inline

        return inline.run(r, r.unit.stub_function(words.values[decl.name]), [], [], None)
    if decl.name in words.axes and decl.in_stub:
        coordinate = axis(words.axes[decl.name])
        t = r.unit.types(decl.type)
        return convert(coordinate, t) if isinstance(t, Scalar) else coordinate
    t = r.unit.types(decl.type)
    constant = constant_variable(r, decl, t)
    if constant is not None:
        return constant
    if decl.c.semantic_parent.kind.name in _FILE_SCOPES:
        return _at_file_scope(r, decl, t)
    r.fail("XP0209", f"{at.name!r} depends on a statement that was left out")


def _at_file_scope(r: FunctionReader, decl: Node, t: Type) -> Expr:
    """A variable outside functions; shared memory declared there belongs to each function."""
    if any(k.kind == "CUDASHARED_ATTR" for k in decl.kids):
        var = r.declare(decl, t)
        dynamic = isinstance(t, Array) and t.size is None
        r.prologue.append(Decl(var, None, "shared", dynamic, loc=r.unit.loc(decl)))
    else:
        found = r.unit.global_var(decl)
        assert isinstance(found, Var)
        var = found
    r.memory.add(var.name)
    return var


def constant_variable(r: FunctionReader, decl: Node, t: Type) -> Expr | None:
    """The value of a constant scalar that the compiler knows; it keeps its name where it can."""
    if not (isinstance(t, Scalar) and decl.type.is_const_qualified()):
        return None
    if t.is_float and decl.c.semantic_parent.kind.name not in _FILE_SCOPES:
        return None  # a local keeps its declaration; nobody needs its value
    value = decl.evaluate()
    if value is None:
        return None
    if decl.in_stub or r.frame.inlined or decl.file != r.unit.source.path or len(decl.name) < 2:
        return const(value, t)
    return r.unit.named_constant(decl.name, value, t, _constant_text(r, decl, value))


def _constant_text(r: FunctionReader, decl: Node, value: int | float) -> str:
    """How the initial value is written, when that means the same anywhere; else its value."""
    init = decl.init
    macros = r.unit.source.macros
    if init is not None and init.kind in ("INTEGER_LITERAL", "FLOATING_LITERAL", "BINARY_OPERATOR"):
        text = r.unit.source.slice(init.start, init.end).strip()
        known = macros.evaluate(text)
        if known is not None and const(known, r.unit.types(decl.type)).value == value:
            return text if init.kind.endswith("LITERAL") else f"({text})"
    return repr(value)


def axis(level: str) -> Expr:
    """The axis named by the tables: `thread` (three coordinates), `thread.x`, `lane`."""
    if "." in level:
        name, dim = level.split(".")
        return Axis(name, dim)  # type: ignore[arg-type]
    if level in ("lane", "warp_size"):
        return Axis(level, "")  # type: ignore[arg-type]
    three = tuple(Axis(level, d) for d in ("x", "y", "z"))  # type: ignore[arg-type]
    return Aggregate(three, Vector(U32, 3))


@expression("MEMBER_REF_EXPR")
def _member(r: FunctionReader, n: Node) -> Expr:
    kids = [k for k in n.kids if not k.kind.endswith("_REF") or k.kind == "MEMBER_REF_EXPR"]
    if n.ref is not None and n.ref.kind == "VAR_DECL":
        return _variable(r, n.ref, n)
    if n.ref is not None and n.ref.kind == "ENUM_CONSTANT_DECL":
        return _enumerator(r, n.ref, n)
    if kids:
        base = r.expr(_named_object(kids[0]))
    elif r.frame.this is not None:
        base = r.frame.this
    else:
        r.fail("XP0207", f"member {n.name!r} without an object")
    if isinstance(base.type, Pointer):
        base = Index(base, Const(0, I32), base.type.elem)
    return member(r, _inside_unnamed(r, base, n), n.name, n)


def _named_object(n: Node) -> Node:
    """Below accesses to unnamed unions and structs, which libclang shows only in part."""
    while n.kind == "MEMBER_REF_EXPR" and n.ref is not None and n.kids and is_unnamed(n.ref.c):
        n = n.kids[0]
    return n


def _inside_unnamed(r: FunctionReader, base: Expr, n: Node) -> Expr:
    """The unnamed union or struct inside `base` that holds the member `n`."""
    if n.ref is None or n.ref.kind != "FIELD_DECL":
        return base
    chain: list[Any] = []
    record = n.ref.c.semantic_parent
    while "(anonymous" in str(record.type.spelling) or "(unnamed" in str(record.type.spelling):
        outer = record.semantic_parent
        if outer is None or outer.kind.name not in ("STRUCT_DECL", "UNION_DECL", "CLASS_DECL"):
            break
        chain.insert(0, record)
        record = outer
    for record in chain:
        base = _unnamed_member(r, base, record)
    return base


def _unnamed_member(r: FunctionReader, base: Expr, record: Any) -> Expr:
    if isinstance(base.type, Vector):
        return base
    t = r.unit.types(record.type)
    outer = record.semantic_parent
    if outer.kind.name == "UNION_DECL":
        return reinterpreted(r, base, t)
    for i, f in enumerate(outer.type.get_fields()):
        if str(f.type.get_canonical().spelling) == str(record.type.get_canonical().spelling):
            return Field(base, field_name(f, i), t)
    r.fail("XP0207", "an unnamed member was not found")


def member(r: FunctionReader, base: Expr, name: str, n: Node) -> Expr:
    """`base.name`, looking through aggregates and unions."""
    if isinstance(base, Aggregate) and isinstance(base.type, (Vector, Struct)):
        return _item(r, base, name, n)
    if isinstance(base, Index) and isinstance(base.base, Cast):
        pass
    parent = n.ref.c.semantic_parent if n.ref is not None else None
    if parent is not None and parent.kind.name == "UNION_DECL":
        return reinterpreted(r, base, r.unit.types(n.type))
    t = r.unit.types(n.type)
    if isinstance(base.type, Vector):
        return Field(base, _lane(base.type, name), base.type.elem)
    if isinstance(base.type, Fragment):
        return Field(base, "x", Array(base.type.elem, base.type.count(r.unit.wave)))
    return Field(base, name, t)


def _lane(t: Vector, name: str) -> str:
    for i in range(t.lanes):
        if name in (lane_name(t, i), f"s{i:x}", "xyzw"[i] if i < 4 else ""):
            return lane_name(t, i)
    return name


def _item(r: FunctionReader, base: Aggregate, name: str, n: Node) -> Expr:
    if isinstance(base.type, Vector):
        names = [lane_name(base.type, i) for i in range(base.type.lanes)]
        item_type: Type = base.type.elem
        name = _lane(base.type, name)
    else:
        fields = r.unit.fields(base.type)
        names = [f for f, _ in fields]
        item_type = dict(fields).get(name, r.unit.types(n.type))
    at = names.index(name) if name in names else len(base.items)
    return base.items[at] if at < len(base.items) else zero(item_type)


@expression("ARRAY_SUBSCRIPT_EXPR")
def _subscript(r: FunctionReader, n: Node) -> Expr:
    base, index = r.operands(n.kids)
    if isinstance(index.type, (Pointer, Array)):
        base, index = index, base
    return element_of(r, base, index, n)


def element_of(r: FunctionReader, base: Expr, index: Expr, n: Node) -> Expr:
    """`base[index]`, `(p + i)[0]` being `p[i]`."""
    if isinstance(base, Aggregate):
        base = r.temp(base, base.type)
    base = _vector_seen_as_array(base) or base
    if isinstance(base.type, (Pointer, Array, Vector)):
        return Index(base, index, base.type.elem)
    return Index(base, index, r.unit.types(n.type))


def _vector_seen_as_array(x: Expr) -> Expr | None:
    """The vector whose lanes, an array beside them in a union, `x` names."""
    seen = x.base.x if isinstance(x, Index) and isinstance(x.base, Cast) else None
    v = seen.x if isinstance(seen, AddressOf) else None
    if v is None or not isinstance(v.type, Vector):
        return None
    return v if x.type == Array(v.type.elem, v.type.lanes) else None


@expression("INIT_LIST_EXPR")
def _init_list(r: FunctionReader, n: Node) -> Expr:
    return init_list(r, n, r.unit.types(n.type))


def init_list(r: FunctionReader, n: Node, t: Type) -> Expr:
    """`{a, b}` for a value of type `t`."""
    if isinstance(t, (Scalar, Pointer)):
        return r.value(n.kids[0], t) if n.kids else zero(t)
    types = item_types(r, t)
    kids = n.kids
    if isinstance(t, Vector) and len(kids) == 1 and kids[0].kind == "INIT_LIST_EXPR":
        return init_list(r, kids[0], t)
    if len(kids) == 1 and r.unit.types(kids[0].type) == t and kids[0].kind != "INIT_LIST_EXPR":
        return r.expr(kids[0])
    if any(map(_is_designated, kids)):
        return _designated(r, kids, t)
    if any(_elided(r, k, types[min(i, len(types) - 1)]) for i, k in enumerate(kids)):
        rest = list(kids)
        return _braced(r, rest, t)
    readers = [_item_reader(r, k, types[min(i, len(types) - 1)]) for i, k in enumerate(kids)]
    values = r.in_order(readers)
    return Aggregate(tuple(values), t)


def _is_designated(k: Node) -> bool:
    return k.kind == "UNEXPOSED_EXPR" and len(k.kids) > 1


def _designated(r: FunctionReader, kids: Sequence[Node], t: Type) -> Aggregate:
    """`{.b = x, .a = y}` and `{[2] = x, y}` in the order of the items; those left out are zero."""
    names = [name for name, _ in r.unit.fields(t)] if isinstance(t, Struct) else []
    types = item_types(r, t)
    readers: dict[int, Callable[[], Expr]] = {}
    at = -1
    for k in kids:
        at += 1
        if _is_designated(k):
            place, *values = k.kids
            number = names.index(place.name) if place.name in names else place.evaluate()
            if len(values) != 1 or number is None:
                r.fail("XP0207", "this designated initialiser is not understood")
            at, k = int(number), values[0]
        item = types[min(at, len(types) - 1)]
        if _elided(r, k, item) or at in readers:
            r.fail("XP0207", "this designated initialiser is not understood")
        readers[at] = _item_reader(r, k, item)
    given = dict(zip(readers, r.in_order(list(readers.values())), strict=True))
    every = range(max(given) + 1)
    return Aggregate(tuple(given.get(i) or zero(types[min(i, len(types) - 1)]) for i in every), t)


def _elided(r: FunctionReader, k: Node, t: Type) -> bool:
    """Whether `k` starts an item of type `t` whose own braces are left out."""
    if k.kind == "INIT_LIST_EXPR" or not isinstance(t, (Array, Struct, Vector)):
        return False
    return k.stripped().kind != "STRING_LITERAL" and r.unit.types(k.type) != t


def _braced(r: FunctionReader, rest: list[Node], t: Type) -> Aggregate:
    """An aggregate of type `t` from the expressions in `rest`, which it uses up."""
    types = item_types(r, t)
    count = t.size if isinstance(t, Array) else t.lanes if isinstance(t, Vector) else len(types)
    items: list[Expr] = []
    while rest and (count is None or len(items) < count):
        item = types[min(len(items), len(types) - 1)]
        if _elided(r, rest[0], item):
            items.append(_braced(r, rest, item))
        else:
            items.append(initial(r, rest.pop(0), item))
    return Aggregate(tuple(items), t)


def _item_reader(r: FunctionReader, k: Node, t: Type) -> Callable[[], Expr]:
    return lambda: initial(r, k, t)


def item_types(r: FunctionReader, t: Type) -> list[Type]:
    if isinstance(t, Array):
        return [t.elem]
    if isinstance(t, Vector):
        return [t.elem]
    return [ft for _, ft in r.unit.fields(t)] or [t]


def initial(r: FunctionReader, n: Node, t: Type) -> Expr:
    """An initial value for a variable or item of type `t`."""
    if n.kind == "INIT_LIST_EXPR":
        return init_list(r, n, t)
    value = r.expr(n)
    return value if isinstance(t, (Struct, Array)) else convert(value, t)


@expression("COMPOUND_LITERAL_EXPR")
def _compound_literal(r: FunctionReader, n: Node) -> Expr:
    return initial(r, n.kids[-1], r.unit.types(n.type))


@expression("CXX_UNARY_EXPR", "SIZE_OF_PACK_EXPR", "UNKNOWN")
def _size(r: FunctionReader, n: Node) -> Expr:
    value = n.evaluate()
    t = r.unit.types(n.type)
    if value is None:
        size = runtime_size(r, n) if n.kind == "CXX_UNARY_EXPR" else None
        return size or r.fail("XP0207", "the value of this expression is not known")
    file, offset = n.spelled()
    text = r.unit.source.sizeof_at(offset) if file == r.unit.source.path else ""
    return const(value, t, f"sizeof({text})" if text in _PLAIN_SIZES else None)


@expression("CXX_THIS_EXPR")
def _this(r: FunctionReader, n: Node) -> Expr:
    if r.frame.this is None:
        r.fail("XP0207", "`this` outside a member function")
    return address(r.frame.this)


def address(place: Expr, const_q: bool = False) -> Expr:
    """`&place`; `&p[0]` is `p` and `&*p` too."""
    behind = isinstance(place, Index) and isinstance(place.base.type, Pointer)
    if behind and isinstance(place, Index) and const_int(place.index) == 0:
        return place.base
    return AddressOf(place, Pointer(place.type, const_q))


@expression("StmtExpr")
def _statement_expression(r: FunctionReader, n: Node) -> Expr:
    kids = n.kids[0].kids
    for k in kids[:-1]:
        r.statement(k)
    last = r.expr(kids[-1]) if kids else zero(I32)
    return last


@expression("LAMBDA_EXPR")
def _lambda(r: FunctionReader, n: Node) -> Expr:
    r.fail("XP0210", "a lambda is only understood where it is called or bound to a name")


@expression("TYPE_REF", "NAMESPACE_REF", "TEMPLATE_REF")
def _stray(r: FunctionReader, n: Node) -> Expr:
    r.fail("XP0207", "a type stands where a value is wanted")


def as_var(e: Expr) -> Var | None:
    return e if isinstance(e, Var) else None


__all__ = ["address", "axis", "converted", "declared", "element_of", "initial", "is_reference"]
_ = simple
