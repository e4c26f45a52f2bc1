"""Loops that end where a struct says, which the function is lent only to read.

`while (r < s->rows)` asks again in every turn, since some store might change `*s`; the reader
leaves it like that. To find sizes, where a run decides afterwards, it is a loop of known length.
"""

from __future__ import annotations

from dataclasses import replace

from xpiler.analysis.effects import assigned
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import rewrite_stmts
from xpiler.ir.types import Pointer, Struct


def with_known_ends(program: Program) -> Program:
    """The program with such loops counted."""
    functions = tuple(_counted(f) for f in program.functions)
    same = all(a is b for a, b in zip(functions, program.functions, strict=True))
    return program if same else program.with_functions(functions)


def _counted(f: Function) -> Function:
    changing = assigned(f.body)
    fixed = {p.name for p in f.params} - changing
    lent = {
        p.name
        for p in f.params
        if p.name in fixed and isinstance(p.type, Pointer) and p.type.const
        if isinstance(p.type.elem, Struct)
    }
    if not lent:
        return f

    def one(st: s.Stmt) -> s.Stmt:
        loop = _loop(st) if isinstance(st, s.Scope) else None
        return loop if loop is not None and _is_told(loop.hi, lent, fixed) else st

    body: s.Body = rewrite_stmts(f.body, one)
    return f if body == f.body else replace(f, body=body)


def _loop(scope: s.Scope) -> s.For | None:
    """`for (T v = lo; v < hi; v += step)`, if that is what the scope holds."""
    if len(scope.body) != 2:
        return None
    d, loop = scope.body
    if not isinstance(d, s.Decl) or not isinstance(loop, s.While) or loop.do or d.init is None:
        return None
    cond, v = loop.cond, d.var
    if not (isinstance(cond, e.Binary) and cond.op == "<" and cond.a == v):
        return None
    step = loop.step[0] if len(loop.step) == 1 else None
    steps = isinstance(step, s.Assign) and step.target == v and step.op == "+"
    if not steps or v.name in assigned(loop.body):
        return None
    assert isinstance(step, s.Assign)
    by = step.value
    if not (isinstance(by, e.Const) and by.value > 0 and cond.b.type == v.type):
        return None
    return s.For(v, d.init, cond.b, by, loop.body, unroll=loop.unroll, loc=loop.loc)


def _is_told(x: e.Expr, lent: set[str], fixed: set[str]) -> bool:
    """Whether `x` is made of fields of such structs, parameters and numbers."""
    if isinstance(x, e.Field):
        while isinstance(x, (e.Field, e.Index)):
            x = x.base
        return isinstance(x, e.Var) and x.name in lent
    if isinstance(x, e.Var):
        return x.name in fixed
    if isinstance(x, (e.Cast, e.Unary)):
        return _is_told(x.x, lent, fixed)
    if isinstance(x, e.Binary):
        return _is_told(x.a, lent, fixed) and _is_told(x.b, lent, fixed)
    return isinstance(x, e.Const)


__all__ = ["with_known_ends"]
