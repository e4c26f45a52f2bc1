"""Loop recovery at warp level: shuffles, votes, divergent control, partial warps."""

from __future__ import annotations

import pytest
from compare import raised, same
from ir_words import IP, TX, at, c, iff, let, loop, op, program, put, shfl, var
from simt_interp import Buffer, Machine, Ptr

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Program
from xpiler.ir.types import I32, U32

X, Y, V, T, N = var("x", IP), var("y", IP), var("v"), var("t"), var("n")
FULL = c(0xFFFFFFFF, U32)
NUMBERS = [(k * 37 + 11) % 101 for k in range(128)]


def halving(kind: str) -> tuple[s.Stmt, ...]:
    o = var("o")
    step = (let(T, 0), shfl(kind, T, V, o), put(V, T, "+"))
    return (let(o, 16), s.While(op(">", o, 0), step, (put(o, 1, ">>"),)))


def test_shuffle_reduction_keeps_one_uniform_loop() -> None:
    body = (let(V, at(X, TX)), *halving("shfl_xor"), put(at(Y, TX), V))
    text = same(program(body, (X, Y)), [NUMBERS, [0] * 128], block=(128, 1, 1))
    assert text.count("while (o > 0)") == 1
    assert "i32[32]" in text
    assert "i32[128]" not in text


@pytest.mark.parametrize("kind", ["shfl", "shfl_up", "shfl_down", "shfl_xor"])
@pytest.mark.parametrize("width", [8, 32])
@pytest.mark.parametrize("amount", [0, 1, 5])
def test_shuffles(kind: str, width: int, amount: int) -> None:
    body = (let(V, at(X, TX)), let(T, 0), shfl(kind, T, V, amount, width), put(at(Y, TX), T))
    same(program(body, (X, Y)), [NUMBERS, [0] * 128], block=(64, 1, 1))


def test_neighbouring_shuffles_share_a_loop() -> None:
    a, b, d = e.Var("a", I32), e.Var("b", I32), e.Var("d", I32)
    body = (
        let(V, at(X, TX)),
        s.Decl(a),
        shfl("shfl_down", a, V, 1),
        s.Decl(b),
        shfl("shfl_down", b, op("*", V, 3), 2),
        s.Decl(d),
        shfl("shfl_xor", d, op("+", V, 5), 7),
        put(at(Y, TX), op("+", op("+", a, b), d)),
    )
    text = same(program(body, (X, Y)), [NUMBERS, [0] * 128])
    assert text.count("for lane") == 2


def test_divergent_lanes_vote_among_themselves() -> None:
    m, b = e.Var("m", U32), e.Var("b", U32)
    inside = (
        s.Instr("warp.activemask", (m,), ()),
        s.Instr("warp.ballot", (b,), (m, op("&", at(X, TX), 1))),
        put(at(Y, TX), e.Cast(e.Call("popcount", (b,), U32), I32)),
    )
    zero = (s.Decl(m, c(0, U32)), s.Decl(b, c(0, U32)))
    body = (*zero, iff(op(">", op("%", TX, 5), 1), *inside))
    same(program(body, (X, Y)), [NUMBERS, [0] * 128], block=(48, 1, 1))


@pytest.mark.parametrize("block", [(20, 1, 1), (6, 7, 1), (8, 8, 2), (32, 3, 1), (96, 1, 1)])
def test_every_block_shape_makes_the_same_warps(block: tuple[int, int, int]) -> None:
    b = e.Var("b", U32)
    tid = op("+", op("*", e.Cast(e.Axis("thread", "y"), I32), block[0]), TX)
    tid = op("+", op("*", e.Cast(e.Axis("thread", "z"), I32), block[0] * block[1]), tid)
    body = (
        let(T, tid),
        s.Decl(b, c(0, U32)),
        s.Instr("warp.ballot", (b,), (FULL, op("&", at(X, T), 1))),
        put(at(Y, T), e.Cast(b, I32)),
    )
    same(program(body, (X, Y)), [NUMBERS, [0] * 128], block=block)


def looped(body: tuple[s.Stmt, ...], hi: e.Expr) -> tuple[s.Stmt, ...]:
    i = var("i")
    return (loop(i, 0, hi, *body),)


