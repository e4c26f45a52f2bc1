"""Structs and short vectors as values of the footprint interpreter: made, read, changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from itertools import islice

from xpiler.ir import expr as e
from xpiler.ir.program import Program
from xpiler.ir.types import Array, Struct, Type, Vector
from xpiler.verify.inference import values as v
from xpiler.verify.inference.entries import MOST_PARTS, fields, leaves
from xpiler.verify.inference.values import TOP, Interval, Record, Value

Number = Callable[[e.Expr], Interval]


def parts(program: Program, t: Type) -> Iterator[tuple[str, Type]]:
    """What a value of `t` consists of, by the names in a record: `first`, `x`, `[2]`."""
    if isinstance(t, Struct):
        yield from fields(program, t)
    elif isinstance(t, Vector):
        yield from ((lane, t.elem) for lane in v.lanes(t))
    elif isinstance(t, Array):
        yield from ((f"[{i}]", t.elem) for i in range(t.size or 0))


def made(program: Program, t: Type, name: str, leaf: Callable[[str, Type], Value]) -> Value:
    """A value called `name`, its numbers and pointers as `leaf` says by name and type."""
    if not isinstance(t, (Struct, Vector, Array)):
        return leaf(name, t)
    dot = "" if isinstance(t, Array) else "."
    inner = parts(program, t)
    return Record({n: made(program, x, f"{name}{dot}{n}", leaf) for n, x in inner})


def held(env: Mapping[str, Value], x: e.Expr, number: Number) -> Value | None:
    """What a variable, or a part of one, holds; None where that lies in memory."""
    if isinstance(x, e.Var):
        found = env.get(x.name)
        return found if isinstance(found, Record) else None
    if not isinstance(x, (e.Field, e.Index)):
        return None
    whole = held(env, x.base, number)
    if not isinstance(whole, Record):
        return None
    if isinstance(x, e.Field):
        return whole.fields.get(x.name, TOP)
    chosen = [value for _, value in _chosen(whole, number(x.index))]
    return reduce(v.join, chosen) if chosen else TOP


def contents(program: Program, env: Mapping[str, Value], x: e.Var) -> dict[int, Value]:
    """What lies in a struct that a variable holds, by offset; nothing where that is not known."""
    if not isinstance(env.get(x.name), Record) or not isinstance(x.type, Struct):
        return {}
    found = list(islice(leaves(program, x, x.name), MOST_PARTS + 1))
    inner = ((v.place(part, program), held(env, part, _constant)) for _, part in found)
    few = len(found) <= MOST_PARTS
    return {at: TOP if value is None else value for at, value in inner} if few else {}


def _constant(x: e.Expr) -> Interval:
    return v.point(x.value) if isinstance(x, e.Const) else TOP


def _chosen(whole: Record, index: Interval) -> list[tuple[str, Value]]:
    """The elements that an index may mean."""
    return [item for i, item in enumerate(whole.fields.items()) if index.lo <= i <= index.hi]


def changed(env: Mapping[str, Value], x: e.Expr, value: Value, number: Number) -> Value | None:
    """The variable that `x` is a part of after `x = value`; None where that lies in memory."""
    while not isinstance(x, e.Var):
        if not isinstance(x, (e.Field, e.Index)):
            return None
        whole = held(env, x.base, number)
        if not isinstance(whole, Record):
            return None
        if isinstance(x, e.Field):
            value = Record({**whole.fields, x.name: value})
        else:
            places = _chosen(whole, number(x.index))
            new = {n: value if len(places) == 1 else v.join(old, value) for n, old in places}
            value = Record({**whole.fields, **new})
        x = x.base
    return value


def root(x: e.Expr) -> str:
    """The name of the variable that a part belongs to, which `changed` has found to be one."""
    while isinstance(x, (e.Field, e.Index)):
        x = x.base
    assert isinstance(x, e.Var)
    return x.name


def told(
    program: Program, data: Mapping[str, Interval], buffer: str, x: e.Expr
) -> Interval | Record | None:
    """What `data` says of the integers that `x` loads from a buffer, or from structs in one."""
    if buffer in data or not data:
        return data.get(buffer)
    name = buffer + _path(x)
    if not isinstance(x.type, Struct):
        return data.get(name)
    if not any(known.startswith(f"{name}.") for known in data):
        return None
    whole = made(program, x.type, name, lambda part, _: data.get(part, TOP))
    return whole if isinstance(whole, Record) else None


def _path(x: e.Expr) -> str:
    """The fields that lead to a place in a struct of a buffer; their arrays count as a whole."""
    if isinstance(x, e.Field):
        return f"{_path(x.base)}.{x.name}"
    return _path(x.base) if isinstance(x, e.Index) and isinstance(x.base.type, Array) else ""
