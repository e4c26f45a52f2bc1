"""Types with rows: `float (*a)[n]`, `float m[rows][cols]` and local arrays of variable length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from typing import Any

from xpiler.frontend.cursor import Node
from xpiler.frontend.flatten import RuntimeArray, flat_type, total
from xpiler.frontend.reader import FunctionReader, simple
from xpiler.frontend.types import constant_elements, size_of, variable_length
from xpiler.ir.expr import Binary, Cast, Const, Expr, Var
from xpiler.ir.rewrite import walk_exprs
from xpiler.ir.stmt import Decl, Instr
from xpiler.ir.types import (
    F32,
    F64,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    Array,
    Pointer,
    Type,
)


def to_rows(t: Any) -> bool:
    """Whether a type is a pointer to arrays (or a parameter that is one)."""
    t = t.get_canonical()
    if t.kind.name == "POINTER":
        return bool(t.get_pointee().get_canonical().kind.name in ("CONSTANTARRAY", "VARIABLEARRAY"))
    return variable_length(t) or (
        t.kind.name in ("CONSTANTARRAY", "INCOMPLETEARRAY")
        and t.element_type.get_canonical().kind.name == "CONSTANTARRAY"
    )


def row_type(r: FunctionReader, t: Any, kids: Sequence[Node]) -> Type:
    """The pointer type that a parameter, variable or cast of type `t` has.

    `kids` are the children of the declaration or cast: the extents among them, innermost first.
    """
    t = t.get_canonical()
    restrict = bool(t.is_restrict_qualified())
    pointee = t.get_pointee() if t.kind.name == "POINTER" else t.element_type
    inner = _array(r, pointee.get_canonical(), _extents(kids), t.kind.name != "POINTER")
    constant = constant_elements(pointee if t.kind.name == "POINTER" else t)
    return Pointer(inner, constant, restrict)


def declared_extent(r: FunctionReader, p: Node) -> Expr | None:
    """Elements of a parameter that is declared as an array with all its extents, as i64."""
    t = p.type.get_canonical()
    if r.role != "host" or t.kind.name not in ("CONSTANTARRAY", "VARIABLEARRAY"):
        return None
    return total(_array(r, t, _extents(p.kids), False))


def _extents(kids: Sequence[Node]) -> list[Node]:
    skip = ("_REF", "_ATTR", "_DECL")
    return [k for k in kids if k.kind == "DECL_REF_EXPR" or not k.kind.endswith(skip)]


def _array(r: FunctionReader, t: Any, extents: list[Node], outer: bool) -> Type:
    """An array type with the extents as they are written; `outer`: one more stands around it."""
    levels = []
    while t.kind.name in ("CONSTANTARRAY", "VARIABLEARRAY"):
        levels.append(t)
        t = t.element_type.get_canonical()
    found: Type = r.unit.types(t)
    written = len(extents) in (len(levels), len(levels) + outer)
    for i, level in enumerate(reversed(levels)):
        if written:
            found = RuntimeArray(found, None, _kept(r, r.expr(extents[i])))
        elif level.kind.name == "CONSTANTARRAY":
            found = Array(found, int(level.element_count))
        else:
            r.fail("XP0202", "the extents of this array type are not understood")
    return found


def _kept(r: FunctionReader, extent: Expr) -> Expr:
    """The value of an extent when it was declared."""
    changing = {key[2] for key in r.mutated_keys()}
    names = {n.name.split(".")[0] for n in walk_exprs(extent) if isinstance(n, Var)}
    return r.temp(extent, extent.type, "extent") if names & changing else extent


def declare_rows(r: FunctionReader, n: Node, init: Node | None) -> None:
    """A local pointer to rows, or an array of variable length (memory until the block ends)."""
    if n.type.get_canonical().kind.name == "POINTER":
        extents = n.kids if init is None else n.kids[:-1]
        t = row_type(r, n.type, extents)
        var = r.declare(n, t)  # its own initial value may ask for its size
        value = r.expr(init) if init is not None else None
        if value is not None and flat_type(value.type) != flat_type(t):
            value = Cast(value, t)
        r.emit(Decl(var, value))
        return
    if r.role != "host":
        r.fail("XP0202", "an array of variable length is only understood in host code")
    outer = _array(r, n.type.get_canonical(), _extents(n.kids), False)
    var = r.declare(n, outer)
    r.memory.add(var.name)
    r.emit(Decl(var))
    count = total(outer)
    scalar = flat_type(outer)
    assert isinstance(scalar, Pointer)
    size = Const(size_of(scalar.elem) or 1, U64, f"sizeof({n.type.spelling.split('[')[0].strip()})")
    wide = replace(count, type=U64) if isinstance(count, Const) else Cast(_narrow(count), U64)
    bytes_ = Binary("*", wide, size, U64)
    r.emit(Instr("host.alloc", (var,), (bytes_,), (("kind", "host"),)))
    r.owned.append(var)


def runtime_size(r: FunctionReader, n: Node) -> Expr | None:
    """A `sizeof` of something whose extents are values (C11 6.5.3.4); None where it is constant."""
    if len(n.kids) == 1 and variable_length(n.kids[0].type):
        t = r.expr(n.kids[0]).type
        return _bytes(total(t), _innermost(t)) if isinstance(t, Array) else None
    # Of a type: a reference to its element where that has a name, and the extents, each twice.
    elem = next((r.unit.types(k.type) for k in n.kids if k.kind == "TYPE_REF"), None)
    if elem is None:
        file, offset = n.spelled()
        source = r.unit.source
        elem = _PLAIN.get(source.sizeof_rows_at(offset) if file == source.path else "")
    written = {k.spelled(): k for k in _extents(n.kids)}
    if elem is None or not written:
        return None
    sizes = [r.expr(k) for _, k in sorted(written.items(), key=lambda x: x[0])]
    return _bytes(reduce(lambda a, b: Binary("*", _wide(a), _wide(b), I64), sizes), elem)


def _wide(x: Expr) -> Expr:
    return x if x.type == I64 else Cast(x, I64)


def _innermost(t: Type) -> Type:
    while isinstance(t, Array):
        t = t.elem
    return t


def _bytes(count: Expr, elem: Type) -> Expr | None:
    size = size_of(elem)
    if size is None:
        return None
    name = next((c for c, t in _PLAIN.items() if t == elem), None)
    each = Const(size, U64, f"sizeof({name})" if name else None)
    wide = replace(count, type=U64) if isinstance(count, Const) else Cast(_narrow(count), U64)
    return Binary("*", wide, each, U64)


_PLAIN = {
    "float": F32, "double": F64, "int": I32, "char": I8, "short": I16, "long": I64,
    "signed char": I8, "unsigned char": U8, "unsigned short": U16, "unsigned": U32,
    "unsigned int": U32, "unsigned long": U64, "long long": I64, "unsigned long long": U64,
}  # fmt: skip


def _narrow(count: Expr) -> Expr:
    """A single extent without the widening of index arithmetic."""
    inner = count.x if isinstance(count, Cast) and count.type == I64 else count
    return inner if simple(inner) else count