def test_lanes_leave_a_loop_at_different_times() -> None:
    m, b = e.Var("m", U32), e.Var("b", U32)
    inside = (s.Instr("warp.activemask", (m,), ()), put(V, e.Cast(m, I32), "^"))
    zero = (let(V, 0), s.Decl(m, c(0, U32)), s.Decl(b, c(0, U32)))
    body = (*zero, *looped(inside, op("%", TX, 4)), put(at(Y, TX), V))
    text = same(program(body, (Y,)), [[0] * 128])
    assert "while any" in text


def test_return_of_whole_warps_costs_no_mask() -> None:
    """One row a warp: whether it exists is decided once for its lanes."""
    row = var("row")
    body = (
        let(row, e.Cast(e.Axis("thread", "y"), I32)),
        iff(op(">=", row, N), s.Return()),
        let(V, at(X, op("+", op("*", row, 32), TX))),
        *halving("shfl_down"),
        iff(op("==", TX, 0), put(at(Y, row), V)),
    )
    text = same(program(body, (X, Y, N)), [NUMBERS, [0] * 8, 3], block=(32, 4, 1))
    assert "if (row < n)" in text
    assert "active" not in text


def test_wave_of_64_lanes() -> None:
    body = (let(V, at(X, TX)), let(T, 0), shfl("shfl_xor", T, V, 32, 64), put(at(Y, TX), T))
    p: Program = program(body, (X, Y), wave=64)
    text = same(p, [NUMBERS, [0] * 128], block=(64, 1, 1))
    assert "^ 32" in text


@pytest.mark.parametrize("ctrl", [0x1B, 0x101, 0x112, 0x123, 0x138, 0x13C, 0x140, 0x141, 0x142])
def test_dpp_reads_each_lane_at_most_once_a_row(ctrl: int) -> None:
    """Data-parallel primitives of AMD: the result is a value of the wave, 0 or the old one."""
    attrs = (("ctrl", ctrl), ("row_mask", 15), ("bank_mask", 15), ("bound_ctrl", 0))
    body = (
        let(V, at(X, TX)),
        let(T, -1),
        s.Instr("warp.dpp", (T,), (c(-7), V), attrs),
        put(at(Y, TX), T),
    )
    new = raised(program(body, (X, Y), wave=64), (1, 1, 1), (64, 1, 1))
    out = [0] * 64
    numbers = [100 + k for k in range(64)]
    Machine(new).invoke(new.function("k"), [Ptr(Buffer(numbers), 0), Ptr(Buffer(out), 0)])
    assert all(v == -7 or v in numbers for v in out)
    assert len(set(out)) > 1


@pytest.mark.parametrize(
    ("cond", "whole"),
    [
        (op("<", TX, 32), True),
        (op(">=", TX, 64), True),
        (op(">", c(32), TX), True),
        (op(">", TX, 31), True),
        (op("<", TX, 48), False),
        (op(">", TX, 32), False),
    ],
)
def test_whole_warps_need_no_masks(cond: e.Expr, whole: bool) -> None:
    """`if (threadIdx.x < 32)` is decided once a warp; a bound inside a warp is not."""
    mask = s.Instr("warp.activemask", (e.Var("m", U32),), ())
    inside = (s.Decl(e.Var("m", U32)), mask, put(at(Y, TX), e.Cast(e.Var("m", U32), I32)))
    text = same(program((iff(cond, *inside),), (X, Y)), [NUMBERS, [0] * 128], block=(96, 1, 1))
    assert ("active" not in text) == whole


def test_a_number_below_a_multiple_of_the_wave_may_be_negative() -> None:
    """`(tid - 32) / 32` is 0 for all of warp 0 but its first lane: no value of the warp's."""
    tid, group = var("tid"), var("group")
    step = (let(tid, op("-", TX, 32)), let(group, op("/", tid, 32)), let(T, 0))
    vote = shfl("shfl", T, group, 5)
    body = (*step, vote, put(at(Y, TX), op("+", op("*", T, 10), group)))
    same(program(body, (X, Y)), [NUMBERS, [0] * 128], block=(96, 1, 1))
