"""A few words to write IR by hand in tests."""

from __future__ import annotations

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.types import BOOL, F32, I32, U32, Array, Pointer, Type

FP = Pointer(F32)
IP = Pointer(I32)


def var(name: str, t: Type = I32) -> e.Var:
    return e.Var(name, t)


def c(v: int | float, t: Type | None = None) -> e.Const:
    return e.Const(v, t or (F32 if isinstance(v, float) else I32))


def ix(level: str, dim: str = "x") -> e.Expr:
    return e.Cast(e.Axis(level, dim), I32)  # type: ignore[arg-type]


TX, TY, BX, BY = ix("thread"), ix("thread", "y"), ix("block"), ix("block", "y")
BDX, GDX = ix("block_dim"), ix("grid_dim")


def op(o: str, a: e.Expr, b: e.Expr | int | float) -> e.Expr:
    if not isinstance(b, e.Expr):
        b = e.Const(b, a.type)
    t = BOOL if o in e.COMPARISONS or o in e.LOGICAL else a.type
    return e.Binary(o, a, b, t)  # type: ignore[arg-type]


def at(base: e.Expr, *idx: e.Expr | int) -> e.Expr:
    for i in idx:
        assert isinstance(base.type, (Pointer, Array))
        base = e.Index(base, i if isinstance(i, e.Expr) else c(i), base.type.elem)
    return base


def let(v: e.Var, x: e.Expr | int | float | None = None) -> s.Decl:
    init = e.Const(x, v.type) if isinstance(x, (int, float)) else x
    return s.Decl(v, init)


def put(t: e.Expr, x: e.Expr | int | float, o: str = "") -> s.Assign:
    return s.Assign(t, x if isinstance(x, e.Expr) else e.Const(x, t.type), o)  # type: ignore[arg-type]


def shared(name: str, t: Type) -> tuple[e.Var, s.Decl]:
    v = e.Var(name, t)
    return v, s.Decl(v, space="shared", dynamic=isinstance(t, Array) and t.size is None)


def iff(cond: e.Expr, *then: s.Stmt, orelse: tuple[s.Stmt, ...] = ()) -> s.If:
    return s.If(cond, then, orelse)


def loop(v: e.Var, lo: object, hi: object, *body: s.Stmt, step: object = 1) -> s.For:
    lo, hi, step = (x if isinstance(x, e.Expr) else c(x) for x in (lo, hi, step))  # type: ignore[arg-type]
    return s.For(v, lo, hi, step, body)


def shfl(kind: str, out: e.Expr, value: e.Expr, arg: e.Expr | int, width: int = 32) -> s.Instr:
    arg = arg if isinstance(arg, e.Expr) else c(arg)
    return s.Instr(f"warp.{kind}", (out,), (c(0xFFFFFFFF, U32), value, arg, c(width)))


SYNC = s.Barrier("block")


def program(body: tuple[s.Stmt, ...], params: tuple[e.Var, ...], wave: int = 32) -> Program:
    return Program((Function("k", params, body, role="kernel"),), wave=wave)
