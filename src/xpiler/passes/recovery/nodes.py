"""Statements and expressions that exist only while loops are recovered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import children, map_body, map_children
from xpiler.ir.types import BOOL, I32, Array, Fragment, Pointer, Scalar, Type

LevelName = Literal["grid", "block", "warp"]


@dataclass(frozen=True, slots=True)
class Guard(s.Stmt):
    """`body`, run by the units whose `mask` holds: an `if` that regions may be cut out of.

    `path` names the masks from the outermost to this one; `nonempty` says that some unit is in it.
    """

    mask: e.Expr
    body: s.Body
    path: tuple[str, ...] = ()
    nonempty: bool = False


@dataclass(frozen=True, slots=True)
class Zone(s.Stmt):
    """Control that is decided once, for those units that the masks in `path` let through."""

    path: tuple[str, ...]
    body: s.Body


@dataclass(frozen=True, slots=True)
class Split(s.Stmt):
    """All units of the level arrive before any goes on (left of a barrier or a collective).

    `exchange`: only to hand over values; it does not order memory.
    """

    level: LevelName
    exchange: bool = False


@dataclass(frozen=True, slots=True)
class Once(s.Stmt):
    """`body` runs once for the whole group of `level`, not once a unit."""

    level: LevelName
    body: s.Body


@dataclass(frozen=True, slots=True)
class Accumulate(s.Stmt):
    """`body` runs in every unit, one after the other, and may change the group's `var`."""

    level: LevelName
    var: e.Var
    body: s.Body


@dataclass(frozen=True, slots=True)
class Masked(s.Stmt):
    """A collective instruction in which only the units take part whose `mask` holds."""

    instr: s.Stmt
    mask: e.Expr
    path: tuple[str, ...] = ()
    nonempty: bool = False


@dataclass(frozen=True, slots=True)
class LaneRead(e.Expr):
    """The value of `var` in another unit of the group: the one with linear number `index`."""

    var: e.Var
    index: e.Expr
    type: Type


def bodies(st: s.Stmt) -> list[s.Body]:
    """The nested bodies of a statement, in source order."""
    if isinstance(st, s.If):
        return [st.then, st.orelse]
    if isinstance(st, s.While):
        return [st.body, st.step]
    if isinstance(st, s.Switch):
        return [c.body for c in st.cases]
    if isinstance(st, (s.For, s.Scope, Guard, Zone, Once, Accumulate)):
        return [st.body]
    return []


def with_bodies(st: s.Stmt, new: list[s.Body]) -> s.Stmt:
    """`st` with its bodies (as `bodies` lists them) replaced."""
    if isinstance(st, s.If):
        return replace(st, then=new[0], orelse=new[1])
    if isinstance(st, s.While):
        return replace(st, body=new[0], step=new[1])
    if isinstance(st, s.Switch):
        cases = tuple(replace(c, body=b) for c, b in zip(st.cases, new, strict=True))
        return replace(st, cases=cases)
    if isinstance(st, (s.For, s.Scope, Guard, Zone, Once, Accumulate)):
        return replace(st, body=new[0])
    return st


def statements(body: s.Body) -> Iterator[s.Stmt]:
    """Every statement in `body`, parents first."""
    for st in body:
        yield st
        for inner in bodies(st):
            yield from statements(inner)


def heads(st: s.Stmt) -> list[e.Expr]:
    """The expressions of the statement itself, without those of its bodies and places written."""
    if isinstance(st, s.For):
        return [st.lo, st.hi, st.step]
    if isinstance(st, (s.If, s.While)):
        return [st.cond]
    if isinstance(st, s.Switch):
        return [st.value]
    if isinstance(st, Guard):
        return [st.mask]
    if isinstance(st, s.Decl):
        return [st.init] if st.init is not None else []
    if isinstance(st, s.Assign):
        return [st.value]
    if isinstance(st, s.Return):
        return [st.value] if st.value is not None else []
    if isinstance(st, s.Eval):
        return [st.call]
    if isinstance(st, s.Instr):
        return list(st.ins)
    return [*heads(st.instr), st.mask] if isinstance(st, Masked) else []


