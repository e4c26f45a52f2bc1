"""Loop recovery at block level: barriers, uniform loops, shared memory, early returns."""

from compare import same
from ir_words import (
    BDX,
    BX,
    BY,
    FP,
    SYNC,
    TX,
    TY,
    at,
    c,
    iff,
    let,
    loop,
    op,
    program,
    put,
    shared,
    var,
)

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Program
from xpiler.ir.types import F32, Array

X, Y, N = var("x", FP), var("y", FP), var("n")
INDEX, T = var("i"), var("t")
GLOBAL = op("+", op("*", BX, BDX), TX)
DATA = [float(k % 7) - 2.5 for k in range(256)]


def test_elementwise() -> None:
    body = (
        let(INDEX, GLOBAL),
        iff(op("<", INDEX, N), put(at(Y, INDEX), op("*", at(X, INDEX), 2.0))),
    )
    text = same(program(body, (X, Y, N)), [DATA[:50], [0.0] * 50, 50], (2, 1, 1), (32, 1, 1))
    assert "parallel for block" in text
    assert "parallel for t" in text


def test_early_return_becomes_a_guard() -> None:
    body = (
        let(INDEX, GLOBAL),
        iff(op(">=", INDEX, N), s.Return()),
        put(at(Y, INDEX), at(X, INDEX)),
    )
    text = same(program(body, (X, Y, N)), [DATA[:40], [0.0] * 40, 40], (2, 1, 1), (32, 1, 1))
    assert "return" not in text


def reduction() -> Program:
    red, decl = shared("red", Array(F32, 64))
    w, total = var("w"), var("total", F32)
    body = (
        decl,
        let(T, TX),
        put(at(red, T), at(X, op("+", op("*", BX, 64), T))),
        SYNC,
        let(w, c(32)),
        s.While(
            op(">", w, 0),
            (iff(op("<", T, w), put(at(red, T), at(red, op("+", T, w)), "+")), SYNC),
            (put(w, 1, ">>"),),
        ),
        let(total, at(red, 0)),
        put(at(Y, op("+", op("*", BX, 64), T)), op("/", at(X, op("+", op("*", BX, 64), T)), total)),
    )
    return program(body, (X, Y))


def test_infinity_is_compared_like_any_other_constant() -> None:
    red, decl = shared("red", Array(F32, 32))
    value = op("+", e.Cast(TX, F32), 0.25)
    other = at(red, op("^", TX, 1))
    body = (
        decl,
        put(at(red, TX), at(X, TX)),
        SYNC,
        iff(op(">", value, float("-inf")), put(at(Y, TX), other), orelse=(put(at(Y, TX), 0.0),)),
    )
    same(program(body, (X, Y)), [DATA[:32], [0.0] * 32])


def test_tree_reduction_has_a_scalar_loop() -> None:
    text = same(reduction(), [DATA[:128], [0.0] * 128], (2, 1, 1), (64, 1, 1))
    assert "while (w > 0)" in text
    assert "f32[64]\n" in text
    assert text.count("for t") == 3


def test_tiled_gemm() -> None:
    a, b, out = var("a", FP), var("b", FP), var("c", FP)
    ta, da = shared("ta", Array(Array(F32, 4), 4))
    tb, db = shared("tb", Array(Array(F32, 4), 4))
    row, col, k, kk, acc = var("row"), var("col"), var("k"), var("kk"), var("acc", F32)
    load = (
        put(at(ta, TY, TX), at(a, op("+", op("*", row, N), op("+", op("*", k, 4), TX)))),
        put(at(tb, TY, TX), at(b, op("+", op("*", op("+", op("*", k, 4), TY), N), col))),
    )
    body = (
        da,
        db,
        let(row, op("+", op("*", BY, 4), TY)),
        let(col, op("+", op("*", BX, 4), TX)),
        let(acc, 0.0),
        loop(
            k, 0, op("/", N, 4), *load, SYNC,
            loop(kk, 0, 4, put(acc, op("*", at(ta, TY, kk), at(tb, kk, TX)), "+")), SYNC,
        ),
        put(at(out, op("+", op("*", row, N), col)), acc),
    )  # fmt: skip
    p = program(body, (a, b, out, N))
    text = same(p, [DATA[:64], DATA[64:128], [0.0] * 64, 8], (2, 2, 1), (4, 4, 1))
    assert "acc[ty.2][tx.2] += " in text
    assert "for k: i32 in [0, (n / 4))" in text
