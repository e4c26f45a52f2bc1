"""One condition around a loop's body, where without it nothing is written that others see."""

from __future__ import annotations

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.types import F32, I32, Pointer
from xpiler.passes.cleanup.gates import _gated

AT, N = e.Var("i", I32), e.Var("n", I32)
OUT, ROW = e.Var("out", Pointer(F32)), e.Var("row", Pointer(F32))
SMALL = e.Binary("<=", N, e.Const(8, I32), I32)
ONE = e.Const(1.0, F32)


def loop(*body: s.Stmt) -> s.For:
    return s.For(AT, e.Const(0, I32), N, e.Const(1, I32), body)


def test_what_is_written_through_a_pointer_of_the_loop_is_seen_by_others() -> None:
    row = s.Decl(ROW, e.Binary("+", OUT, AT, ROW.type))
    store = s.Assign(e.Index(ROW, AT, F32), ONE)
    st = loop(row, s.If(SMALL, (store,), (store,)))
    assert _gated(st) is st


def test_the_condition_of_all_effects_goes_around_them() -> None:
    v = e.Var("v", F32)
    store = s.Assign(e.Index(OUT, AT, F32), v)
    st = loop(s.Decl(v, ONE), s.If(SMALL, (store,)))
    gated = _gated(st)
    assert isinstance(gated, s.For)
    assert isinstance(gated.body[-1], s.If)
    assert gated.body[-1].cond == SMALL
    assert store in gated.body[-1].then