def targets(st: s.Stmt) -> list[e.Expr]:
    """The places that the statement itself writes."""
    if isinstance(st, s.Assign):
        return [st.target]
    if isinstance(st, s.Instr):
        return list(st.outs)
    return targets(st.instr) if isinstance(st, Masked) else []


def escaping(st: s.Stmt) -> list[s.Stmt]:
    """The jumps in `st` (or `st` itself) whose target lies outside it."""
    found: list[s.Stmt] = []

    def go(x: s.Stmt, in_loop: bool, in_exit: bool) -> None:
        caught = in_exit if isinstance(x, s.Break) else in_loop
        if isinstance(x, s.Return) or (isinstance(x, (s.Break, s.Continue)) and not caught):
            found.append(x)
        loop = isinstance(x, (s.For, s.While))
        for inner in bodies(x):
            for y in inner:
                go(y, in_loop or loop, in_exit or loop or isinstance(x, s.Switch))

    go(st, False, False)
    return found


def fresh_statements(body: s.Body) -> s.Body:
    """`body` with every statement a new object, so that identity can name a place in the text."""

    def one(st: s.Stmt) -> s.Stmt:
        inner = [map_body(b, one) for b in bodies(st)]
        return with_bodies(st, inner) if inner else replace(st)

    return tuple(one(st) for st in body)


def edit(body: s.Body, f: Callable[[s.Stmt], s.Stmt | s.Body]) -> s.Body:
    """`body` with `f` applied to each statement, innermost first; results are spliced."""

    def one(st: s.Stmt) -> s.Stmt | s.Body:
        inner = bodies(st)
        new = [map_body(b, one) for b in inner]
        changed = any(n is not b for n, b in zip(new, inner, strict=True))
        return f(with_bodies(st, new) if changed else st)

    return map_body(body, one)


def edit_heads(st: s.Stmt, f: Callable[[e.Expr], e.Expr]) -> s.Stmt:
    """`st` with `f` applied to its own expressions and places, not to those in its bodies."""

    def go(node: object) -> object:
        return f(node) if isinstance(node, e.Expr) else node

    if isinstance(st, Accumulate):
        return st
    if isinstance(st, s.Decl):
        return replace(st, init=f(st.init)) if st.init is not None else st
    if isinstance(st, s.For):
        return replace(st, lo=f(st.lo), hi=f(st.hi), step=f(st.step))
    if isinstance(st, Masked):
        return replace(st, instr=map_children(st.instr, go), mask=f(st.mask))
    return map_children(st, go)


def negate(x: e.Expr) -> e.Expr:
    """`!x`; comparisons of integers are turned round (floats keep `!` because of NaN)."""
    flip: dict[str, e.BinaryOp] = {
        "<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "=="
    }  # fmt: skip
    if isinstance(x, e.Unary) and x.op == "!":
        return x.x
    if isinstance(x, e.Const):
        return e.Const(not x.value, BOOL)
    if isinstance(x, e.Binary) and x.op in flip:
        exact = isinstance(x.a.type, Scalar) and x.a.type.is_integer
        if exact or isinstance(x.a.type, Pointer) or x.op in ("==", "!="):
            return e.Binary(flip[x.op], x.a, x.b, BOOL)
    if isinstance(x, e.Binary) and x.op == "||":
        return e.Binary("&&", negate(x.a), negate(x.b), BOOL)
    return e.Unary("!", x, BOOL)


def both(a: e.Expr | None, b: e.Expr) -> e.Expr:
    """`a && b`, or `b` alone."""
    return b if a is None else e.Binary("&&", a, b, BOOL)


def const(value: int, t: Type = I32) -> e.Const:
    return e.Const(value, t)


TRUE, FALSE = e.Const(True, BOOL), e.Const(False, BOOL)


def own_variables(node: e.Expr | s.Stmt) -> set[str]:
    """Variables in `node`, those of other units that it reads not counted."""
    if isinstance(node, LaneRead):
        return own_variables(node.index)
    found = {node.name} if isinstance(node, e.Var) else set()
    for child in children(node):
        if isinstance(child, (e.Expr, s.Stmt)):
            found |= own_variables(child)
    return found


def is_fragment(t: Type) -> bool:
    """Whether `t` is a fragment or an array of fragments."""
    while isinstance(t, Array):
        t = t.elem
    return isinstance(t, Fragment)
