"""What a program asks of its types: lanes reached by number, memory read as another type."""

from __future__ import annotations

from collections.abc import Iterator

from xpiler.backend.spelling import Spelling
from xpiler.backend.types import size_of
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import walk
from xpiler.ir.types import Array, Pointer, Scalar, Struct, Type, Vector


def numbered_vectors(program: Program) -> set[Vector]:
    """Vector types some lane of which is reached by a number that is no constant."""
    return {
        n.base.type
        for f in program.functions
        for n in walk(f.body)
        if isinstance(n, e.Index)
        and isinstance(n.base.type, Vector)
        and n.base.type.lanes <= 4
        and not isinstance(n.index, e.Const)
    }


def reinterpreted(f: Function) -> set[Type]:
    """Element types as which memory of another type is accessed, against C11 6.5 paragraph 7."""
    return {to for source, to in _pointer_casts(f.body) if _foreign(source, to)}


def _pointer_casts(body: s.Body) -> Iterator[tuple[Type, Type]]:
    for n in walk(body):
        if not (isinstance(n, e.Cast) and isinstance(n.type, Pointer)):
            continue
        if isinstance(n.x.type, (Pointer, Array)):
            yield _innermost(n.x.type.elem), n.type.elem


def _innermost(t: Type) -> Type:
    while isinstance(t, Array):
        t = t.elem
    return t


def _foreign(source: Type, to: Type) -> bool:
    """Whether reading a `source` as a `to` needs leave; bytes and a vector's own lanes do not."""
    if not isinstance(to, (Scalar, Vector)) or not isinstance(source, (Scalar, Vector)):
        return False
    parts = [t.elem if isinstance(t, Vector) else t for t in (source, to)]
    bytes_ = any((size_of(p) or 0) <= 1 for p in parts)
    return not bytes_ and _unsigned(parts[0]) != _unsigned(parts[1])


def _unsigned(t: Scalar) -> str:
    """The type's name, equal for the signed and the unsigned type of one width."""
    return t.name.replace("u", "i") if t.is_integer else t.name


def alias(t: Scalar, spelling: Spelling) -> Struct:
    """The name of `t` under which memory of any type may be read."""
    return Struct(f"{spelling.stems[t.name]}_alias")


def alias_typedef(t: Scalar, spelling: Spelling) -> str:
    """The definition of that name; gcc and clang both know the attribute."""
    name = alias(t, spelling).name
    return f"typedef {spelling.type_name(t)} __attribute__((may_alias)) {name};"
