"""Structs that a function is handed by address only to read their fields: as if by value."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from xpiler.analysis.effects import names_in
from xpiler.analysis.memo import by_identity
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import Node, children, walk
from xpiler.ir.types import VOID, Array, Pointer, Scalar, Struct, Type

Known = Mapping[str, frozenset[str]]


@by_identity
def read_by_field(program: Program) -> Known:
    """By host function, its parameters that point to a constant struct read by field.

    In the struct are numbers, arrays of them, and pointers to numbers.

    Nothing else is done with such a pointer than handing it on to functions that do no more, and
    asking whether it is null to return early, before any loop. Functions called from outside and
    from within are left out.
    """
    called = {n.func for f in program.functions for n in walk(f.body) if isinstance(n, e.Call)}
    found = {
        f.name: {p.name for p in f.params if _of_numbers(program, p.type)}
        for f in program.functions
        if f.role == "host" and (f.static or f.name not in called)
    }
    own = {f.name: f for f in program.functions}
    while True:
        bad = {
            (f.name, name)
            for f in program.functions
            for name in found.get(f.name, ())
            if any(_used_otherwise(st, name, found, own) for st in f.body)
            or (f.static and any(is_null_test(n) and name in names_in(n) for n in walk(f.body)))
        } | set(_unlike(program, found, own))
        if not bad:
            return {n: frozenset(names) for n, names in found.items() if names}
        for function, name in bad:
            found[function].discard(name)


def _of_numbers(program: Program, t: Type) -> bool:
    """Whether `t` points to a constant struct of numbers, arrays of them and pointers to them."""
    return isinstance(t, Pointer) and t.const and isinstance(t.elem, Struct) and (
        _numbers(program, t.elem)
    )  # fmt: skip


def _numbers(program: Program, t: Type) -> bool:
    if isinstance(t, Array):
        return t.size is not None and _numbers(program, t.elem)
    if isinstance(t, Struct):
        fields = next((d.fields for d in program.structs if d.name == t.name), ())
        return bool(fields) and all(_numbers(program, f) for _, f in fields)
    if isinstance(t, Pointer):
        return isinstance(t.elem, Scalar) and t.elem != VOID
    return isinstance(t, Scalar)


def pointed_to(x: e.Expr) -> e.Var | None:
    """The pointer `p` where `x` is the struct `*p`."""
    if not isinstance(x, e.Index) or not isinstance(x.base, e.Var):
        return None
    first = isinstance(x.index, e.Const) and x.index.value == 0
    return x.base if first and isinstance(x.base.type, Pointer) else None


def is_null_test(x: Node) -> bool:
    """Whether `x` compares a pointer with null."""
    if not isinstance(x, e.Binary) or x.op not in ("==", "!="):
        return False
    b = x.b.x if isinstance(x.b, e.Cast) else x.b
    return isinstance(b, e.Const) and b.value == 0 and isinstance(x.a.type, Pointer)


def _used_otherwise(
    st: s.Stmt, name: str, found: Mapping[str, set[str]], own: Mapping[str, Function]
) -> bool:
    """As `_otherwise`, for a statement of a function's body, which may return for null pointers."""
    if not isinstance(st, s.If) or not st.then or not isinstance(st.then[-1], s.Return):
        return _otherwise(st, name, found, own)
    tests = {id(n) for n in walk(st.cond) if is_null_test(n)}
    parts: tuple[Node, ...] = (st.cond, *st.then, *st.orelse)
    return any(_otherwise(c, name, found, own, tests) for c in parts)


def _otherwise(
    n: Node,
    name: str,
    found: Mapping[str, set[str]],
    own: Mapping[str, Function],
    tests: Collection[int] = (),
) -> bool:
    """Whether the pointer `name` is used in `n` other than to read fields, or in the `tests`."""
    if isinstance(n, e.Var):
        return n.name == name
    if id(n) in tests and isinstance(n, e.Binary) and isinstance(n.a, e.Var):
        return False
    if isinstance(n, e.AddressOf) and name in {v.name for v in _bases(n.x)}:
        return True
    if isinstance(n, e.Index) and pointed_to(n) is not None:
        return False
    skip = {id(a) for a in _handed_on(n, name, found, own)}
    return any(_otherwise(c, name, found, own, tests) for c in children(n) if id(c) not in skip)


def _bases(x: e.Expr) -> Iterator[e.Var]:
    """The variable that a place lies in, or behind; none behind a pointer that a field holds."""
    while isinstance(x, (e.Index, e.Field)):
        if isinstance(x, e.Index) and isinstance(x.base, e.Field) and _is_pointer(x.base):
            return
        x = x.base
    if isinstance(x, e.Var):
        yield x


def _is_pointer(x: e.Expr) -> bool:
    return isinstance(x.type, Pointer)


def _handed_on(
    n: Node, name: str, found: Mapping[str, set[str]], own: Mapping[str, Function]
) -> Iterator[e.Expr]:
    """The arguments of a call that are the pointer, for functions that only read its fields."""
    if isinstance(n, e.Call) and n.func in own:
        for p, a in zip(own[n.func].params, n.args, strict=False):
            if isinstance(a, e.Var) and a.name == name and p.name in found.get(n.func, ()):
                yield a


def _unlike(
    program: Program, found: Mapping[str, set[str]], own: Mapping[str, Function]
) -> Iterator[tuple[str, str]]:
    """Parameters for which some call has neither a variable's address nor such a pointer."""
    for f in program.functions:
        for n in walk(f.body):
            if not isinstance(n, e.Call) or n.func not in own:
                continue
            for p, a in zip(own[n.func].params, n.args, strict=False):
                if p.name not in found.get(n.func, ()):
                    continue
                passed_on = isinstance(a, e.Var) and a.name in found.get(f.name, ())
                of_variable = isinstance(a, e.AddressOf) and isinstance(a.x, e.Var)
                if not (passed_on or of_variable):
                    yield n.func, p.name
