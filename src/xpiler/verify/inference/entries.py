"""Which functions of a program can be run to compare source and target."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice

from xpiler.analysis.effects import names_in
from xpiler.analysis.readonly import read_by_field
from xpiler.diagnostics import Diagnostic, XpilerError
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import walk
from xpiler.ir.types import I32, VOID, Array, Opaque, Pointer, Scalar, Struct, Type, Vector
from xpiler.verify.inference.candidates import is_integer, reachable
from xpiler.verify.inference.values import field_offset, lanes, size_of


def entries(program: Program, wanted: str | None = None) -> tuple[Function, ...]:
    """The functions to run: host functions that launch, else the kernels.

    In a program without kernels (plain C) they are the functions that others can call.
    Of functions that call each other the outermost one counts; `main` and functions with
    parameters that cannot be made up are passed over, unless they are kernels that nothing
    launches: how those are launched is to be found out, too. Raises XpilerError: XP0302, XP0307.
    """
    if wanted is not None:
        return (_named(program, wanted),)
    device = bool(program.kernels())
    hosts = [
        f
        for f in program.functions
        if f.role == "host"
        and f.name != "main"
        and (launches(program, f) if device else not f.static)
    ]
    usable = [f for f in hosts if testable(program, f)]
    inner = {g.name for f in usable for g in reachable(program, f) if g is not f}
    outer = tuple(f for f in usable if f.name not in inner)
    covered = {k for f in outer for k in launched(program, f)}
    told = {k for f in program.functions if f.role == "host" for k in launched(program, f)}
    loose = tuple(
        k
        for k in program.kernels()
        if k.name not in covered and (testable(program, k) or k.name not in told)
    )
    found = outer + loose
    if not found:
        raise XpilerError(_nothing(program, hosts))
    return found


def _nothing(program: Program, hosts: Sequence[Function]) -> Diagnostic:
    """Why there is nothing to run: the parameter of the outermost function that has no value."""
    inner = {g.name for f in hosts for g in reachable(program, f) if g is not f}
    outer = [f for f in hosts if f.name not in inner]
    told = next(filter(None, (untestable(program, f) for f in outer)), None)
    if told is not None:
        return told
    what = "no function's parameters can be given values" if hosts else "nothing to run"
    code = "XP0307" if hosts or program.kernels() else "XP0302"
    return Diagnostic(code, f"{program.file}: {what}", help="name one with --entry")


def _named(program: Program, name: str) -> Function:
    for f in program.functions:
        if re.sub(r"\s", "", name) in (f.name, re.sub(r"\s", "", f.symbol or "")):
            return f
    known = ", ".join(f.name for f in program.functions) or "none"
    raise XpilerError(
        Diagnostic("XP0302", f"there is no function {name}", reason=f"known: {known}")
    )


def launched(program: Program, f: Function) -> set[str]:
    """Names of the kernels that `f` launches, directly or through others."""
    return {
        n.kernel for g in reachable(program, f) for n in walk(g.body) if isinstance(n, s.Launch)
    }


def launches(program: Program, f: Function) -> bool:
    return bool(launched(program, f))


def untestable(program: Program, f: Function) -> Diagnostic | None:
    """Why `f` cannot be run: the parameter that no test value can be made for."""
    bad = next((p for p in handed(program, f) if not _testable(program, p)), None)
    if bad is None:
        return None
    message = f"{f.name} cannot be run: no value can be made for its parameter {bad.name}"
    reason = f"its type is {bad.type}"
    t = bad.type.elem if isinstance(bad.type, Pointer) else bad.type
    if isinstance(t, Struct):
        inner = islice(leaves(program, e.Var(bad.name, t), bad.name), MOST_PARTS)
        part = next((e.Var(n, x.type) for n, x in inner if isinstance(x.type, Pointer)), None)
        reason += f", which holds {part.name} of type {part.type}" if part is not None else ""
    return Diagnostic("XP0307", message, loc=f.loc, reason=reason, help=_PLAIN)


_PLAIN = (
    "add a function that takes numbers, arrays and structs of them by value, and calls this one;"
    " or name another one with --entry"
)
MOST_PARTS = 64  # numbers and pointers in a parameter that is passed by value


def testable(program: Program, f: Function) -> bool:
    """Whether every parameter can be given a test value."""
    return untestable(program, f) is None


def _testable(program: Program, p: e.Var) -> bool:
    parts = list(islice(leaves(program, p, p.name), MOST_PARTS + 1))
    return len(parts) <= MOST_PARTS and all(
        isinstance(x.type, (Scalar, Opaque)) or _is_buffer(program, x.type) for _, x in parts
    )


def _is_buffer(program: Program, t: Type) -> bool:
    if not isinstance(t, Pointer) or t.elem == VOID:
        return False
    return numbers(program, t.elem) is not None or bool(rows(program, t.elem))


def numbers(program: Program, t: Type) -> tuple[Scalar, int] | None:
    """The type and the count of the numbers that a value of `t` is a row of, without gaps."""
    found = [x.type for _, x in islice(leaves(program, e.Var("", t), ""), MOST_PARTS + 1)]
    kinds = set(found)
    kind = found[0] if len(kinds) == 1 and len(found) <= MOST_PARTS else None
    if not isinstance(kind, Scalar) or size_of(t, program) != len(found) * size_of(kind, program):
        return None
    return kind, len(found)


@dataclass(frozen=True, slots=True)
class Row:
    """Numbers of one kind side by side in a struct, `count` of them from byte `offset` on."""

    name: str
    kind: Scalar
    offset: int
    count: int


def rows(program: Program, t: Type, name: str = "", offset: int = 0) -> tuple[Row, ...]:
    """What a value of `t` consists of, by field; nothing where that is more than numbers."""
    if isinstance(t, Struct):
        given = fields(program, t)
        inner = [(f"{name}.{n}", offset + field_offset(t, n, program), f) for n, f in given]
    elif isinstance(t, (Array, Vector)):
        kind, many = t.elem, (t.size if isinstance(t, Array) else t.lanes) or 0
        step = size_of(kind, program)
        if isinstance(kind, (Scalar, Array, Vector)):
            one = rows(program, kind, name, offset)
            return tuple(replace(r, count=r.count * many) for r in one)
        inner = [(f"{name}[{i}]", offset + i * step, kind) for i in range(min(many, MOST_PARTS))]
        if many > MOST_PARTS:
            return ()
    else:
        return (Row(name, t, offset, 1),) if isinstance(t, Scalar) and t != VOID else ()
    found = [rows(program, part, n, at) for n, at, part in inner]
    total = tuple(chain.from_iterable(found))
    return total if all(found) and len(total) <= MOST_PARTS else ()


def integer_rows(program: Program, f: Function) -> dict[str, Scalar]:
    """The integers in the buffers of `f` by name: those of a buffer `x`, of structs `x.first`."""
    found: dict[str, Scalar] = {}
    for p in pointers(program, f):
        assert isinstance(p.type, Pointer)
        if isinstance(p.type.elem, (Scalar, Struct)):
            named = ((p.name + r.name, r.kind) for r in rows(program, p.type.elem))
            found |= {name: kind for name, kind in named if is_integer(kind)}
    return found


def fields(program: Program, t: Struct) -> tuple[tuple[str, Type], ...]:
    """The fields of a struct of the program, in order."""
    return next((d.fields for d in program.structs if d.name == t.name), ())


def leaves(program: Program, x: e.Expr, name: str) -> Iterator[tuple[str, e.Expr]]:
    """The numbers and pointers in a value called `name`: `p.range.first`, `p.dims[2]`, `v.x`."""
    t = x.type
    if isinstance(t, Struct):
        for field, inner in fields(program, t):
            yield from leaves(program, e.Field(x, field, inner), f"{name}.{field}")
    elif isinstance(t, Vector):
        for lane in lanes(t):
            yield f"{name}.{lane}", e.Field(x, lane, t.elem)
    elif isinstance(t, Array):
        for i in range(t.size or 0):
            yield from leaves(program, e.Index(x, e.Const(i, I32), t.elem), f"{name}[{i}]")
    else:
        yield name, x


def scalars(program: Program, f: Function) -> tuple[e.Var, ...]:
    """The scalar parameters, and the numbers in structs passed by value as `param.field`."""
    given = handed(program, f)
    return tuple(x for p in given for x in members(program, p) if isinstance(x.type, Scalar))


def pointers(program: Program, f: Function) -> tuple[e.Var, ...]:
    """The pointer parameters, and the pointers in structs passed by value as `param.field`."""
    given = handed(program, f)
    return tuple(x for p in given for x in members(program, p) if isinstance(x.type, Pointer))


def handed(program: Program, f: Function) -> tuple[e.Var, ...]:
    """The parameters; those that point to a struct to be read are structs as if passed by value.

    A `void *` that nothing is done with may be null, as a handle is.
    """
    read = read_by_field(program).get(f.name, frozenset())

    def given(p: e.Var) -> e.Var:
        if p.name in read and isinstance(p.type, Pointer):
            return e.Var(p.name, p.type.elem)
        if isinstance(p.type, Pointer) and p.type.elem == VOID and p.name not in names_in(f.body):
            return e.Var(p.name, Opaque("void*"))
        return p

    return tuple(map(given, f.params))


def members(program: Program, p: e.Var) -> tuple[e.Var, ...]:
    """A parameter, or what is in a struct or short vector as variables `param.field`."""
    return tuple(e.Var(name, x.type) for name, x in leaves(program, p, p.name))
